/** Stored tasks that wait for longer than they may: they end at their instant, not when somebody would begin them. */
import { expect, test } from 'vitest'
import { chain, defineTask } from '../../src/index.ts'
import { all } from '../../src/task.ts'
import { heldTask, taskOf } from '../support/harness.ts'
import { enqueue, next, openPlace, records, startedDaemon } from './daemon-kit.ts'

const FULL = { supervisor: { pool: { size: 1, reserveNormal: 0 } } }

test('they end while all places are taken, and nobody has them begin', async () => {
  const { task, calls } = heldTask<number>()
  const rig = await startedDaemon([task], FULL)
  const { queue, store, supervisor, daemon } = rig
  const [first] = await enqueue(queue, task.call(1))
  await records(store, [first as string], ({ state }) => state === 'running')
  const told = next(supervisor, 'daemon.overdue')
  const waiting = await queue.enqueue(task, 2, { queueTimeoutMs: 40 })
  const failure = expect(queue.wait(waiting)).rejects.toMatchObject({
    code: 'ERR_TASK_QUEUE_TIMED_OUT',
    reason: 'queueTimeout',
    step: 'none',
  })
  await failure
  expect(await told).toMatchObject({ runId: waiting.id, state: 'terminated', reason: 'queueTimeout' })
  const [ended] = await records(store, [waiting.id])
  expect(ended).toMatchObject({ attempt: 0, holder: null, endedBy: daemon.id })
  expect((ended?.endedAt ?? 0) - (ended?.runAt ?? 0)).toBeGreaterThanOrEqual(40)
  expect((await queue.deadLetters()).tasks.map(({ id }) => id)).toEqual([waiting.id])
  expect(calls).toHaveLength(1)
  calls[0]?.resolve('done')
})

test('they end at their deadline though they are to run later, and free their keys', async () => {
  const task = taskOf<void, void>(() => {})
  const { queue, store } = await startedDaemon([task])
  const { id } = await queue.enqueue(task, undefined, { delayMs: 1e9, deadlineMs: 30, key: 'k' })
  const [ended] = await records(store, [id])
  expect(ended).toMatchObject({ state: 'terminated', reason: 'deadline' })
  expect(await queue.enqueue(task, undefined, { delayMs: 1e9, key: 'k' })).toMatchObject({ existing: false })
})

test('the limits of a definition hold as they were where it was stored, and those of a call go before them', async () => {
  const task = defineTask({ name: 'limited', queueTimeoutMs: 30, deadlineMs: 1e9 }, () => {})
  const { queue, store } = await startedDaemon([], { daemon: { unknownTasks: 'leave' } })
  const [usual, patient] = await enqueue(
    queue,
    task.call(),
    task.call(undefined, { queueTimeoutMs: Infinity }),
  )
  const other = await queue.enqueue(task, undefined, { deadlineMs: 60, queueTimeoutMs: Infinity })
  // This daemon knows none of them, and ends them all the same.
  const found = await records(store, [usual as string, other.id])
  expect(found.map(({ reason }) => reason)).toEqual(['queueTimeout', 'deadline'])
  expect((await queue.get(patient as string))?.state).toBe('queued')
})

test('steps of a chain have limits of their own, and the deadline of the whole', async () => {
  const quick = taskOf<void, void>(() => {})
  const slow = defineTask({ name: 'slow' }, () => {})
  // Nobody knows the second step; what its call says, and the chain, is known.
  const { queue, store } = await startedDaemon([quick], { daemon: { unknownTasks: 'leave' } })
  const own = await queue.enqueue(chain([quick.call(), slow.call(undefined, { queueTimeoutMs: 30 })]))
  const whole = await queue.enqueue(chain([quick.call(), slow.call()]), { deadlineMs: 1_000 })
  const found = await records(store, [own.id, whole.id])
  expect(found).toMatchObject([
    { step: 1, state: 'terminated', reason: 'queueTimeout' },
    { step: 1, state: 'terminated', reason: 'deadline' },
  ])
  expect(found[1]?.endedAt).toBeGreaterThanOrEqual((found[1]?.createdAt ?? 0) + 1_000)
})

test('calls of all() that are overdue have their parent go on', async () => {
  const { task, calls } = heldTask<number>()
  const never = defineTask({ name: 'never' }, () => {})
  const { queue, store } = await startedDaemon([task], { daemon: { unknownTasks: 'leave' } })
  const { id } = await queue.enqueue(all([task.call(1), never.call(undefined, { queueTimeoutMs: 40 })]))
  const [child] = await records(store, [`${id}.1.1`])
  expect(child).toMatchObject({ state: 'terminated', reason: 'queueTimeout' })
  calls[0]?.resolve('done')
  await expect(queue.wait(id)).rejects.toMatchObject({
    cause: { errors: [{ code: 'ERR_TASK_QUEUE_TIMED_OUT' }] },
  })
})

test('a schedule goes on after a run that was overdue', async () => {
  const task = defineTask({ name: 'nobody', queueTimeoutMs: 20 }, () => {})
  const { queue, store } = await startedDaemon([], { daemon: { unknownTasks: 'leave' } })
  await queue.schedule('often', task, undefined, { everyMs: 50, from: 'end' })
  const ended = async (): Promise<number> =>
    (await queue.list({ schedule: 'often', state: 'terminated' })).tasks.length
  const twice = Promise.withResolvers<void>()
  const unlisten = store.store.wake('news', () => void ended().then((count) => count >= 2 && twice.resolve()))
  await twice.promise
  unlisten()
})

test('without a daemon they wait on; the next one ends them at once', async () => {
  const task = taskOf<void, void>(() => {})
  const place = await openPlace()
  const ids = await enqueue(place.queue, ...[1, 2, 3].map(() => task.call(undefined, { queueTimeoutMs: 0 })))
  expect((await place.queue.counts()).queued).toBe(3)
  await startedDaemon([task], { place, ...FULL, daemon: { prefetch: 0 } })
  const found = await records(place.store, ids)
  expect(found.map(({ state, reason }) => `${state} ${reason}`)).toEqual(
    ids.map(() => 'terminated queueTimeout'),
  )
})
