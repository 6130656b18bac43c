/** `expiresAt` of stored tasks. */
import { expect, test } from 'vitest'
import { chain } from '../../src/index.ts'
import { heldTask, taskOf } from '../support/harness.ts'
import { until } from '../support/until.ts'
import { enqueue, openPlace, records, startedDaemon } from './daemon-kit.ts'

test('a task that has not begun by then fails as expired, and its handler never begins', async () => {
  const calls: string[] = []
  const task = taskOf<string, void>((text) => void calls.push(text))
  const place = await openPlace()
  const { queue, store } = place
  const past = store.now() - 1
  const [late, dated, intime] = [
    await queue.enqueue(task, 'late', { expiresAt: past }),
    await queue.enqueue(task.call('dated', { expiresAt: new Date(past) })),
    await queue.enqueue(task, 'in time', { expiresAt: past + 1e9 }),
  ]
  await startedDaemon([task], { place })
  const found = await records(store, [late.id, dated.id, intime.id])
  expect(found.map(({ state, reason }) => [state, reason])).toEqual([
    ['failed', 'expired'],
    ['failed', 'expired'],
    ['finished', null],
  ])
  await expect(queue.wait(late)).rejects.toMatchObject({ code: 'ERR_TASK_EXPIRED', kind: 'expired' })
  expect(calls).toEqual(['in time'])
})

test('one that waits for a place expires while all are taken', async () => {
  const { task, calls } = heldTask<number>()
  const { queue, store } = await startedDaemon([task], {
    supervisor: { pool: { size: 1, reserveNormal: 0 } },
  })
  const [first] = await enqueue(queue, task.call(1))
  await records(store, [first as string], ({ state }) => state === 'running')
  const expiresAt = store.now() + 60
  const second = await queue.enqueue(task, 2, { expiresAt })
  const [ended] = await records(store, [second.id])
  expect(ended).toMatchObject({ state: 'failed', reason: 'expired' })
  expect(ended?.endedAt).toBeGreaterThanOrEqual(expiresAt)
  calls[0]?.resolve('done')
  expect(calls).toHaveLength(1)
})

test('one that has begun goes on: with its next attempts, and its next steps', async () => {
  const { queue, store } = await openPlace()
  let expiresAt = 0
  const flaky = taskOf<void, string>(
    async (_, { attempt }) => {
      if (attempt > 1) return 'done'
      await until(() => store.now() > expiresAt)
      throw new Error('not yet')
    },
    { retry: { attempts: 2, backoff: { initialMs: 1 } } },
  )
  const place = { file: '', queue, store }
  await startedDaemon([flaky], { place })
  expiresAt = store.now() + 1_000
  const tried = await queue.enqueue(flaky, undefined, { expiresAt })
  const chained = await queue.enqueue(chain([flaky.call(), flaky.call()]), { expiresAt })
  for (const { state, result } of await records(store, [tried.id, chained.id]))
    expect([state, result]).toEqual(['finished', '"done"'])
})

test('a schedule has none', async () => {
  const { queue } = await openPlace()
  const task = taskOf<void, void>(() => {})
  const wrong = { everyMs: 1e6, expiresAt: 5 } as { everyMs: number }
  await expect(queue.schedule('x', task, undefined, wrong)).rejects.toMatchObject({
    code: 'ERR_OPTION_UNKNOWN',
  })
})
