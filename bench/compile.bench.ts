/**
 * What one full life of a task costs: as an actor on XState's interpreter, on its pure `transition`, as an
 * actor on compiled logic, by `step`, and in a table written by hand. Rounds are interleaved, so that what
 * else the machine does falls on all alike; the numbers are medians.
 *
 * Run alone: `node bench/compile.bench.ts`.
 */
import {
  type AnyActorScope,
  type AnyStateMachine,
  assign,
  createActor,
  type EventObject,
  setup,
} from 'xstate'
import { compile } from '../src/machines/compile.ts'
import { taskMachine } from '../src/machines/task.ts'

export interface BenchTable {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
}

interface Life {
  readonly title: string
  readonly machine: AnyStateMachine
  readonly input: unknown
  readonly events: readonly EventObject[]
  readonly byHand?: (events: readonly EventObject[]) => unknown
}

interface SmallContext {
  readonly attempt: number
  readonly value: unknown
}

const nothing = (): void => {}

/** Seven states with updates, a guard and entry and exit actions. */
const smallMachine = setup({
  types: { context: {} as SmallContext, events: {} as EventObject & { value?: unknown } },
  guards: { mayTry: ({ context }) => context.attempt < 3 },
  actions: {
    enqueue: nothing,
    dequeue: nothing,
    release: nothing,
    settle: nothing,
    begin: assign({ attempt: ({ context }) => context.attempt + 1 }),
    keep: assign(({ event }) => ({ value: event.value })),
  },
}).createMachine({
  id: 'small',
  context: { attempt: 0, value: undefined },
  initial: 'created',
  on: { cancel: '.cancelled' },
  states: {
    created: { on: { submit: 'queued' } },
    queued: { entry: 'enqueue', exit: 'dequeue', on: { admit: { target: 'starting', guard: 'mayTry' } } },
    starting: { entry: 'begin', on: { started: 'running' } },
    running: { exit: 'release', on: { returned: { target: 'finished', actions: 'keep' }, failed: 'failed' } },
    finished: { type: 'final', entry: 'settle' },
    failed: { type: 'final', entry: 'settle' },
    cancelled: { type: 'final', entry: 'settle' },
  },
})

/** The same by hand: what a compiled machine can at best come near to. */
function smallByHand(events: readonly (EventObject & { value?: unknown })[]): unknown {
  let snapshot = { status: 'active', value: 'created', context: { attempt: 0, value: undefined as unknown } }
  for (const event of events) {
    const { context, value } = snapshot
    if (value === 'created' && event.type === 'submit') {
      nothing()
      snapshot = { status: 'active', value: 'queued', context }
    } else if (value === 'queued' && event.type === 'admit' && context.attempt < 3) {
      nothing()
      snapshot = {
        status: 'active',
        value: 'starting',
        context: { ...context, attempt: context.attempt + 1 },
      }
    } else if (value === 'starting' && event.type === 'started') {
      snapshot = { status: 'active', value: 'running', context }
    } else if (value === 'running' && event.type === 'returned') {
      nothing()
      snapshot = { status: 'done', value: 'finished', context: { ...context, value: event.value } }
      nothing()
    }
  }
  return snapshot
}

const lives: readonly Life[] = [
  {
    title: 'small machine, 7 states, initial + 4 transitions',
    machine: smallMachine,
    input: undefined,
    events: [
      { type: 'submit' },
      { type: 'admit' },
      { type: 'started' },
      { type: 'returned', value: 1 } as EventObject,
    ],
    byHand: smallByHand,
  },
  {
    title: 'task machine, 14 states, submitted to finished (initial + 4 transitions)',
    machine: taskMachine,
    input: { runId: 'r', name: 'n', priority: 'normal', execution: 'thread', attempts: 1 },
    events: [
      { type: 'task.submit', delayMs: 0 },
      { type: 'task.admit' },
      { type: 'attempt.started' },
      { type: 'attempt.returned', value: 1 },
    ] as EventObject[],
  },
]

const inertScope = {
  self: undefined,
  system: { _sendInspectionEvent: nothing },
  actionExecutor: nothing,
  defer: nothing,
  emit: nothing,
} as unknown as AnyActorScope

/** Every way to live that life, by name. */
function waysOf({ machine, input, events, byHand }: Life): Map<string, () => unknown> {
  const compiled = compile(machine)
  const asActor = (logic: AnyStateMachine) => (): unknown => {
    const actor = createActor(logic, { input })
    actor.start()
    for (const event of events) actor.send(event)
    return actor.getSnapshot()
  }
  const ways = new Map<string, () => unknown>([
    ['interpreter, actor', asActor(machine)],
    [
      'interpreter, transition()',
      () => {
        let snapshot = machine.getInitialSnapshot(inertScope, input)
        for (const event of events) snapshot = machine.transition(snapshot, event, inertScope)
        return snapshot
      },
    ],
    ['compiled, actor', asActor(compiled as unknown as AnyStateMachine)],
    [
      'compiled, step()',
      () => {
        let snapshot = compiled.initial(input, nothing)
        for (const event of events) snapshot = compiled.step(snapshot, event, nothing)
        return snapshot
      },
    ],
  ])
  if (byHand !== undefined) ways.set('table by hand', () => byHand(events))
  return ways
}

function microsecondsPerLife(way: () => unknown, milliseconds: number): number {
  const start = performance.now()
  let lived = 0
  let elapsed = 0
  while (elapsed < milliseconds) {
    for (let i = 0; i < 200; i++) way()
    lived += 200
    elapsed = performance.now() - start
  }
  return (elapsed * 1000) / lived
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0

function measure(life: Life, rounds: number, milliseconds: number): BenchTable {
  const ways = waysOf(life)
  const samples = new Map<string, number[]>([...ways.keys()].map((name) => [name, []]))
  for (const way of ways.values()) {
    if ((way() as { status?: string }).status !== 'done')
      throw new Error(`${life.title}: the life does not end`)
    microsecondsPerLife(way, milliseconds)
  }
  for (let round = 0; round < rounds; round++) {
    for (const [name, way] of ways) samples.get(name)?.push(microsecondsPerLife(way, milliseconds))
  }
  const medians = [...samples].map(([name, measured]) => [name, median(measured)] as const)
  const base = new Map(medians).get('interpreter, actor') ?? 0
  const steps = life.events.length + 1
  return {
    title: life.title,
    columns: ['way', 'µs per life', 'µs per step', 'times the interpreter actor'],
    rows: medians.map(([name, us]) => [name, us.toFixed(3), (us / steps).toFixed(3), (base / us).toFixed(1)]),
  }
}

/** Measures all lives: about half a second each way. */
export async function run({ rounds = 7, milliseconds = 60 } = {}): Promise<BenchTable[]> {
  return lives.map((life) => measure(life, rounds, milliseconds))
}

if (import.meta.main) {
  for (const { title, columns, rows } of await run()) {
    console.log(`\n${title}`)
    console.table(rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]]))))
  }
}
