/** What tests of the durable queue share: a queue in a file of its own, and a hand that works tasks off. */
import { onTestFinished } from 'vitest'
import type { Settlement, Verdict } from '../../src/actors/store/operations.ts'
import type { ClaimedTask } from '../../src/actors/store/task-record.ts'
import { openQueue, type Queue, type QueueOptions } from '../../src/runtime/durable/index.ts'
import { storeOf } from '../../src/runtime/durable/queue-access.ts'
import { ROOM } from '../store/store-kit.ts'
import { freshUrl } from './engine.ts'

export { freshUrl } from './engine.ts'

/** A queue that is closed with its test. */
export async function testQueue(options: Partial<QueueOptions> = {}): Promise<Queue> {
  const queue = await openQueue({ by: 'web', ...options, url: options.url ?? (await freshUrl()) })
  onTestFinished(() => queue.close())
  return queue
}

/** Takes what is due, as a daemon does. */
export async function take(queue: Queue, holder = 'daemon'): Promise<readonly ClaimedTask[]> {
  const store = storeOf(queue)
  const at = store.now()
  const { tasks } = await store.do({
    type: 'claim',
    at,
    holder,
    leaseUntil: at + 60_000,
    room: ROOM,
    limit: 1_000,
  })
  return tasks
}

/** Says what became of a task that was taken. */
export async function settle(
  queue: Queue,
  { id, fence }: Pick<ClaimedTask, 'id' | 'fence'>,
  verdict: Verdict,
): Promise<void> {
  await settleAll(queue, [{ id, fence, verdict }])
}

async function settleAll(queue: Queue, settlements: readonly Settlement[]): Promise<void> {
  const store = storeOf(queue)
  const { items } = await store.do({ type: 'settle', at: store.now(), by: 'daemon', settlements })
  const index = items.findIndex(({ kind }) => kind !== 'settled')
  if (index >= 0) throw new Error(`Task ${settlements[index]?.id} was not settled`)
}

/** Takes all that is due and ends it alike. */
export async function workOff(queue: Queue, verdict: Verdict): Promise<readonly string[]> {
  const tasks = await take(queue)
  await settleAll(
    queue,
    tasks.map(({ id, fence }) => ({ id, fence, verdict })),
  )
  return tasks.map(({ id }) => id)
}

export const done = (value: unknown): Verdict => ({
  kind: 'finished',
  result: value === undefined ? null : JSON.stringify(value),
  reason: null,
})
