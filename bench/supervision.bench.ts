/**
 * A supervised actor that crashes: how soon another one runs, and what crashing leaves behind.
 *
 * The bare side is what one writes by hand on XState: an error observer that makes and starts the next
 * actor. It counts nothing, waits for nothing and knows no siblings.
 */
import { pino } from 'pino'
import { createActor, setup } from 'xstate'
import { createSupervisor } from '../src/index.ts'
import { at, atMost, type Row, type Scale, type Table } from './harness/question.ts'
import { heapInUse, takeTurns, timed } from './harness/rounds.ts'
import { figure, ratio, Samples } from './harness/samples.ts'

export const description = 'What does supervising actors cost: restarts, and ten thousand children'

const SILENT = pino({ level: 'silent' })
const GROWTH_BYTES = 100

const crasher = setup({ types: { events: {} as { type: 'work' } | { type: 'crash' } } }).createMachine({
  initial: 'waiting',
  states: {
    waiting: {
      on: {
        work: 'waiting',
        crash: {
          actions: () => {
            throw new Error('crash')
          },
        },
      },
    },
  },
})

const EAGER = {
  supervision: {
    intensity: Number.POSITIVE_INFINITY,
    backoff: { kind: 'fixed', initialMs: 0, jitter: 'none' },
  },
} as const

export async function run(scale: Scale): Promise<Table[]> {
  return [await restarts(scale), await growth(scale), await many(scale)]
}

async function restarts(scale: Scale): Promise<Table> {
  const crashes = at(scale, { full: 2_000, quick: 500, smoke: 10 })
  const supervisor = createSupervisor({ ...EAGER, logger: SILENT })
  await supervisor.start()
  const child = supervisor.spawn(crasher, { id: 'crasher', restart: 'permanent' })
  const [ours, bare] = (await takeTurns(
    [
      {
        name: 'stateward',
        round: async () => {
          const { wall } = await timed(async () => {
            for (let i = 0; i < crashes; i++) {
              const again = Promise.withResolvers<void>()
              const off = supervisor.on('child.restarted', () => again.resolve())
              child.actor?.send({ type: 'crash' })
              await again.promise
              off()
            }
          })
          return wall / crashes
        },
      },
      {
        name: 'by hand',
        round: async () => {
          const { wall } = await timed(async () => {
            for (let i = 0; i < crashes; i++) {
              const again = Promise.withResolvers<void>()
              const actor = createActor(crasher)
              actor.subscribe({
                error: () => {
                  const next = createActor(crasher)
                  next.subscribe({ error: () => {} })
                  next.start()
                  again.resolve()
                },
              })
              actor.start()
              actor.send({ type: 'crash' })
              await again.promise
            }
          })
          return wall / crashes
        },
      },
    ],
    { rounds: at(scale, { full: 7, quick: 3, smoke: 1 }) },
  ).then((rounds) => rounds.map((values) => new Samples(values)))) as [Samples, Samples]
  await supervisor.stop()
  return {
    title: 'From crash to running again, backoff 0',
    note: 'One crash after the other; the clock timer of the backoff takes its turn of the event loop.',
    columns: ['crashes', 'stateward, µs', 'by hand, µs', 'ratio'],
    rows: [{ cells: [crashes, ours.toString(), bare.toString(), ratio(bare, ours).toString()] }],
  }
}

async function growth(scale: Scale): Promise<Table> {
  const crashes = at(scale, { full: 10_000, quick: 2_000, smoke: 20 })
  const supervisor = createSupervisor({ ...EAGER, logger: SILENT })
  await supervisor.start()
  const child = supervisor.spawn(crasher, { id: 'crasher', restart: 'permanent' })
  const crash = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      const again = Promise.withResolvers<void>()
      const off = supervisor.on('child.restarted', () => again.resolve())
      child.actor?.send({ type: 'crash' })
      await again.promise
      off()
    }
  }
  await crash(Math.ceil(crashes / 10))
  const before = await heapInUse()
  await crash(crashes)
  const after = await heapInUse()
  const bytes = (after - before) / crashes
  const { restarts } = child
  await supervisor.stop()
  return {
    title: 'Heap after crashing within intensity',
    columns: ['crashes', 'restarts counted', 'before, MiB', 'after, MiB', 'bytes per crash'],
    rows: [
      {
        cells: [crashes, restarts, figure(before / 2 ** 20), figure(after / 2 ** 20), bytes.toFixed(1)],
        verdict: atMost(bytes, GROWTH_BYTES, 'bytes'),
      },
    ],
  }
}

const patient = setup({}).createMachine({
  initial: 'waiting',
  states: { waiting: { after: { 3600000: 'done' } }, done: { type: 'final' } },
})

async function many(scale: Scale): Promise<Table> {
  const rows: Row[] = []
  for (const [name, logic] of [
    ['a machine', crasher],
    ['a machine with `after`', patient],
  ] as const) {
    for (const children of at(scale, { full: [1_000, 10_000], quick: [1_000, 5_000], smoke: [10, 20] })) {
      const supervisor = createSupervisor({ logger: SILENT })
      await supervisor.start()
      const before = await heapInUse()
      const started = await timed(async () => {
        for (let i = 0; i < children; i++) supervisor.spawn(logic as typeof crasher, { id: `child-${i}` })
      })
      const heap = (await heapInUse()) - before
      const stopped = await timed(() => supervisor.stop())
      rows.push({
        cells: [
          name,
          children.toLocaleString('en'),
          figure(started.wall / children),
          figure(stopped.wall / children),
          figure(heap / children),
        ],
      })
    }
  }
  return {
    title: 'Many supervised children',
    note: 'A cost per child that stays the same from one size to the next is linear in all.',
    columns: ['each', 'children', 'start, µs per child', 'stop, µs per child', 'heap, bytes per child'],
    rows,
  }
}
