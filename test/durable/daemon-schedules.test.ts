/** Schedules that daemons work off. */
import { expect, test } from 'vitest'
import { openQueue } from '../../src/runtime/durable/index.ts'
import { storeOf } from '../../src/runtime/durable/queue-access.ts'
import { heldTask, taskOf } from '../support/harness.ts'
import { until } from '../support/until.ts'
import { next, openPlace, records, startedDaemon, urlOf } from './daemon-kit.ts'

/** Resolves when `count` tasks of a schedule have ended. */
async function ended(store: Awaited<ReturnType<typeof openPlace>>['store'], count: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const look = async (): Promise<void> => {
    const { finished } = await store.read((open) => open.counts(store.now()))
    if (finished >= count) resolve()
  }
  const unlisten = store.store.wake('news', () => void look().catch(reject))
  await look()
  return promise.finally(unlisten)
}

test('a schedule makes its tasks by itself, one after the other', async () => {
  const tick = taskOf<string, string>((text) => text)
  const { queue, store } = await startedDaemon([tick])
  await queue.schedule('tick', tick, 'tock', { everyMs: 20 })
  await ended(store, 3)
  const { tasks } = await queue.list({ schedule: 'tick' })
  for (const { result, state } of tasks.slice(1)) expect([state, result]).toEqual(['finished', 'tock'])
  await queue.unschedule('tick')
})

test('of two daemons one makes each occurrence', async () => {
  const tick = taskOf<void, number>(() => 1)
  const place = await openPlace()
  const others = await openQueue({ url: urlOf(place.file), by: 'other' })
  const second = { file: place.file, queue: others, store: storeOf(others) }
  await startedDaemon([tick], { place })
  await startedDaemon([tick], { place: second })
  // Later than the schedule is stored, on a busy machine as well: what is due before is none of its occurrences.
  const startAt = place.store.now() + 1_500
  await place.queue.schedule('tick', tick, undefined, {
    everyMs: 30,
    startAt,
    endAt: startAt + 150,
    missed: 'all',
    overlap: 'allow',
  })
  await ended(place.store, 6)
  const { tasks } = await place.queue.list({ schedule: 'tick' })
  // Its id says which occurrence it is.
  const occurrences = tasks.map(({ id }) => id.slice(0, id.indexOf('~')))
  expect([occurrences.length, new Set(occurrences).size]).toEqual([6, 6])
  expect((await place.queue.schedules())[0]).toMatchObject({ nextAt: undefined })
  await others.close()
})

test('the next one is computed when the run has ended, and never overlaps it', async () => {
  const { task, calls } = heldTask<void>()
  const { queue, store } = await startedDaemon([task])
  await queue.schedule('slow', task, undefined, { everyMs: 10, from: 'end' })
  const runs = async (): Promise<string[]> =>
    (await queue.list({ schedule: 'slow', order: 'oldest' })).tasks.map(({ id }) => id)
  const begun = async (count: number): Promise<string[]> => {
    const { promise, resolve } = Promise.withResolvers<string[]>()
    const look = async (): Promise<void> => {
      const ids = await runs()
      if (ids.length === count && calls.length === count) resolve(ids)
    }
    const unlisten = store.store.wake('news', () => void look())
    await look()
    return promise.finally(unlisten)
  }
  const [first] = (await begun(1)) as [string]
  expect((await queue.schedules())[0]).toMatchObject({ nextAt: undefined, runId: first })
  calls[0]?.resolve('done')
  const [, second] = (await begun(2)) as [string, string]
  const [before, after] = await records(store, [first, second], () => true)
  expect(after?.createdAt).toBeGreaterThanOrEqual((before?.endedAt ?? 0) + 10)
  // One that fails is followed all the same.
  calls[1]?.reject(new Error('bad luck'))
  await begun(3)
  await queue.unschedule('slow')
})

test('a schedule of another version is left alone, and said once', async () => {
  const { store, lines, supervisor, daemon } = await startedDaemon([])
  const schedule = { name: 'new', rule: '{"moon":"full"}', call: '{}', nextAt: store.now() }
  await store.do({ type: 'schedule', at: store.now(), by: 'later', schedules: [schedule] })
  const read = async () => (await store.read((open) => open.schedules()))[0]
  await until(async () => ((await read())?.lookAt ?? 0) > store.now())
  expect(lines.filter(({ schedule: name }) => name === 'new')).toHaveLength(1)
  const stopped = next(supervisor, 'daemon.stopped')
  await daemon.stop()
  await stopped
})
