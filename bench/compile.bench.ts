/**
 * What one full life of a task costs: as an actor on XState's interpreter, on its pure `transition`, as an
 * actor on compiled logic, by `step`, and in a table written by hand. Rounds are interleaved, so that what
 * else the machine does falls on all alike; the numbers are medians.
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
import { at, atLeast, type Row, type Scale, type Table } from './harness/question.ts'
import { takeTurns } from './harness/rounds.ts'
import { figure, ratio, Samples } from './harness/samples.ts'

export const description = 'What does one full life of a machine cost, interpreted and compiled'

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

const INTERPRETER = 'interpreter, actor'
const COMPILED = 'compiled, actor'

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
    [INTERPRETER, asActor(machine)],
    [
      'interpreter, transition()',
      () => {
        let snapshot = machine.getInitialSnapshot(inertScope, input)
        for (const event of events) snapshot = machine.transition(snapshot, event, inertScope)
        return snapshot
      },
    ],
    [COMPILED, asActor(compiled as unknown as AnyStateMachine)],
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

async function measure(life: Life, scale: Scale): Promise<Table> {
  const milliseconds = at(scale, { full: 100, quick: 100, smoke: 1 })
  const ways = [...waysOf(life)]
  for (const [name, way] of ways) {
    if ((way() as { status?: string }).status !== 'done')
      throw new Error(`${life.title}: ${name} does not end`)
  }
  const taken = await takeTurns(
    ways.map(([name, way]) => ({ name, round: () => microsecondsPerLife(way, milliseconds) })),
    { rounds: at(scale, { full: 9, quick: 3, smoke: 1 }), warmUps: 3 },
  )
  const samples = new Map(ways.map(([name], i) => [name, new Samples(taken[i] as number[])]))
  const base = samples.get(INTERPRETER) as Samples
  const steps = life.events.length + 1
  return {
    title: life.title,
    columns: ['way', 'µs per life', 'µs per step', 'times the interpreter actor'],
    rows: [...samples].map(([name, measured]): Row => {
      const gained = ratio(base, measured)
      const cells = [name, measured.toString(), figure(measured.median / steps), gained.toString()]
      // The target is for the task machine, as actor on both sides.
      return life.machine === taskMachine && name === COMPILED
        ? { cells, verdict: atLeast(gained.median, 8) }
        : { cells }
    }),
  }
}

export async function run(scale: Scale): Promise<Table[]> {
  const tables: Table[] = []
  for (const life of lives) tables.push(await measure(life, scale))
  return tables
}
