/**
 * From just before `submit` to the first line of the handler, on an idle supervisor with warm threads and
 * processes. The raw peers do the same with nothing in between: a microtask, `piscina.run`, a message to a
 * forked process. Instants are of the one monotonic clock that all threads and processes share.
 *
 * The sides take turns run by run. Between two runs the loop turns, so each finds everybody idle.
 */
import { setImmediate as turn } from 'node:timers/promises'
import PQueue from 'p-queue'
import { defineTask } from '../src/index.ts'
import { now } from './fixtures/raw.ts'
import { nowTask } from './fixtures/tasks.ts'
import { RawProcesses, rawThreads } from './harness/peers.ts'
import { at, type Row, type Scale, type Table } from './harness/question.ts'
import { figure, Samples } from './harness/samples.ts'
import { withSupervisor } from './harness/supervisors.ts'

export const description = 'How long from submit to the start of the handler when nothing else runs'

/** Has its handler say when it began. */
type Start = () => Promise<number>

const asyncTask = defineTask({ name: 'now, async' }, now)

export async function run(scale: Scale): Promise<Table[]> {
  const piscina = rawThreads(1)
  const children = new RawProcesses(1)
  const queue = new PQueue({ concurrency: 4 })
  const pool = { minThreads: 1, maxThreads: 1 }
  const processes = { minProcesses: 1 }
  try {
    return await withSupervisor({ pool, processes }, async (supervisor) => {
      const far = at(scale, { full: 3_000, quick: 1_000, smoke: 10 })
      const near = at(scale, { full: 20_000, quick: 5_000, smoke: 10 })
      const rows = [
        ...(await measure('in process', near, {
          stateward: () => supervisor.submit(asyncTask).result,
          'p-queue': () => queue.add(async () => now()),
          queueMicrotask: () => new Promise((resolve) => queueMicrotask(() => resolve(now()))),
        })),
        ...(await measure('thread', far, {
          stateward: () => supervisor.submit(nowTask, undefined, { execution: 'thread' }).result,
          piscina: () => piscina.run(0, { name: 'now' }),
        })),
        ...(await measure('process', far, {
          stateward: () => supervisor.submit(nowTask, undefined, { execution: 'process' }).result,
          'fork, message': () => children.run('now', 0),
        })),
      ]
      return [
        {
          title: 'Submit to handler start, idle',
          columns: [
            'where',
            'side',
            'runs',
            'p50, µs',
            'p99, µs',
            'least, µs',
            "ratio of p50 to stateward's",
          ],
          rows,
        },
      ]
    })
  } finally {
    await piscina.destroy()
    await children.close()
  }
}

async function measure(where: string, runs: number, sides: Record<string, Start>): Promise<Row[]> {
  const names = Object.keys(sides)
  const values = new Map<string, number[]>(names.map((name) => [name, []]))
  const warmUps = Math.ceil(runs / 5)
  for (let i = -warmUps; i < runs; i++) {
    for (const name of names) {
      await turn()
      const submittedAt = now()
      const startedAt = await (sides[name] as Start)()
      if (i >= 0) values.get(name)?.push(startedAt - submittedAt)
    }
  }
  const samples = new Map([...values].map(([name, measured]) => [name, new Samples(measured)]))
  const ours = samples.get('stateward') as Samples
  return [...samples].map(([name, measured]) => ({
    cells: [
      where,
      name,
      runs.toLocaleString('en'),
      figure(measured.median),
      figure(measured.quantile(0.99)),
      figure(measured.quantile(0)),
      figure(measured.median / ours.median),
    ],
  }))
}
