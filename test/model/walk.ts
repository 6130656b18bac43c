/** Walks a machine: every state it can reach with the given events, and every edge between them. */
import assert from 'node:assert/strict'
import type {
  AnyActorScope,
  AnyMachineSnapshot,
  AnyStateMachine,
  AnyStateNode,
  AnyTransitionDefinition,
  EventObject,
  ExecutableActionObject,
} from 'xstate'
import { adjacencyMapToArray, getAdjacencyMap } from 'xstate/graph'

/** What the machine asked for on one edge, in order. */
export interface Effect {
  readonly type: string
  readonly params: unknown
}

export interface Edge<Snapshot, Event> {
  readonly from: Snapshot
  readonly event: Event
  readonly to: Snapshot
  /** Dotted path of the atomic state before and after. */
  readonly source: string
  readonly target: string
  readonly effects: readonly Effect[]
  /** Names of the transitions taken, as `declaredTransitions` names them; none = the event is ignored. */
  readonly taken: readonly string[]
}

export interface WalkOptions<Event> {
  readonly input: unknown
  readonly events: readonly Event[]
  /** What tells two states apart. Everything a guard looks at must be in it. */
  readonly project: (context: never) => string
  /** Whether the event can come in this state at all. @defaultValue always */
  accepts?(snapshot: AnyMachineSnapshot, event: Event): boolean
  /** The walk fails beyond so many edges: a counter grew without bound. */
  readonly limit: number
}

/** `running.stopping.killing` */
export function leafOf(snapshot: { readonly value: unknown }): string {
  const { value } = snapshot
  if (typeof value !== 'object' || value === null) return String(value)
  const [[name, inner]] = Object.entries(value) as [[string, unknown]]
  return `${name}.${leafOf({ value: inner })}`
}

/** Every edge that `events` can make the machine take. Ended snapshots have none. */
export function walk<Snapshot extends AnyMachineSnapshot, Event extends EventObject>(
  machine: AnyStateMachine,
  options: WalkOptions<Event>,
): Edge<Snapshot, Event>[] {
  const { input, events, project, limit, accepts = () => true } = options
  const names = declaredTransitions(machine)
  const adjacency = getAdjacencyMap(machine, {
    input,
    limit,
    events: (snapshot) =>
      snapshot.status === 'active' ? events.filter((event) => accepts(snapshot, event)) : [],
    // JSON has no Infinity: the position tells the events apart.
    serializeEvent: (event) => String(events.indexOf(event as Event)),
    serializeState: (snapshot) => `${leafOf(snapshot)} ${project(snapshot.context as never)}` as never,
  })
  const effects: Effect[] = []
  // The scope of a pure transition: it only notes what it should execute.
  const scope = {
    actionExecutor: ({ type, params }: ExecutableActionObject) => effects.push({ type, params }),
    system: { _sendInspectionEvent: () => {} },
  } as unknown as AnyActorScope
  return adjacencyMapToArray(adjacency).map(({ state, event }) => {
    const next = machine.transition(state, event, scope)
    return {
      from: state,
      event: event as Event,
      to: next,
      source: leafOf(state),
      target: leafOf(next),
      effects: effects.splice(0),
      taken: machine
        .getTransitionData(state, event)
        .map((one: AnyTransitionDefinition) => names.get(one) ?? `? ${one.eventType}`),
    } as unknown as Edge<Snapshot, Event>
  })
}

/** Every candidate that the machine declares, named by state, event, position and guard. */
export function declaredTransitions(machine: AnyStateMachine): Map<AnyTransitionDefinition, string> {
  const names = new Map<AnyTransitionDefinition, string>()
  const visit = (node: AnyStateNode): void => {
    for (const [descriptor, candidates] of node.transitions) {
      candidates.forEach((candidate, index) => {
        const guard = candidate.guard as { type?: string } | string | undefined
        const guarded = guard === undefined ? '' : ` [${typeof guard === 'string' ? guard : guard.type}]`
        names.set(candidate, `${node.id} ${descriptor} #${index}${guarded}`)
      })
    }
    for (const child of Object.values(node.states)) visit(child)
  }
  visit(machine.root)
  return names
}

/** Dotted paths of all atomic and final states. */
export function atomicStates(machine: AnyStateMachine): string[] {
  const visit = (node: AnyStateNode): string[] => {
    const children = Object.values(node.states)
    return children.length === 0 ? [node.path.join('.')] : children.flatMap(visit)
  }
  return visit(machine.root)
}

/** Atomic state by event type: where it may lead, or that it is ignored there. Text, to be read. */
export function transitionTable(
  machine: AnyStateMachine,
  edges: readonly Edge<unknown, EventObject>[],
  eventTypes: readonly string[],
): string {
  const cells = new Map<string, Set<string>>()
  for (const { source, target, event, taken, effects, from, to } of edges) {
    const key = `${source} ${event.type}`
    const cell = cells.get(key) ?? new Set()
    cells.set(key, cell)
    const still = source === target && effects.length === 0 && from === to
    cell.add(
      taken.length === 0 ? 'ignored' : still ? 'swallowed' : source === target ? 'stays' : `→ ${target}`,
    )
  }
  const lines: string[] = []
  for (const state of atomicStates(machine)) {
    const ignored: string[] = []
    lines.push(state)
    for (const type of eventTypes) {
      const cell = cells.get(`${state} ${type}`)
      if (cell === undefined) continue
      if (cell.size === 1 && cell.has('ignored')) ignored.push(type)
      else lines.push(`  ${type.padEnd(22)} ${[...cell].sort().join(' | ')}`)
    }
    const final = !eventTypes.some((type) => cells.has(`${state} ${type}`))
    lines.push(final ? '  final' : `  ignored: ${ignored.join(', ') || 'nothing'}`, '')
  }
  return lines.join('\n')
}

/** How often the edge asked for `type`. */
export function count({ effects }: { readonly effects: readonly Effect[] }, type: string): number {
  return effects.filter((effect) => effect.type === type).length
}

/** Throws with the edge on which `check` throws. */
export function onEveryEdge<Snapshot extends { readonly context: unknown }, Event extends EventObject>(
  edges: readonly Edge<Snapshot, Event>[],
  check: (edge: Edge<Snapshot, Event>) => void,
): void {
  for (const edge of edges) {
    try {
      check(edge)
    } catch (error) {
      const { from, source, target, event, effects } = edge
      assert.fail(
        [
          `${source} + ${JSON.stringify(event)} → ${target}`,
          `context: ${JSON.stringify(from.context)}`,
          `asked for: ${effects.map(({ type }) => type).join(', ')}`,
          error instanceof Error ? error.message : String(error),
        ].join('\n'),
      )
    }
  }
}
