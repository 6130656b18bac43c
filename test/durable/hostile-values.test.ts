/** Values of users that cannot be read: what a task has come to is stored all the same, at once. */
import { expect, test } from 'vitest'
import type { HandlerContext } from '../../src/index.ts'
import { defineTask } from '../../src/index.ts'
import { errorOf } from '../support/harness.ts'
import { startedDaemon } from './daemon-kit.ts'

const refuse = (): never => {
  throw new Error('no')
}
const without = (key: string): Error => Object.defineProperty(new Error('told'), key, { get: refuse })

test.each<[string, () => unknown]>([
  ['a message', () => without('message')],
  ['a cause', () => without('cause')],
  ['a code', () => without('code')],
  ['a stack', () => without('stack')],
  ['everything', () => new Proxy(new Error('told'), { get: refuse, getPrototypeOf: refuse })],
  ['a code that lies', () => Object.assign(without('cause'), { code: 'ERR_VALUE_NOT_STORABLE' })],
  ['a code of ours', () => Object.assign(without('cause'), { code: 'ERR_PROCESS_EXITED' })],
])('an error that does not let %s be read fails its task', async (_, make) => {
  const throws = defineTask({ name: 'throws' }, () => {
    throw make()
  })
  const retried = defineTask({ name: 'retried', retry: { attempts: 2 } }, () => {
    throw make()
  })
  const { queue } = await startedDaemon([throws, retried])
  for (const [task, attempt] of [
    [throws, 1],
    [retried, 2],
  ] as const) {
    const { id } = await queue.enqueue(task)
    await errorOf(queue.wait(id))
    expect(await queue.get(id)).toMatchObject({ state: 'failed', reason: 'threw', attempt })
    expect((await queue.get(id))?.error).toBeDefined()
  }
})

test('a result that throws an unreadable error when it is read is a failure that says so', async () => {
  const returns = defineTask({ name: 'returns' }, () =>
    Object.defineProperty({}, 'bad', {
      enumerable: true,
      get: () => {
        throw without('message')
      },
    }),
  )
  const { queue } = await startedDaemon([returns])
  const { id } = await queue.enqueue(returns)
  await errorOf(queue.wait(id))
  expect(await queue.get(id)).toMatchObject({ state: 'failed', reason: 'unserializable', attempt: 1 })
})

test('reasons and notes that are no texts are stored as texts', async () => {
  const skips = defineTask({ name: 'skips' }, (_: unknown, ctx: HandlerContext) => {
    ctx.progress(50, { done: 'half' } as never)
    return ctx.skip(Object.assign(new Error('nothing new'), { more: 1 }) as never)
  })
  const { queue, lines } = await startedDaemon([skips])
  const { id } = await queue.enqueue(skips)
  await queue.wait(id)
  expect(await queue.get(id)).toMatchObject({ state: 'finished', reason: 'Error: nothing new', attempt: 1 })
  expect(lines.filter(({ level }) => level >= 50)).toEqual([])
})

test('a run that is cancelled here for a reason that cannot be read is cancelled', async () => {
  const { promise: begun, resolve } = Promise.withResolvers<void>()
  const waits = defineTask({ name: 'waits' }, (_: unknown, ctx: HandlerContext) => {
    resolve()
    return new Promise((_resolve, reject) => {
      ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason))
    })
  })
  const { queue, supervisor } = await startedDaemon([waits])
  const { id } = await queue.enqueue(waits)
  await begun
  supervisor.get(id)?.cancel(without('message'))
  await errorOf(queue.wait(id))
  expect(await queue.get(id)).toMatchObject({ state: 'cancelled', attempt: 1 })
})
