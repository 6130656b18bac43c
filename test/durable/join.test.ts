/** The fan-in step by itself: what it does when its children are not what it was told. */
import { expect, test } from 'vitest'
import { CONTROL } from '../../src/actors/handler-context.ts'
import type { TaskRecord } from '../../src/actors/store/task-record.ts'
import { joinTask } from '../../src/runtime/durable/join.ts'
import { storeOf } from '../../src/runtime/durable/queue-access.ts'
import { QueueError } from '../../src/runtime/errors.ts'
import { errorOf, taskOf } from '../support/harness.ts'
import { done, settle, take, testQueue } from './queue-kit.ts'

const ctx = { snooze: (delayMs: number) => ({ [CONTROL]: 'snooze', delayMs }) } as never

test('looks again later while a child is live, since somebody has retried it', async () => {
  const queue = await testQueue()
  const child = taskOf<void>(() => 1)
  const [a, b] = await queue.enqueueMany([child.call(), child.call()])
  const read = (ids: readonly string[]): Promise<readonly (TaskRecord | undefined)[]> =>
    storeOf(queue).store.get(ids)
  const work = { ids: [a?.id as string, b?.id as string], read }
  const [first, second] = await take(queue)
  await settle(queue, first as never, done([1]))
  expect(await joinTask.handler(work, ctx)).toMatchObject({ [CONTROL]: 'snooze' })
  await settle(queue, second as never, done(undefined))
  expect(await joinTask.handler(work, ctx)).toEqual([[1], null])
  await queue.remove(a?.id as string)
  expect(await errorOf(joinTask.handler(work, ctx) as Promise<unknown>)).toMatchObject({
    name: 'AggregateError',
    errors: [{ code: 'ERR_RUN_UNKNOWN', runId: a?.id }],
  })
})

test('is tried again when the database does not answer, and for nothing else', () => {
  const { retryIf } = joinTask.options.retry ?? {}
  const away = new QueueError('The connection was lost.', { code: 'ERR_STORE_FAILED' })
  expect([retryIf?.(away, {} as never), retryIf?.(new AggregateError([]), {} as never)]).toEqual([
    true,
    false,
  ])
})
