/** Walks a machine: every state that it can reach with the given events, and every edge between them. Pure. */
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  type AnyTransitionDefinition,
  type EventFromLogic,
  type EventObject,
  type InputFrom,
  type SnapshotFrom,
  transition,
} from 'xstate'
import { adjacencyMapToArray, getAdjacencyMap } from 'xstate/graph'
import { OptionError } from '../errors.ts'

/** What the machine asked for on one edge, in order: named actions, with their parameters. */
export interface WalkEffect {
  readonly type: string
  readonly params: unknown
}

/** One event in one state. An event that the state ignores makes an edge, too: to itself, with nothing `taken`. */
export interface WalkEdge<Snapshot = AnyMachineSnapshot, Event = EventObject> {
  readonly from: Snapshot
  readonly event: Event
  readonly to: Snapshot
  /** Dotted path of the state before and after; of a parallel machine all of them, joined by `|`. */
  readonly source: string
  readonly target: string
  readonly effects: readonly WalkEffect[]
  /** Names of the transitions taken, as {@link declaredTransitions} names them; none: the event is ignored. */
  readonly taken: readonly string[]
  /** What tells `from` and `to` apart from other states of the walk. */
  readonly fromKey: string
  readonly toKey: string
}

export interface WalkOptions<Snapshot, Event, Input = unknown> {
  /** Of the machine. */
  readonly input?: Input | undefined
  /** At least one for every branch that a guard can take. */
  readonly events: readonly Event[]
  /**
   * What tells two states of one name apart. Everything that a guard looks at must be in it, and nothing that grows
   * without end. @defaultValue the whole context as JSON
   */
  readonly project?:
    | ((context: Snapshot extends { readonly context: infer Context } ? Context : never) => string)
    | undefined
  /** Whether the event can come in this state at all. @defaultValue always */
  readonly accepts?: ((snapshot: Snapshot, event: Event) => boolean) | undefined
  /** More edges than this, and the walk throws: something grows without bound. @defaultValue 100000 */
  readonly limit?: number
}

/** Every edge that `events` can make the machine take. Ended snapshots have none. Delays (`after`) are taken by themselves. */
export function walkMachine<Machine extends AnyStateMachine>(
  machine: Machine,
  options: WalkOptions<SnapshotFrom<Machine>, EventFromLogic<Machine>, InputFrom<Machine>>,
): WalkEdge<SnapshotFrom<Machine>, EventFromLogic<Machine>>[] {
  type Snapshot = SnapshotFrom<Machine>
  type Event = EventFromLogic<Machine>
  const { input, events, project = toJson, accepts = () => true, limit = 100_000 } = options
  const names = declaredTransitions(machine)
  const delays = new Set(delaysOf(machine))
  const all: readonly EventObject[] = [...events, ...delays]
  const keyOf = (snapshot: AnyMachineSnapshot): string =>
    `${stateOf(snapshot)} ${project(snapshot.context as never)}`
  let edges = 0
  const adjacency = getAdjacencyMap(machine as AnyStateMachine, {
    input: input as unknown,
    limit,
    events: (snapshot) => {
      if (snapshot.status !== 'active') return []
      const coming = all.filter((event) =>
        delays.has(event) ? snapshot.can(event) : accepts(snapshot as Snapshot, event as Event),
      )
      edges += coming.length
      if (edges > limit) throw tooMany(machine, limit, keyOf(snapshot))
      return coming
    },
    // JSON has no Infinity: the position tells the events apart.
    serializeEvent: (event) => String(all.indexOf(event)),
    serializeState: (snapshot) => keyOf(snapshot) as never,
  })
  return adjacencyMapToArray(adjacency).map(({ state, event }) => {
    const [to, asked] = transition(machine as AnyStateMachine, state, event)
    return {
      from: state as Snapshot,
      event: event as Event,
      to: to as Snapshot,
      source: stateOf(state),
      target: stateOf(to),
      effects: asked.map(({ type, params }) => ({ type, params })),
      taken: machine
        .getTransitionData(state as never, event as never)
        .map((one: AnyTransitionDefinition) => names.get(one) ?? `? ${one.eventType}`),
      fromKey: keyOf(state),
      toKey: keyOf(to),
    }
  })
}

/** `running.stopping.killing`; of a parallel state `left.on|right.off`. */
export function stateOf({ value }: { readonly value: unknown }): string {
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([name, inner]) => {
      const rest = stateOf({ value: inner })
      return rest === ''
        ? name
        : rest
            .split('|')
            .map((one) => `${name}.${one}`)
            .join('|')
    })
    .join('|')
}

/** Every candidate that the machine declares, named by state, event, position and guard. */
export function declaredTransitions(machine: AnyStateMachine): Map<AnyTransitionDefinition, string> {
  const names = new Map<AnyTransitionDefinition, string>()
  const visit = (node: AnyStateNode): void => {
    for (const [descriptor, candidates] of node.transitions) {
      candidates.forEach((candidate, index) => {
        const guard = candidate.guard as { type?: string } | string | undefined
        const guarded =
          guard === undefined ? '' : ` [${typeof guard === 'string' ? guard : (guard.type ?? 'inline')}]`
        names.set(candidate, `${node.id} ${descriptor} #${index}${guarded}`)
      })
    }
    for (const child of Object.values(node.states)) visit(child)
  }
  visit(machine.root)
  return names
}

/** Dotted paths of all states that have none inside. */
export function atomicStates(machine: AnyStateMachine): string[] {
  const visit = (node: AnyStateNode): string[] => {
    const children = Object.values(node.states)
    return children.length === 0 ? [node.path.join('.')] : children.flatMap(visit)
  }
  return visit(machine.root)
}

/** What a machine declares and a walk did not come by: a hole in its events, or something that can never be. */
export interface Uncovered {
  /** Atomic states that were never reached. */
  readonly states: readonly string[]
  /** Transitions that were never taken, named as {@link declaredTransitions} names them. */
  readonly transitions: readonly string[]
}

/** @param edges - of one walk, or of several with different inputs */
export function uncovered(
  machine: AnyStateMachine,
  edges: readonly WalkEdge<unknown, EventObject>[],
): Uncovered {
  const states = new Set(edges.flatMap(({ source, target }) => [...source.split('|'), ...target.split('|')]))
  const taken = new Set(edges.flatMap((edge) => edge.taken))
  return {
    states: atomicStates(machine).filter((state) => !states.has(state)),
    transitions: [...declaredTransitions(machine).values()].filter((name) => !taken.has(name)),
  }
}

/** How often the edge asked for an action of this name. */
export function count({ effects }: { readonly effects: readonly WalkEffect[] }, type: string): number {
  return effects.filter((effect) => effect.type === type).length
}

function toJson(context: unknown): string {
  return JSON.stringify(context) ?? ''
}

/** The timers of a machine (`after`) as events: in a walk no time passes. */
function delaysOf(machine: AnyStateMachine): readonly EventObject[] {
  return machine.events.filter((type) => type.startsWith('xstate.after.')).map((type) => ({ type }))
}

function tooMany(machine: AnyStateMachine, limit: number, key: string): OptionError {
  return new OptionError(
    `The walk of machine "${machine.id}" has more than ${limit} edges; the last state was: ${key.slice(0, 200)}. ` +
      'Leave out of project() what grows, or raise the limit.',
    { code: 'ERR_OPTION_INVALID' },
  )
}
