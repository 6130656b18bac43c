/** Checked by the compiler only. */
import { expectTypeOf } from 'vitest'
import { defineTask } from '../../src/index.ts'
import type { Queue, QueuedTask, Schedule } from '../../src/runtime/durable/index.ts'

declare const queue: Queue
const length = defineTask({ name: 'length' }, (text: string) => text.length)
const tick = defineTask({ name: 'tick' }, () => 'now')

export async function types(): Promise<void> {
  const queued = await queue.enqueue(length, 'abc', { priority: 'high', key: 'k' })
  expectTypeOf(queued).toEqualTypeOf<QueuedTask<number>>()
  expectTypeOf(await queue.wait(queued)).toEqualTypeOf<number>()
  expectTypeOf(await queue.wait(queued.id)).toEqualTypeOf<unknown>()
  expectTypeOf(await queue.wait<string>('id')).toEqualTypeOf<string>()
  expectTypeOf(await queue.enqueue(length.call('abc'), { delayMs: 5 })).toEqualTypeOf<QueuedTask<number>>()
  expectTypeOf(await queue.enqueue(tick)).toEqualTypeOf<QueuedTask<string>>()

  // @ts-expect-error: its input is a text
  await queue.enqueue(length, 5)
  // @ts-expect-error: its input is missing
  await queue.enqueue(length)
  // @ts-expect-error: no such option
  await queue.enqueue(length, 'abc', { prio: 'high' })
  // @ts-expect-error: a function cannot be stored
  await queue.enqueue(length, 'abc', { retry: { attempts: 2, retryIf: () => true } })

  await queue.enqueueMany([length.call('a'), { call: tick.call(), priority: 'low' }])
  // @ts-expect-error: one transaction is not for many
  await queue.enqueueMany([{ call: tick.call(), tx: {} }])

  expectTypeOf(await queue.schedule('s', length, 'abc', { everyMs: 5 })).toEqualTypeOf<Schedule>()
  await queue.schedule('s', tick.call(), { cron: '@daily', overlap: 'allow' })
  // @ts-expect-error: its input is a text
  await queue.schedule('s', length, 5, { everyMs: 5 })
  // @ts-expect-error: an occurrence has no key
  await queue.schedule('s', tick.call(), { everyMs: 5, key: 'k' })
}
