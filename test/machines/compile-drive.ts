/** Drives a machine and its compiled form side by side and demands that nobody can tell them apart. */
import assert from 'node:assert/strict'
import {
  type ActorLogic,
  type AnyActor,
  type AnyActorScope,
  type AnyStateMachine,
  createActor,
  type EventObject,
  type ExecutableActionObject,
  type Snapshot,
} from 'xstate'
import { compile, type Execute } from '../../src/machines/compile.ts'

type Logic = ActorLogic<Snapshot<unknown>, EventObject, unknown>

interface ReadableSnapshot {
  readonly status: string
  readonly value: unknown
  readonly context: unknown
  readonly output: unknown
  readonly error: unknown
  readonly tags: ReadonlySet<string>
  readonly children: object
  readonly historyValue: object
  matches(value: unknown): boolean
  hasTag(tag: string): boolean
  can(event: EventObject): boolean
  getMeta(): unknown
}

const attempt = (what: () => unknown): unknown => {
  try {
    return what()
  } catch (error) {
    return { threw: describe(error) }
  }
}

const describe = (error: unknown): unknown =>
  error instanceof Error ? `${error.constructor.name}: ${error.message}` : error

/** All that can be asked of a snapshot, as plain data. */
function view(snapshot: ReadableSnapshot, probes: readonly EventObject[]): unknown {
  const { status, value, context, output, error, tags, children, historyValue } = snapshot
  const own = {
    status,
    value,
    context,
    output,
    error: describe(error),
    tags: [...tags],
    children,
    historyValue,
  }
  return {
    ...own,
    json: JSON.stringify(snapshot),
    meta: snapshot.getMeta(),
    tagged: ['t0', 't1', 't2'].map((tag) => snapshot.hasTag(tag)),
    matches: [snapshot.matches(value), snapshot.matches('s0'), snapshot.matches({ s0: 's1' })],
    can: probes.map((event) => attempt(() => snapshot.can(event))),
  }
}

/** Where custom actions of the machines under test write what they see. */
export const seen: unknown[][] = []

const taken = (): unknown[][] => seen.splice(0)

/** One actor with everything it does on record. */
class Subject {
  readonly actor: AnyActor
  readonly #record: unknown[] = []

