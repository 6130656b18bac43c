/**
 * The durable queue on one SQLite file (`synchronous=FULL`) against BullMQ on Redis (`appendfsync everysec`): one process
 * adds no-op tasks, another one runs them, a hundred under way at a time, with each engine's own defaults. Every round has
 * a fresh file, and a fresh queue in Redis.
 *
 * A task counts as added when the call has resolved, and as done when the database says so.
 */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { EngineSide } from './engines/engine-side.ts'
import { startRedis } from './engines/redis.ts'
import {
  ALONE,
  type Alone,
  alone,
  type Flow,
  flow,
  type Ground,
  IN_FLIGHT,
  perSecond,
  withSides,
} from './engines/rounds.ts'
import { STEP_KINDS, stepsPerSecond } from './engines/steps.ts'
import { at, atLeast, type Row, type Scale, type Table, type Verdict } from './harness/question.ts'
import { takeTurns } from './harness/rounds.ts'
import { figure, ratio, Samples } from './harness/samples.ts'

export const description =
  'How fast does the durable queue on one file take and run tasks, against BullMQ on Redis'

const TIMES_BULLMQ = 3
const P50_MS = 3
const IDLE_SHARE = 0.005

const NO_REDIS = 'not measured: no redis-server'

interface Sizes {
  readonly tasks: readonly number[]
  readonly rounds: number
  readonly producers: readonly number[]
  readonly kinds: readonly Alone[]
  /** Of a sustained stretch. */
  readonly flowMs: number
  readonly finished: number
  readonly trickle: number
  readonly idleMs: number
  /** Of one task. */
  readonly steps: readonly number[]
}

const SIZES: Record<Scale, Sizes> = {
  full: {
    tasks: [1_000, 10_000, 30_000],
    rounds: 3,
    producers: [1, 4],
    kinds: ALONE,
    flowMs: 3_000,
    finished: 1_000_000,
    trickle: 400,
    idleMs: 5_000,
    steps: [100, 1_000, 10_000],
  },
  quick: {
    tasks: [1_000, 10_000],
    rounds: 1,
    producers: [1, 4],
    kinds: ALONE,
    flowMs: 2_000,
    finished: 100_000,
    trickle: 100,
    idleMs: 2_000,
    steps: [100, 1_000],
  },
  smoke: {
    tasks: [50],
    rounds: 1,
    producers: [1],
    kinds: ['drain'],
    flowMs: 100,
    finished: 500,
    trickle: 5,
    idleMs: 50,
    steps: [10],
  },
}

const OURS = 'stateward'
const THEIRS = 'bullmq'

