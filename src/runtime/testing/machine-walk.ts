/** Walks a machine: every state that it can reach with the given events, and every edge between them. Pure. */
import type {
  AnyMachineSnapshot,
  AnyStateMachine,
  EventFromLogic,
  EventObject,
  InputFrom,
  SnapshotFrom,
} from 'xstate'
import { adjacencyMapToArray, getAdjacencyMap } from 'xstate/graph'
import { type Checks, check, checkOptions, refuse } from '../check.ts'
import { OptionError } from '../errors.ts'
import { declaredTransitions } from './machine-coverage.ts'
import { MachineSteps } from './machine-steps.ts'
import { structuralKey } from './structural-key.ts'

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
  /**
   * Names of the transitions taken, as {@link declaredTransitions} names them, those that followed by themselves (`always`,
   * raised events) included; none: the event is ignored.
   */
  readonly taken: readonly string[]
  /** Dotted paths of the states that it left on the way, `source` included. */
  readonly passed: readonly string[]
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
   * without end. @defaultValue the whole context: values of all kinds, functions by identity, actors by their ids
   */
  readonly project?:
    | ((context: Snapshot extends { readonly context: infer Context } ? Context : never) => string)
    | undefined
  /** Whether the event can come in this state at all. @defaultValue always */
  readonly accepts?: ((snapshot: Snapshot, event: Event) => boolean) | undefined
  /** More edges than this, and the walk throws: something grows without bound. @defaultValue 100000 */
  readonly limit?: number
}

const CHECKS: Checks = {
  input: check.anything,
  events: (where, value) => {
    if (!Array.isArray(value)) refuse(where, 'an array of events', value)
    for (const [index, event] of value.entries()) check.text(`${where}[${index}].type`, event?.type)
  },
  project: check.fn,
  accepts: check.fn,
  limit: check.count(1),
}

/**
 * Every edge that `events` can make the machine take. Ended snapshots have none. Delays (`after`) are taken by themselves.
 *
 * @throws OptionError for bad options, for a context that needs a `project`, and beyond the `limit`; throws what a machine throws
 *   that cannot begin, or make a step
 */
export function walkMachine<Machine extends AnyStateMachine>(
  machine: Machine,
  options: WalkOptions<SnapshotFrom<Machine>, EventFromLogic<Machine>, InputFrom<Machine>>,
): WalkEdge<SnapshotFrom<Machine>, EventFromLogic<Machine>>[] {
  type Snapshot = SnapshotFrom<Machine>
  type Event = EventFromLogic<Machine>
  checkOptions('walkMachine()', options, CHECKS)
  if (options.events === undefined) refuse('walkMachine().events', 'an array of events', undefined)
  const whole = (context: unknown): string => structuralKey('context', context)
  const { input, events, project = whole, accepts = () => true, limit = 100_000 } = options
  const steps = new MachineSteps(machine, declaredTransitions(machine), stateOf)
  const delays = new Set(delaysOf(machine))
  const all: readonly EventObject[] = [...events, ...delays]
  const keyOf = (snapshot: AnyMachineSnapshot): string =>
    `${stateOf(snapshot)} ${project(snapshot.context as never)}${historyOf(snapshot)}`
  let edges = 0
  const adjacency = getAdjacencyMap(machine as AnyStateMachine, {
    fromState: steps.begin(input) as never,
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
    const { to, asked, taken, passed } = steps.take(state, event)
    return {
      from: state as Snapshot,
      event: event as Event,
      to: to as Snapshot,
      source: stateOf(state),
      target: stateOf(to),
      effects: asked.map(({ type, params }) => ({ type, params })),
      taken,
      passed,
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

/** What its history states would bring back: two snapshots that differ in that go on differently. Empty without such states. */
function historyOf({ historyValue }: AnyMachineSnapshot): string {
  return Object.entries(historyValue)
    .map(([id, nodes]) => ` ${id}=${nodes.map((node) => node.id).sort()}`)
    .sort()
    .join('')
}

/** How often the edge asked for an action of this name. */
export function count({ effects }: { readonly effects: readonly WalkEffect[] }, type: string): number {
  return effects.filter((effect) => effect.type === type).length
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
