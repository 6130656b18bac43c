/**
 * Ten thousand workers in one process.
 *
 * Interval workers run an empty handler every second, as they would in an application: with the default pool, task
 * log and events. The other side is as many `setInterval`s of the same function. CPU time is that of the main
 * thread over a few seconds, one run of each worker a second; the heap is read after the workers have run, so what
 * they keep of their runs is in it.
 *
 * Cron workers are only made and started, against croner and node-cron with the same expressions. "One expression"
 * gives all the same one, "each its own" ten thousand different ones of the kind `second minute hour * * *`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Cron } from 'croner'
import nodeCron from 'node-cron'
import { createSupervisor } from '../src/index.ts'
import { at, type Row, type Scale, type Table } from './harness/question.ts'
import { heapInUse, takeTurns, timed } from './harness/rounds.ts'
import { ratio, Samples } from './harness/samples.ts'

export const description = 'What do ten thousand workers cost in one process'

const PERIOD_MS = 1_000
const ROUNDS = {
  full: { rounds: 3, warmUps: 1 },
  quick: { rounds: 1, warmUps: 0 },
  smoke: { rounds: 1, warmUps: 0 },
}
const handler = async (): Promise<void> => {}

export async function run(scale: Scale): Promise<Table[]> {
  const sizes = at(scale, { full: [1_000, 10_000], quick: [1_000, 5_000], smoke: [20] })
  const intervals: Row[] = []
  for (const workers of sizes) intervals.push(...(await measureIntervals(workers, scale)))
  const crons: Row[] = []
  for (const load of Object.keys(EXPRESSIONS) as Load[]) {
    for (const workers of sizes) crons.push(...(await measureCrons(load, workers, scale)))
  }
  return [
    {
      title: 'Interval workers, 1 s',
      note: 'Figures are per worker; the ratios are how many times that of setInterval it is: here less is better.',
      columns: [
        'workers',
        'side',
        'start, µs',
        'CPU, µs per second',
        'heap, bytes',
        'runs per second',
        'CPU, times',
        'heap, times',
      ],
      rows: intervals,
    },
    {
      title: 'Cron workers: to make and start all',
      columns: [
        'expressions',
        'workers',
        'side',
        'all, ms',
        'µs per worker',
        'heap, bytes per worker',
        'CPU time, times that of stateward',
      ],
      rows: crons,
    },
  ]
}

type Living = Awaited<ReturnType<typeof live>>
/** Begins all workers. @returns what ends them */
type Begin = (workers: number, count: () => void) => Promise<() => Promise<unknown>>

const INTERVALS: Record<'stateward' | 'setInterval', Begin> = {
  async stateward(workers, count) {
    const supervisor = createSupervisor()
    await supervisor.start()
    const handler = async (): Promise<void> => count()
    for (let i = 0; i < workers; i++) {
      supervisor.workers.interval({ name: `worker-${i}`, intervalMs: PERIOD_MS, handler })
    }
    return () => supervisor.stop()
  },
  async setInterval(workers, count) {
    const handler = async (): Promise<void> => count()
    const timers: NodeJS.Timeout[] = []
    for (let i = 0; i < workers; i++) timers.push(setInterval(handler, PERIOD_MS))
    return async () => timers.forEach(clearInterval)
  },
}

async function measureIntervals(workers: number, scale: Scale): Promise<Row[]> {
  const seconds = at(scale, { full: 4, quick: 2, smoke: 1 })
  const names = ['stateward', 'setInterval'] as const
  const rounds = await takeTurns(
    names.map((name) => ({ name, round: () => live(workers, seconds, INTERVALS[name]) })),
    at(scale, ROUNDS),
  )
  const [ours = [], theirs = []] = rounds
  const of = (side: readonly Living[], figureOf: (living: Living) => number): Samples =>
    new Samples(side.map(figureOf))
  // Theirs is under ours: how many times as much a worker costs.
  const times = (figureOf: (living: Living) => number): string =>
    ratio(of(ours, figureOf), of(theirs, figureOf)).toString()
  return names.map((name, i) => {
    const side = rounds[i] ?? []
    return {
      cells: [
        workers.toLocaleString('en'),
        name,
        of(side, ({ startUs }) => startUs).toString(),
        of(side, ({ cpuUs }) => cpuUs).toString(),
        of(side, ({ bytes }) => bytes).toString(),
        of(side, ({ runsPerSecond }) => runsPerSecond).toString(),
        ...(name === 'stateward' ? [times(({ cpuUs }) => cpuUs), times(({ bytes }) => bytes)] : ['1', '1']),
      ],
    }
  })
}

