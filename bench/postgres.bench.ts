/**
 * The durable queue on PostgreSQL, where pg-boss carries the dispatch, against pg-boss driven raw in batches,
 * graphile-worker on the same server, and BullMQ on Redis (`appendfsync everysec`). The server is the one of
 * `STATEWARD_TEST_POSTGRES`, else an embedded one with its default settings; every round has a database of its own.
 *
 * Of them only ours keeps a result, a fence and a log for every task, and graphile-worker deletes what has finished.
 */
import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { EmbeddedServer } from '../test/support/embedded-postgres.ts'
import type { Place } from './engines/engine.ts'
import type { EngineName } from './engines/engines.ts'
import { startRedis } from './engines/redis.ts'
import {
  ALONE,
  type Alone,
  alone,
  flow,
  type Ground,
  IN_FLIGHT,
  perSecond,
  withSides,
} from './engines/rounds.ts'
import { at, atLeast, type Row, type Scale, type Table, type Verdict } from './harness/question.ts'
import { takeTurns } from './harness/rounds.ts'
import { figure, ratio, Samples } from './harness/samples.ts'

export const description =
  'How fast does the durable queue on PostgreSQL take and run tasks, against pg-boss, graphile-worker and BullMQ on Redis'

/** Of the throughput of pg-boss driven raw. */
const DRAIN = 0.7
const ADD = 5

interface Sizes {
  readonly tasks: readonly number[]
  readonly rounds: number
  readonly kinds: readonly Alone[]
  readonly flowMs: number
  readonly trickle: number
}

const SIZES: Record<Scale, Sizes> = {
  full: { tasks: [2_000, 10_000, 30_000], rounds: 2, kinds: ALONE, flowMs: 3_000, trickle: 200 },
  quick: { tasks: [1_000, 10_000], rounds: 1, kinds: ALONE, flowMs: 1_500, trickle: 100 },
  smoke: { tasks: [50], rounds: 1, kinds: ['drain'], flowMs: 100, trickle: 5 },
}

const ON_POSTGRES = ['stateward', 'pg-boss', 'graphile-worker'] as const
const NAMES: readonly EngineName[] = [...ON_POSTGRES, 'bullmq']

export async function run(scale: Scale): Promise<Table[]> {
  const sizes = at(scale, SIZES)
  const server = await startServer()
  const redis = await startRedis()
  const made: string[] = []
  const templates = new Map<EngineName, string>()
  const make = async (template = 'template1'): Promise<string> => {
    const name = `stateward_bench_${randomUUID().replaceAll('-', '')}`
    await query(server.url, `CREATE DATABASE ${name} TEMPLATE ${template}`)
    made.push(name)
    return name
  }
  const placeIn = (database: string): Place => {
    const url = new URL(server.url)
    url.pathname = `/${database}`
    return { url: url.href, queue: 'bench' }
  }
  const grounds: Ground[] = ON_POSTGRES.map((engine) => ({
    engine,
    // What an engine does to a fresh database is done once, and copied.
    async fresh() {
      const template = templates.get(engine) ?? (await make())
      if (!templates.has(engine)) await withSides(engine, placeIn(template), ['producer'], async () => {})
      templates.set(engine, template)
      return placeIn(await make(template))
    },
  }))
  if (redis !== undefined) {
    const { url } = redis
    grounds.push({ engine: 'bullmq', fresh: async () => ({ url, queue: `bench-${randomUUID()}` }) })
  }
  try {
    return [
      await aloneTable(grounds, sizes),
      await sustainedTable(grounds, sizes),
      await latencyTable(grounds, sizes),
    ]
  } finally {
    for (const name of made) await query(server.url, `DROP DATABASE ${name} WITH (FORCE)`)
    await server.stop()
    await redis?.stop()
  }
}

async function startServer(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const given = process.env.STATEWARD_TEST_POSTGRES
  if (given !== undefined && given !== '') return { url: given, stop: async () => {} }
  return EmbeddedServer.start()
}

async function query(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}

type Measured = ReadonlyMap<EngineName, Samples>

const cellOf = (measured: Measured, engine: EngineName): string => {
  const samples = measured.get(engine)
  return samples === undefined ? 'not measured: no redis-server' : perSecond(samples)
}

