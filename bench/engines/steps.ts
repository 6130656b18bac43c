/** Tasks of many steps, and of many children, with a daemon in this process: how many of them it makes in a second. */
import { pino } from 'pino'
import { chain, createSupervisor, defineTask, type TaskCall } from '../../src/index.ts'
import { createDaemon, openQueue, type Queue } from '../../src/runtime/durable/index.ts'
import { all, next } from '../../src/task.ts'
import { CONCURRENCY } from './engine.ts'

const module = import.meta.url

const noop = defineTask({ name: 'noop', module }, (_: number) => {})
const countdown = defineTask({ name: 'countdown', module }, (n: number): unknown =>
  n <= 1 ? undefined : next(countdown.call(n - 1)),
)

const many = (count: number): TaskCall<number, void>[] =>
  Array.from({ length: count }, (_, n) => noop.call(n))

/** How each is stored and waited for. */
const KINDS = {
  'steps that go on with next': (queue: Queue, count: number) => end(queue, countdown.call(count)),
  'steps of a chain': (queue: Queue, count: number) => end(queue, chain(many(count))),
  'calls of all()': (queue: Queue, count: number) => end(queue, all(many(count))),
  'tasks of their own': async (queue: Queue, count: number) => {
    const ids = await queue.enqueueMany(many(count))
    await Promise.all(ids.map((id) => queue.wait(id)))
  },
} as const

export type StepKind = keyof typeof KINDS
export const STEP_KINDS = Object.keys(KINDS) as readonly StepKind[]

async function end<Input>(queue: Queue, call: TaskCall<Input, unknown>): Promise<void> {
  await queue.wait(await queue.enqueue(call as TaskCall))
}

/** @returns how many in a second, from before they are stored until the last one has ended */
export async function stepsPerSecond(url: string, kind: StepKind, count: number): Promise<number> {
  const queue = await openQueue({ url, migrate: true, maxInputBytes: 10_000_000 })
  const pool = { size: CONCURRENCY, reserveNormal: 0, reserveHigh: 0 }
  const supervisor = createSupervisor({ pool, logger: pino({ level: 'silent' }) })
  try {
    await supervisor.start()
    await createDaemon({ queue, supervisor, tasks: [noop, countdown] }).start()
    // Off the clock: code gets compiled.
    await KINDS[kind](queue, 20)
    const startedAt = performance.now()
    await KINDS[kind](queue, count)
    return count / ((performance.now() - startedAt) / 1000)
  } finally {
    await supervisor.stop({ wait: 5_000 })
    await queue.close()
  }
}
