/** A queue in PostgreSQL, its clients and its daemon, end to end. */
import { expect, onTestFinished, test } from 'vitest'
import { openQueue } from '../../src/runtime/durable/index.ts'
import { taskOf } from '../support/harness.ts'
import { enqueue, records, startedDaemon } from './daemon-kit.ts'
import { postgresPlace } from './postgres-place.ts'

test('runs what another client has stored, and keeps results and progress', async () => {
  const place = await postgresPlace()
  const double = taskOf<number, number>((value, { progress }) => {
    progress(50, 'half')
    return value * 2
  })
  const web = await openQueue({ url: place.file, by: 'web' })
  onTestFinished(() => web.close())
  const { store } = await startedDaemon([double], { place })
  const ids = await enqueue(web, ...Array.from({ length: 200 }, (_, value) => double.call(value)))
  const ended = await records(store, ids)
  expect(ended.map(({ result }) => result)).toEqual(ids.map((_, value) => String(value * 2)))
  expect(await web.get(ids[3] as string)).toMatchObject({ state: 'finished', result: 6, attempt: 1 })
  expect(await web.wait(ids[7] as string)).toBe(14)
})

test('tries again what has failed, and keeps what fails for good', async () => {
  const place = await postgresPlace()
  const flaky = taskOf<number, number>(
    (fails, { attempt }) => {
      if (attempt <= fails) throw new Error(`attempt ${attempt}`)
      return attempt
    },
    { retry: { attempts: 2, backoff: { kind: 'fixed', initialMs: 1, jitter: 'none' } } },
  )
  const { store, queue } = await startedDaemon([flaky], { place })
  const ids = await enqueue(queue, flaky.call(1), flaky.call(9))
  expect(await records(store, ids)).toMatchObject([
    { state: 'finished', result: '2', attempt: 2 },
    { state: 'failed', attempt: 2 },
  ])
})