/** All engines, and how many times each of the others ours is. */
function rowOf(head: readonly string[], measured: Measured, target?: number): Row {
  const ours = measured.get('stateward') as Samples
  const times = NAMES.slice(1).map((engine) => {
    const theirs = measured.get(engine)
    return theirs === undefined ? undefined : ratio(ours, theirs)
  })
  const cells = [
    ...head,
    ...NAMES.map((engine) => cellOf(measured, engine)),
    ...times.map((samples) => samples?.toString() ?? ''),
  ]
  if (target === undefined) return { cells }
  return { cells, verdict: atLeast(times[0]?.median ?? 0, target) satisfies Verdict }
}

const COLUMNS = [
  'stateward',
  'pg-boss',
  'graphile-worker',
  'BullMQ on Redis',
  "times pg-boss's",
  "graphile-worker's",
  "BullMQ's",
]

async function measure(
  grounds: readonly Ground[],
  rounds: number,
  round: (ground: Ground) => Promise<number>,
): Promise<Measured> {
  const sides = grounds.map((ground) => ({ name: ground.engine, round: () => round(ground) }))
  const values = await takeTurns(sides, { rounds, warmUps: 0 })
  return new Map(grounds.map(({ engine }, index) => [engine, new Samples(values[index] ?? [])]))
}

const TARGETS: Partial<Record<Alone, number>> = { 'one per call': ADD, drain: DRAIN }

async function aloneTable(
  grounds: readonly Ground[],
  { tasks: sizes, rounds, kinds }: Sizes,
): Promise<Table> {
  const rows: Row[] = []
  for (const how of kinds) {
    for (const tasks of sizes) {
      // A thousand take too short to judge; one by one more would take too long.
      const [few = 0] = sizes
      if (how === 'one per call' && tasks > few) continue
      const measured = await measure(grounds, rounds, async ({ engine, fresh }) =>
        alone(engine, await fresh(), tasks, how),
      )
      const target = how === 'drain' && tasks === few && sizes.length > 1 ? undefined : TARGETS[how]
      rows.push(rowOf([how, tasks.toLocaleString('en')], measured, target))
    }
  }
  return {
    title: 'Enqueue alone and drain alone, tasks per second',
    note: `In processes that have just begun. One per call: ${IN_FLIGHT} calls in flight. Drain: from the start of the first task.`,
    columns: ['what', 'tasks', ...COLUMNS],
    rows,
  }
}

async function sustainedTable(grounds: readonly Ground[], { flowMs, rounds }: Sizes): Promise<Table> {
  const added = new Map<EngineName, number[]>()
  const done = await measure(grounds, rounds, async ({ engine, fresh }) => {
    const flown = await flow(engine, await fresh(), 1, flowMs)
    added.set(engine, [...(added.get(engine) ?? []), flown.added])
    return flown.done
  })
  const addedSamples: Measured = new Map([...added].map(([engine, values]) => [engine, new Samples(values)]))
  return {
    title: 'Sustained: enqueue and run, tasks per second',
    note: `One producer adds one task per call, ${IN_FLIGHT} calls in flight, for ${flowMs / 1000} s; what has run by then counts.`,
    columns: ['tasks', ...COLUMNS],
    rows: [rowOf(['done'], done), rowOf(['added'], addedSamples)],
  }
}

async function latencyTable(grounds: readonly Ground[], { trickle }: Sizes): Promise<Table> {
  const rows: Row[] = []
  for (const { engine, fresh } of grounds) {
    const delays = await withSides(
      engine,
      await fresh(),
      ['worker', 'producer'],
      async (worker, producer) => {
        const count = (await producer?.ask('trickle', { count: trickle, everyMs: 5 })) ?? 0
        await worker?.ask('drained', { count })
        return new Samples((await worker?.ask<number[]>('delays', {})) ?? [])
      },
    )
    const worst = Math.max(...delays.values)
    rows.push({ cells: [engine, figure(delays.median), figure(delays.quantile(0.99)), figure(worst)] })
  }
  return {
    title: 'Between processes: from enqueue to the start of the handler, ms',
    note: `${trickle} tasks, one at a time, 5 ms apart. pg-boss driven raw asks every 5 ms.`,
    columns: ['side', 'p50', 'p99', 'latest'],
    rows,
  }
}
