/**
 * Items per second of a queue worker against fastq and p-queue, from `put` to result. All three get everything at
 * once and give one promise per item; the handler is the same function. Behind each item of ours is a run of a task,
 * with its record in the task log, its events and its deadlines; the others call the handler.
 *
 * "Back-pressure" puts the next item only when there is room for it (ours: `await put`; theirs: what their docs
 * say, `await queue.onSizeLessThan()` and fastq's `drained` in batches), and waits for the last one.
 */
import fastq from 'fastq'
import PQueue from 'p-queue'
import { createSupervisor } from '../src/index.ts'
import { at, atLeast, type Row, type Scale, type Table } from './harness/question.ts'
import { type Cost, costs, perUnit, type RoundsOptions, takeTurns, timed } from './harness/rounds.ts'
import { ratio } from './harness/samples.ts'
import { exactly } from './harness/supervisors.ts'

export const description = 'How fast do items pass a queue worker, against fastq and p-queue'

const LAP = 2_000
const CAPACITY = 100
const handler = async (item: number): Promise<number> => item

/** One way to get all items through. */
interface Queue {
  all(items: number): Promise<unknown>
  backPressure(items: number): Promise<unknown>
}

function fast(concurrency: number): Queue {
  const queue = fastq.promise(handler, concurrency)
  return {
    all: (items) => Promise.all(Array.from({ length: items }, (_, item) => queue.push(item))),
    async backPressure(items) {
      for (let item = 0; item < items; item += 1) {
        void queue.push(item)
        if (queue.length() >= CAPACITY) await queue.drained()
      }
      await queue.drained()
    },
  }
}

function pQueue(concurrency: number): Queue {
  const queue = new PQueue({ concurrency })
  return {
    all: (items) => Promise.all(Array.from({ length: items }, (_, item) => queue.add(() => handler(item)))),
    async backPressure(items) {
      for (let item = 0; item < items; item += 1) {
        if (queue.size >= CAPACITY) await queue.onSizeLessThan(CAPACITY)
        void queue.add(() => handler(item))
      }
      await queue.onIdle()
    },
  }
}

const PLAYS = ['all', 'backPressure'] as const
const TITLES = { all: 'all at once', backPressure: `back-pressure at ${CAPACITY}` }

async function measure(
  play: (typeof PLAYS)[number],
  concurrency: number,
  items: number,
  scale: Scale,
): Promise<Row> {
  const leastMs = at(scale, { full: 300, quick: 100, smoke: 1 })
  const turns = at<RoundsOptions>(scale, {
    full: { rounds: 5, warmUps: 1 },
    quick: { rounds: 3, warmUps: 1 },
    smoke: { rounds: 1, warmUps: 0 },
  })
  const supervisor = createSupervisor({ pool: exactly(concurrency) })
  await supervisor.start()
  const worker = supervisor.workers.queue<number, number>({ name: 'all', handler, concurrency })
  const bounded = supervisor.workers.queue<number, number>({
    name: 'bounded',
    handler,
    concurrency,
    capacity: CAPACITY,
  })
  const ours: Queue = {
    all: (count) => Promise.all(Array.from({ length: count }, (_, item) => worker.run(item))),
    async backPressure(count) {
      for (let item = 1; item < count; item += 1) {
        if (!bounded.tryPut(item)) await bounded.put(item)
      }
      await bounded.run(0)
    },
  }
  const side = (name: string, queue: Queue) => ({
    name,
    round: async (): Promise<Cost> => {
      await queue[play](LAP)
      return perUnit(items, leastMs, () => timed(() => queue[play](items)))
    },
  })
  const [mine = [], fastqs = [], pQueues = []] = await takeTurns(
    [side('stateward', ours), side('fastq', fast(concurrency)), side('p-queue', pQueue(concurrency))],
    turns,
  )
  await supervisor.stop()
  const [own, one, other] = [costs(mine).wall, costs(fastqs).wall, costs(pQueues).wall]
  const overPQueue = ratio(other, own)
  return {
    cells: [
      TITLES[play],
      concurrency,
      items.toLocaleString('en'),
      own.toString(),
      one.toString(),
      other.toString(),
      ratio(one, own).toString(),
      overPQueue.toString(),
    ],
    verdict: atLeast(overPQueue.median, 1),
  }
}

export async function run(scale: Scale): Promise<Table[]> {
  const sizes = at(scale, { full: [1_000, 100_000], quick: [1_000, 20_000], smoke: [100] })
  const rows: Row[] = []
  for (const play of PLAYS) {
    for (const concurrency of [1, 20]) {
      for (const items of sizes) rows.push(await measure(play, concurrency, items, scale))
    }
  }
  return [
    {
      title: 'Items through a queue worker',
      columns: [
        'load',
        'at a time',
        'items',
        'stateward, µs per item',
        'fastq, µs per item',
        'p-queue, µs per item',
        "times fastq's throughput",
        "times p-queue's throughput",
      ],
      rows,
    },
  ]
}
