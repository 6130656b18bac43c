/**
 * Thread tasks against `piscina.run` of the same function, and process tasks against a hand-written pool of
 * forked processes with one message each way (advanced serialization, one job at a time in each process).
 *
 * Both sides get all jobs at once and keep the same number of warm threads or processes busy; all promises
 * are awaited together. `steady` is the other way to use a pool: as many callers as threads, each of which
 * submits its next job when it has the result of the last.
 *
 * Threads and processes of both sides are there throughout; the side whose turn it is not lies idle.
 */
import type { TaskDefinition } from '../src/index.ts'
import { busyTask, echoTask } from './fixtures/tasks.ts'
import { type FunctionName, RawProcesses, rawThreads } from './harness/peers.ts'
import { at, atLeast, type Row, type Scale, type Table } from './harness/question.ts'
import { type Cost, costs, perUnit, takeTurns, timed } from './harness/rounds.ts'
import { ratio } from './harness/samples.ts'
import { exactly, withSupervisor } from './harness/supervisors.ts'

export const description = 'What do thread and process tasks cost over raw piscina and raw fork'

type Submit = (input: number) => Promise<unknown>

interface Work {
  readonly name: string
  readonly task: TaskDefinition<number, number>
  readonly functionName: FunctionName
  readonly jobs: Readonly<Record<Scale, number>>
}

const WORKS: readonly Work[] = [
  {
    name: '0 ms',
    task: echoTask,
    functionName: 'echo',
    jobs: { full: 5_000, quick: 2_000, smoke: 20 },
  },
  { name: '1 ms', task: busyTask, functionName: 'busy', jobs: { full: 300, quick: 150, smoke: 10 } },
]

const LOADS = {
  'all at once': (submit: Submit, jobs: number): Promise<unknown> => {
    const results: Promise<unknown>[] = []
    for (let i = 0; i < jobs; i++) results.push(submit(i))
    return Promise.all(results)
  },
  steady: (submit: Submit, jobs: number, callers: number): Promise<unknown> => {
    let left = jobs
    const caller = async (): Promise<void> => {
      while (left > 0) {
        left -= 1
        await submit(left)
      }
    }
    return Promise.all(Array.from({ length: callers }, caller))
  },
} as const
type LoadName = keyof typeof LOADS

type Costs = ReturnType<typeof costs>

interface Contest {
  readonly workers: number
  ours(work: Work): Submit
  theirs(work: Work): Submit
}

export async function run(scale: Scale): Promise<Table[]> {
  const tables: Table[] = []
  for (const threads of [2, 1]) {
    tables.push({
      title: `Thread tasks, ${threads === 1 ? '1 thread' : `${threads} threads`}, against raw piscina`,
      columns: [
        'function',
        'load',
        'jobs',
        'stateward, µs per job',
        'piscina, µs per job',
        'ratio',
        'by CPU time of the main thread',
      ],
      rows: await againstPiscina(threads, scale),
    })
  }
  tables.push({
    title: 'Process tasks, 2 processes, against raw fork',
    columns: [
      'function',
      'load',
      'jobs',
      'stateward, µs per job',
      'fork, µs per job',
      'ratio',
      'by CPU time of the main thread',
    ],
    rows: await againstFork(2, scale),
  })
  return tables
}

async function againstPiscina(threads: number, scale: Scale): Promise<Row[]> {
  const piscina = rawThreads(threads)
  const pool = { ...exactly(threads), minThreads: threads, maxThreads: threads }
  try {
    return await withSupervisor({ pool, defaults: { execution: 'thread' } }, (supervisor) => {
      const contest: Contest = {
        workers: threads,
        ours:
          ({ task }) =>
          (input) =>
            supervisor.submit(task, input).result,
        theirs: ({ functionName }) => {
          const options = { name: functionName }
          return (input) => piscina.run(input, options)
        },
      }
      return measure(contest, scale, 0.9)
    })
  } finally {
    await piscina.destroy()
  }
}

async function againstFork(count: number, scale: Scale): Promise<Row[]> {
  const raw = new RawProcesses(count)
  const processes = { ...exactly(count), minProcesses: count }
  try {
    return await withSupervisor({ processes, defaults: { execution: 'process' } }, (supervisor) => {
      const contest: Contest = {
        workers: count,
        ours:
          ({ task }) =>
          (input) =>
            supervisor.submit(task, input).result,
        theirs:
          ({ functionName }) =>
          (input) =>
            raw.run(functionName, input),
      }
      return measure(contest, scale)
    })
  } finally {
    await raw.close()
  }
}

async function measure(contest: Contest, scale: Scale, target?: number): Promise<Row[]> {
  const rows: Row[] = []
  for (const work of WORKS) {
    for (const load of Object.keys(LOADS) as LoadName[]) {
      const [ours, theirs] = (await measureOne(contest, work, load, scale)) as [Costs, Costs]
      const gained = ratio(theirs.wall, ours.wall)
      const cells = [
        work.name,
        load,
        work.jobs[scale],
        ours.wall.toString(),
        theirs.wall.toString(),
        gained.toString(),
        ratio(theirs.cpu, ours.cpu).toString(),
      ]
      rows.push(target === undefined ? { cells } : { cells, verdict: atLeast(gained.median, target) })
    }
  }
  return rows
}

async function measureOne(
  { workers, ours, theirs }: Contest,
  work: Work,
  load: LoadName,
  scale: Scale,
): Promise<Costs[]> {
  const jobs = work.jobs[scale]
  const leastMs = at(scale, { full: 300, quick: 100, smoke: 1 })
  const round = (submit: Submit) => (): Promise<Cost> =>
    perUnit(jobs, leastMs, () => timed(() => LOADS[load](submit, jobs, workers)))
  const samples = await takeTurns(
    [
      { name: 'stateward', round: round(ours(work)) },
      { name: 'raw', round: round(theirs(work)) },
    ],
    {
      rounds: at(scale, { full: 9, quick: 2, smoke: 1 }),
      warmUps: at(scale, { full: 2, quick: 1, smoke: 1 }),
    },
  )
  return samples.map(costs)
}
