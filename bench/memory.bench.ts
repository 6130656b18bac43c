/**
 * Heap, after forced garbage collections.
 *
 * Waiting: tasks are queued before `start()` (p-queue: `autoStart: false`), so each is held in full. The
 * array in which the caller keeps promises, and the callers' AbortControllers, exist before the first
 * reading; what a signal keeps for its listener is counted.
 *
 * Ended: batches run to their end, all promises are dropped, and the heap is read after each batch. The
 * slope of a straight line through the readings is what one task leaves behind; the first batch, which
 * fills the bounded buffers (`keep`, task log), does not count.
 */
import PQueue from 'p-queue'
import { pino } from 'pino'
import { createSupervisor, defineTask, type SubmitOptions } from '../src/index.ts'
import { at, atMost, type Row, type Scale, type Table } from './harness/question.ts'
import { heapInUse, takeTurns } from './harness/rounds.ts'
import { figure, Samples } from './harness/samples.ts'
import { exactly, withSupervisor } from './harness/supervisors.ts'

export const description = 'How much heap does a queued task hold, and how much does an ended one leave'

const QUEUED_BYTES = 2048
const LEFT_BYTES = 100
const POOL = exactly(20)
/** Stopping with waiting tasks logs each of them. */
const SILENT = pino({ level: 'silent' })

const handler = async (): Promise<void> => {}
const task = defineTask({ name: 'noop' }, handler)

interface Waiting {
  readonly name: string
  readonly featured: boolean
  readonly read: boolean
}

const WAITING: readonly Waiting[] = [
  { name: 'plain, result not read', featured: false, read: false },
  { name: 'plain, result read', featured: false, read: true },
  { name: 'priority, timeout, signal; result read', featured: true, read: true },
]

export async function run(scale: Scale): Promise<Table[]> {
  const waiting: Row[] = []
  const tasks = at(scale, { full: 100_000, quick: 100_000, smoke: 200 })
  for (const load of WAITING) waiting.push(await measureWaiting(load, tasks, scale))
  return [
    {
      title: `Heap per waiting task, ${tasks.toLocaleString('en')} queued`,
      note: "p-queue always makes the promise, so its figure stands beside both of Stateward's plain ones.",
      columns: ['load', 'stateward, bytes', 'p-queue, bytes', "times p-queue's"],
      rows: waiting,
    },
    await measureEnded(scale),
  ]
}

async function measureWaiting({ name, featured, read }: Waiting, tasks: number, scale: Scale): Promise<Row> {
  const [ours, theirs] = (
    await takeTurns(
      [
        {
          name: 'stateward',
          round: async () => {
            const supervisor = createSupervisor({ pool: POOL, logger: SILENT })
            const bytes = await heapPerTask(tasks, featured, (signal, keep) => {
              const options: SubmitOptions | undefined =
                signal === undefined ? undefined : { priority: 'high', runTimeoutMs: 60_000, signal }
              const submitted = supervisor.submit(task, undefined, options)
              if (read) keep(submitted.result)
            })
            await supervisor.stop({ cancelTasks: true, wait: false })
            return bytes
          },
        },
        {
          name: 'p-queue',
          round: () => {
            const queue = new PQueue({ concurrency: 20, autoStart: false })
            return heapPerTask(tasks, featured, (signal, keep) => {
              const options = signal === undefined ? undefined : { priority: 1, timeout: 60_000, signal }
              const result = queue.add(handler, options)
              if (read) keep(result)
            })
          },
        },
      ],
      {
        rounds: at(scale, { full: 3, quick: 1, smoke: 1 }),
        warmUps: at(scale, { full: 1, quick: 0, smoke: 0 }),
      },
    )
  ).map((bytes) => new Samples(bytes)) as [Samples, Samples]
  return {
    cells: [name, ours.toString(), theirs.toString(), figure(ours.median / theirs.median)],
    verdict: atMost(ours.median, QUEUED_BYTES, 'bytes'),
  }
}

async function heapPerTask(
  tasks: number,
  featured: boolean,
  submit: (signal: AbortSignal | undefined, keep: (promise: Promise<unknown>) => void) => void,
): Promise<number> {
  const controllers = featured ? Array.from({ length: tasks }, () => new AbortController()) : []
  // A signal is made when it is first read: that is the caller's, too.
  const signals = controllers.map(({ signal }) => signal)
  const kept = new Array<Promise<unknown> | undefined>(tasks).fill(undefined)
  const before = await heapInUse()
  for (let i = 0; i < tasks; i++) {
    submit(signals[i], (promise) => {
      kept[i] = promise
    })
  }
  const after = await heapInUse()
  // Both are still needed here, so neither was collected before the reading.
  if (kept.length !== tasks || signals.length !== controllers.length) throw new Error('unreachable')
  return (after - before) / tasks
}

async function measureEnded(scale: Scale): Promise<Table> {
  const batch = at(scale, { full: 50_000, quick: 25_000, smoke: 200 })
  const batches = at(scale, { full: 11, quick: 6, smoke: 3 })
  const sides = {
    plain: undefined,
    'priority, timeout, signal': (): SubmitOptions => ({
      priority: 'high',
      runTimeoutMs: 60_000,
      signal: new AbortController().signal,
    }),
  }
  const rows: Row[] = []
  for (const [name, optionsOf] of Object.entries(sides)) {
    const readings = await withSupervisor({ pool: POOL }, async (supervisor) => {
      const heap: number[] = []
      for (let round = 0; round < batches; round++) {
        await runBatch(batch, () => supervisor.submit(task, undefined, optionsOf?.()).result)
        heap.push(await heapInUse())
      }
      return heap
    })
    const counted = readings.slice(1)
    const left = slope(counted) / batch
    const mib = counted.map((bytes) => bytes / 2 ** 20)
    rows.push({
      cells: [
        name,
        ((batches - 1) * batch).toLocaleString('en'),
        figure(mib[0] as number),
        figure(mib.at(-1) as number),
        left.toFixed(1),
      ],
      verdict: { target: `< ${LEFT_BYTES} bytes`, met: left < LEFT_BYTES },
    })
  }
  return {
    title: 'What ended tasks leave behind',
    note: `One supervisor throughout; the heap is read after every ${batch.toLocaleString('en')} tasks.`,
    columns: ['load', 'tasks', 'first reading, MiB', 'last, MiB', 'growth per task, bytes'],
    rows,
  }
}

async function runBatch(tasks: number, submit: () => Promise<unknown>): Promise<void> {
  const results: Promise<unknown>[] = []
  for (let i = 0; i < tasks; i++) results.push(submit())
  await Promise.all(results)
}

/** Of the least squares line through equidistant readings: bytes per step. */
function slope(readings: readonly number[]): number {
  const middle = (readings.length - 1) / 2
  const mean = readings.reduce((sum, reading) => sum + reading, 0) / readings.length
  let covariance = 0
  let variance = 0
  for (const [i, reading] of readings.entries()) {
    covariance += (i - middle) * (reading - mean)
    variance += (i - middle) ** 2
  }
  return covariance / variance
}