  constructor(logic: Logic, options: { input?: unknown; snapshot?: Snapshot<unknown> }) {
    taken()
    this.actor = createActor(logic, {
      ...options,
      inspect: (inspected) => {
        if (inspected.type === '@xstate.action') this.#record.push(['action', { ...inspected.action }])
        if (inspected.type === '@xstate.snapshot') this.#record.push(['snapshot', inspected.event])
      },
    })
    this.actor.subscribe({
      next: (snapshot) => this.#record.push(['next', snapshot.value]),
      error: (error) => this.#record.push(['error', describe(error)]),
      complete: () => this.#record.push(['complete']),
    })
    this.actor.on('*', (event) => this.#record.push(['emitted', event]))
  }

  get ended(): boolean {
    return this.actor.getSnapshot().status !== 'active'
  }

  do(what: (actor: AnyActor) => void): unknown {
    taken()
    what(this.actor)
    return [this.#record.splice(0), taken()]
  }

  view(probes: readonly EventObject[]): unknown {
    return view(this.actor.getSnapshot(), probes)
  }

  persisted(): unknown {
    return this.actor.getPersistedSnapshot()
  }
}

class Pair {
  readonly #left: Subject
  readonly #right: Subject
  readonly #probes: readonly EventObject[]

  constructor(left: Subject, right: Subject, probes: readonly EventObject[]) {
    this.#left = left
    this.#right = right
    this.#probes = probes
    assert.deepStrictEqual(right.view(probes), left.view(probes))
    this.do((actor) => void actor.start())
  }

  do(what: (actor: AnyActor) => void): void {
    const done = this.#left.do(what)
    assert.deepStrictEqual(this.#right.do(what), done)
    assert.deepStrictEqual(this.#right.view(this.#probes), this.#left.view(this.#probes))
  }

  /** Nothing for an actor that has ended: XState prints a warning for each such event. */
  send(event: EventObject): void {
    if (!this.#left.ended) this.do((actor) => actor.send(event))
  }

  persisted(): [string, string] {
    const pair = [JSON.stringify(this.#left.persisted()), JSON.stringify(this.#right.persisted())] as const
    assert.equal(pair[1], pair[0])
    return [...pair]
  }
}

/** As actors, persisted half-way and restored crosswise. */
function driveActors(machine: AnyStateMachine, input: unknown, events: readonly EventObject[]): void {
  const compiled = compile(machine) as unknown as Logic
  const interpreted = machine as unknown as Logic
  const pair = new Pair(new Subject(interpreted, { input }), new Subject(compiled, { input }), events)
  const half = Math.floor(events.length / 2)
  for (const event of events.slice(0, half)) pair.send(event)
  const [left, right] = pair.persisted()
  const crossed = new Pair(
    new Subject(interpreted, { snapshot: JSON.parse(right) }),
    new Subject(compiled, { snapshot: JSON.parse(left) }),
    events,
  )
  for (const event of events.slice(half)) {
    pair.send(event)
    crossed.send(event)
  }
  pair.do((actor) => void actor.stop())
  pair.persisted()
}

type Effect = readonly [type: string, params: unknown, context: unknown, event: unknown]

/** The scope of a pure transition: it notes what it should execute. */
function recorder(): { scope: AnyActorScope; effects: Effect[] } {
  const effects: Effect[] = []
  const actionExecutor = ({ type, params, info }: ExecutableActionObject): void => {
    effects.push([type, params, info.context, info.event])
  }
  return { effects, scope: { actionExecutor, system: { _sendInspectionEvent: () => {} } } as never }
}

type Step = (effects: Effect[]) => ReadableSnapshot
type Walk = { readonly start: Step; readonly step: (from: ReadableSnapshot, event: EventObject) => Step }

const withScope = (logic: Logic, input: unknown): Walk => ({
  start: (effects) => {
    const { scope, effects: made } = recorder()
    const snapshot = logic.getInitialSnapshot(scope, input) as unknown as ReadableSnapshot
    effects.push(...made)
    return snapshot
  },
  step: (from, event) => (effects) => {
    const { scope, effects: made } = recorder()
    try {
      return logic.transition(from as never, event, scope) as unknown as ReadableSnapshot
    } finally {
      effects.push(...made)
    }
  },
})

const withoutScope = (machine: AnyStateMachine, input: unknown): Walk => {
  const { initial, step } = compile(machine)
  const into =
    (effects: Effect[]): Execute =>
    (...effect) =>
      effects.push(effect)
  return {
    start: (effects) => initial(input, into(effects)) as unknown as ReadableSnapshot,
    step: (from, event) => (effects) =>
      step(from as never, event, into(effects)) as unknown as ReadableSnapshot,
  }
}

/** As pure functions: interpreter, compiled logic with a scope, `step`. Also the identity of snapshots. */
function drivePure(machine: AnyStateMachine, input: unknown, events: readonly EventObject[]): void {
  const walks = [
    withScope(machine as unknown as Logic, input),
    withScope(compile(machine) as unknown as Logic, input),
    withoutScope(machine, input),
  ]
  const run = (step: Step, from: ReadableSnapshot | undefined): [ReadableSnapshot | undefined, unknown] => {
    const effects: Effect[] = []
    let threw: unknown
    let next: ReadableSnapshot | undefined
    try {
      next = step(effects)
    } catch (error) {
      threw = describe(error)
    }
    const external = effects.filter(([type]) => type !== 'xstate.raise')
    return [next, { threw, same: next === from, external, view: next && view(next, events) }]
  }
  const demandSame = (
    results: [ReadableSnapshot | undefined, unknown][],
  ): (ReadableSnapshot | undefined)[] => {
    for (const [, outcome] of results) assert.deepStrictEqual(outcome, results[0]![1])
    return results.map(([snapshot]) => snapshot)
  }
  let at = demandSame(walks.map((walk) => run(walk.start, undefined)))
  for (const event of events) {
    if (at[0]!.status === 'error') return
    const next = demandSame(walks.map((walk, i) => run(walk.step(at[i]!, event), at[i])))
    if (next[0] === undefined) return
    at = next
  }
}

/** Throws an AssertionError wherever interpreter and compiled form differ. */
export function demandSameBehaviour(
  machine: AnyStateMachine,
  input: unknown,
  events: readonly EventObject[],
): void {
  drivePure(machine, input, events)
  driveActors(machine, input, events)
}