/** One round: what each worker costs while all of them live. */
async function live(workers: number, seconds: number, begin: Begin) {
  let runs = 0
  const before = await heapInUse()
  let stop: () => Promise<unknown> = async () => {}
  const started = await timed(async () => {
    stop = await begin(workers, () => {
      runs += 1
    })
  })
  // All have run, and what they run has been compiled.
  await sleep(1.5 * PERIOD_MS)
  const runsBefore = runs
  const cpuBefore = process.threadCpuUsage()
  const startedAt = performance.now()
  await sleep(seconds * PERIOD_MS)
  const { user, system } = process.threadCpuUsage(cpuBefore)
  const workerSeconds = (workers * (performance.now() - startedAt)) / 1000
  const ran = runs - runsBefore
  const bytes = ((await heapInUse()) - before) / workers
  await stop()
  return {
    startUs: started.wall / workers,
    cpuUs: (user + system) / workerSeconds,
    bytes,
    runsPerSecond: ran / workerSeconds,
  }
}

const EXPRESSIONS = {
  'one expression': () => '0 0 3 * * *',
  'each its own': (i: number) => `${i % 60} ${Math.floor(i / 60) % 60} ${3 + Math.floor(i / 3600)} * * *`,
}
type Load = keyof typeof EXPRESSIONS

/** Makes and starts one. @returns what ends it, where its maker does not end all of them */
type Make = (i: number, cron: string) => () => unknown

async function measureCrons(load: Load, workers: number, scale: Scale): Promise<Row[]> {
  const expressions = Array.from({ length: workers }, (_, i) => EXPRESSIONS[load](i))
  const supervised = async (): Promise<Starting> => {
    const supervisor = createSupervisor()
    await supervisor.start()
    const starting = await start(expressions, (i, expression) => {
      const worker = supervisor.workers.cron({ name: `worker-${i}`, cron: expression, handler })
      return () => worker
    })
    await supervisor.stop()
    return starting
  }
  const sides = [
    { name: 'stateward', round: supervised },
    {
      name: 'croner',
      round: () =>
        start(expressions, (_, expression) => {
          const job = new Cron(expression, handler)
          return () => job.stop()
        }),
    },
    {
      name: 'node-cron',
      round: () =>
        start(expressions, (_, expression) => {
          const task = nodeCron.schedule(expression, handler)
          return () => task.destroy()
        }),
    },
  ]
  const rounds = await takeTurns(sides, at(scale, ROUNDS))
  const walls = rounds.map((side) => new Samples(side.map(({ wall }) => wall)))
  const cpus = rounds.map((side) => new Samples(side.map(({ cpu }) => cpu)))
  return sides.map(({ name }, i) => {
    const wall = walls[i] as Samples
    return {
      cells: [
        load,
        workers.toLocaleString('en'),
        name,
        new Samples(wall.values.map((each) => (each * workers) / 1000)).toString(),
        wall.toString(),
        new Samples((rounds[i] ?? []).map(({ bytes }) => bytes)).toString(),
        i === 0 ? '' : ratio(cpus[i] as Samples, cpus[0] as Samples).toString(),
      ],
    }
  })
}

/** Per worker. */
interface Starting {
  /** µs */
  readonly wall: number
  /** µs of the main thread */
  readonly cpu: number
  readonly bytes: number
}

async function start(expressions: readonly string[], make: Make): Promise<Starting> {
  const before = await heapInUse()
  const ends: (() => unknown)[] = []
  const { wall, cpu } = await timed(async () => {
    for (const [i, expression] of expressions.entries()) ends.push(make(i, expression))
  })
  const bytes = ((await heapInUse()) - before) / expressions.length
  for (const end of ends) await end()
  return { wall: wall / expressions.length, cpu: cpu / expressions.length, bytes }
}