export async function run(scale: Scale): Promise<Table[]> {
  const sizes = at(scale, SIZES)
  const folder = await mkdtemp(join(tmpdir(), 'stateward-bench-'))
  const redis = await startRedis()
  let files = 0
  const ours: Ground = {
    engine: OURS,
    fresh: async () => ({ url: `sqlite:${join(folder, `${++files}.db`)}`, queue: '' }),
  }
  const grounds = [ours]
  if (redis !== undefined) {
    const { url } = redis
    grounds.push({ engine: THEIRS, fresh: async () => ({ url, queue: `bench-${randomUUID()}` }) })
  }
  try {
    return [
      await sustainedTable(grounds, sizes),
      await aloneTable(grounds, sizes),
      await latencyTable(grounds, sizes),
      await finishedTable(ours, sizes),
      await stepsTable(ours, sizes),
    ]
  } finally {
    await redis?.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Our cell, theirs, and how many times theirs ours is. */
function against(ours: Samples, theirs: Samples | undefined): readonly [string, string, string] {
  if (theirs === undefined) return [perSecond(ours), NO_REDIS, '']
  return [perSecond(ours), perSecond(theirs), ratio(ours, theirs).toString()]
}

const judged = (cells: Row['cells'], verdict: Verdict | undefined): Row =>
  verdict === undefined ? { cells } : { cells, verdict }

async function sustainedTable(
  grounds: readonly Ground[],
  { flowMs, rounds, producers: counts }: Sizes,
): Promise<Table> {
  const rows: Row[] = []
  for (const producers of counts) {
    const [ours = [], theirs] = await takeTurns(
      grounds.map(({ engine, fresh }) => ({
        name: engine,
        round: async () => flow(engine, await fresh(), producers, flowMs),
      })),
      { rounds, warmUps: 0 },
    )
    const samplesOf = (key: keyof Flow, flows: readonly Flow[] | undefined): Samples | undefined =>
      flows === undefined ? undefined : new Samples(flows.map((one) => one[key]))
    for (const key of ['done', 'added'] as const) {
      const [mine, peer] = [samplesOf(key, ours) as Samples, samplesOf(key, theirs)]
      const isTarget = producers === 1 && key === 'done' && peer !== undefined
      rows.push(
        judged(
          [producers, key, ...against(mine, peer)],
          isTarget ? atLeast(ratio(mine, peer).median, TIMES_BULLMQ) : undefined,
        ),
      )
    }
  }
  return {
    title: 'Sustained: enqueue and run, tasks per second',
    note: `Producers add one task per call, ${IN_FLIGHT} calls in flight each, for ${flowMs / 1000} s; what has run by then counts.`,
    columns: ['producers', 'tasks', 'stateward', 'BullMQ', "times BullMQ's"],
    rows,
  }
}

async function aloneTable(
  grounds: readonly Ground[],
  { tasks: sizes, rounds, kinds }: Sizes,
): Promise<Table> {
  const rows: Row[] = []
  for (const how of kinds) {
    for (const tasks of sizes) {
      const [ours = [], theirs] = await takeTurns(
        grounds.map(({ engine, fresh }) => ({
          name: engine,
          round: async () => alone(engine, await fresh(), tasks, how),
        })),
        { rounds, warmUps: 0 },
      )
      const cells = against(new Samples(ours), theirs === undefined ? undefined : new Samples(theirs))
      rows.push({ cells: [how, tasks.toLocaleString('en'), ...cells] })
    }
  }
  return {
    title: 'Enqueue alone and drain alone, tasks per second',
    note: `In processes that have just begun. One per call: ${IN_FLIGHT} calls in flight. Drain: from the start of the first task.`,
    columns: ['what', 'tasks', 'stateward', 'BullMQ', "times BullMQ's"],
    rows,
  }
}

async function latencyTable(grounds: readonly Ground[], { trickle, idleMs }: Sizes): Promise<Table> {
  const rows: Row[] = []
  for (const { engine, fresh } of grounds) {
    const { delays, idle } = await withSides(
      engine,
      await fresh(),
      ['worker', 'producer'],
      async (worker, producer) => {
        const [working, adding] = [worker as EngineSide, producer as EngineSide]
        const count = await adding.ask('trickle', { count: trickle, everyMs: 5 })
        await working.ask('drained', { count })
        const delays = await working.ask<number[]>('delays', {})
        return { delays: new Samples(delays), idle: await working.ask('idle', { forMs: idleMs }) }
      },
    )
    const share = `${(idle * 100).toFixed(2)} %`
    const isOurs = engine === OURS
    const p50: Row['cells'] = [
      isOurs ? OURS : 'BullMQ',
      figure(delays.median),
      figure(delays.quantile(0.99)),
      figure(Math.max(...delays.values)),
      share,
    ]
    const met = delays.median < P50_MS && idle < IDLE_SHARE
    rows.push(
      judged(p50, isOurs ? { target: `p50 < ${P50_MS} ms, idle < ${IDLE_SHARE * 100} %`, met } : undefined),
    )
  }
  if (grounds.length === 1) rows.push({ cells: ['BullMQ', NO_REDIS, '', '', ''] })
  return {
    title: 'Between processes: from enqueue to the start of the handler, ms, and what an idle worker costs',
    note: `${trickle} tasks, one at a time, 5 ms apart. Idle: CPU time of the process of the worker, for ${idleMs / 1000} s.`,
    columns: ['side', 'p50', 'p99', 'latest', 'idle, of one core'],
    rows,
  }
}

/** The sustained stretch with so many rows of finished tasks in the file, beside one without. */
async function finishedTable(ours: Ground, { finished, flowMs, rounds }: Sizes): Promise<Table> {
  const filled = await ours.fresh()
  await withSides(OURS, filled, ['worker', 'producer'], async (worker, producer) => {
    await producer?.ask('add', { count: 1, inFlight: 1 })
    await worker?.ask('drained', { count: 1 })
  })
  multiply(filled.url.slice('sqlite:'.length), finished)
  const [withRows = [], without = []] = await takeTurns(
    [
      { name: 'filled', round: () => flow(OURS, filled, 1, flowMs) },
      { name: 'empty', round: async () => flow(OURS, await ours.fresh(), 1, flowMs) },
    ],
    { rounds, warmUps: 0 },
  )
  const done = (flows: readonly Flow[]): Samples => new Samples(flows.map((one) => one.done))
  const share = ratio(done(withRows), done(without))
  return {
    title: 'Sustained, with finished tasks in the file, tasks per second',
    columns: ['finished tasks', 'with them', 'in an empty file', 'times the empty one'],
    rows: [
      {
        cells: [
          finished.toLocaleString('en'),
          perSecond(done(withRows)),
          perSecond(done(without)),
          share.toString(),
        ],
      },
    ],
  }
}

/** What one task of many steps costs, beside as many tasks. */
async function stepsTable({ fresh }: Ground, { steps: counts, rounds }: Sizes): Promise<Table> {
  const rows: Row[] = []
  for (const kind of STEP_KINDS) {
    const runs = await takeTurns(
      counts.map((count) => ({
        name: String(count),
        round: async () => stepsPerSecond((await fresh()).url, kind, count),
      })),
      { rounds, warmUps: 0 },
    )
    const samples = runs.map((run) => new Samples(run))
    const [shortest, longest] = [samples[0] as Samples, samples.at(-1) as Samples]
    const cells = [kind, ...samples.map(perSecond), ratio(longest, shortest).toString()]
    rows.push({ cells })
  }
  return {
    title: 'Steps and children of one task, per second',
    note: 'One process stores them and runs them. The last column: the longest against the shortest.',
    columns: ['what', ...counts.map((count) => count.toLocaleString('en')), 'longest to shortest'],
    rows,
  }
}

/** Copies the only row of a file until there are so many. */
function multiply(file: string, rows: number): void {
  const database = new DatabaseSync(file)
  const columns = database
    .prepare("SELECT name FROM pragma_table_info('stateward_task')")
    .all()
    .map(({ name }) => String(name))
  const values = columns.map((name) => (name === 'seq' ? 'seq + n' : name === 'id' ? "id || '-' || n" : name))
  database.exec(
    `WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < ${rows - 1})
    INSERT INTO stateward_task (${columns.join(', ')}) SELECT ${values.join(', ')} FROM stateward_task, many`,
  )
  database.close()
}
