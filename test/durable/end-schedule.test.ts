/** Schedules that come no more: since a run of them says so, or since their rule is exhausted. */
import { describe, expect, test } from 'vitest'
import type { Queue } from '../../src/runtime/durable/index.ts'
import type { QueueStore } from '../../src/runtime/durable/queue-store.ts'
import { all } from '../../src/task.ts'
import { hurried, last } from '../fixtures/durable/last-tasks.ts'
import { heldTask, taskOf } from '../support/harness.ts'
import { until } from '../support/until.ts'
import { enqueue, next, records, startedDaemon } from './daemon-kit.ts'

/** The one schedule there is. */
const read = async (queue: Queue) => (await queue.schedules())[0]
/** Nobody has to look at it any more. */
const rests = async (store: QueueStore): Promise<boolean> =>
  (await store.read((open) => open.schedules())).every(
    ({ lookAt, runId }) => lookAt === null && runId === null,
  )

describe('ctx.endSchedule', () => {
  test.each(['async', 'thread', 'process'] as const)(
    'ends it with that run, and it is kept (%s)',
    async (execution) => {
      const { queue, store, supervisor, daemon } = await startedDaemon([last])
      const heard = next(supervisor, 'schedule.ended')
      const times = { everyMs: 5, from: execution === 'async' ? 'end' : 'due' } as const
      await queue.schedule('once', last, undefined, { ...times, execution })
      const { runId, ...said } = await heard
      expect(said).toMatchObject({ daemon: daemon.name, schedule: 'once', reason: 'asked' })
      expect((await records(store, [runId as string]))[0]).toMatchObject({
        state: 'finished',
        schedule: 'once',
      })
      await until(() => rests(store))
      expect(await read(queue)).toMatchObject({ state: 'ended', nextAt: undefined, runId: undefined, times })
      const { length } = (await queue.list({ schedule: 'once' })).tasks
      // Said again, as at the start of a program, it stays so; with another rule it begins anew.
      await queue.schedule('once', last, undefined, { ...times, execution })
      expect(await read(queue)).toMatchObject({ state: 'ended' })
      expect((await queue.list({ schedule: 'once' })).tasks).toHaveLength(length)
      expect(await queue.schedule('once', last, undefined, { everyMs: 1e9, startAt: 4e12 })).toMatchObject({
        state: 'waiting',
        nextAt: 4e12,
      })
    },
  )

  test('counts when nobody waits for it, and drops what is owed', async () => {
    const { queue, store, supervisor } = await startedDaemon([hurried])
    const heard = next(supervisor, 'schedule.ended')
    const startAt = store.now() - 1_000
    await queue.schedule('many', hurried, undefined, {
      everyMs: 10,
      startAt,
      missed: 'all',
      execution: 'thread',
    })
    await heard
    await until(() => rests(store))
    expect(await read(queue)).toMatchObject({ state: 'ended' })
  })

  test('reaches the schedule of the task whose child says it', async () => {
    const { queue, store, supervisor } = await startedDaemon([last])
    const heard = next(supervisor, 'schedule.ended')
    const inner = all([last.call(undefined, { execution: 'thread' })])
    await queue.schedule('fork', all([inner]), { everyMs: 1e9 })
    const { runId } = await heard
    expect((await records(store, [runId as string]))[0]).toMatchObject({
      state: 'finished',
      schedule: 'fork',
      parent: null,
    })
    expect(await read(queue)).toMatchObject({ state: 'ended' })
  })

  test('does not end a schedule of the same name that was made later', async () => {
    const { task, calls } = heldTask<void>()
    const { queue, store } = await startedDaemon([task])
    const far = { everyMs: 1e9 }
    await queue.schedule('x', task, undefined, far)
    await until(() => calls.length === 1)
    await queue.unschedule('x')
    const old = store.now()
    await until(() => store.now() > old)
    await queue.schedule('x', task, undefined, { ...far, startAt: 4e12 })
    await calls[0]?.ctx.endSchedule()
    expect(await read(queue)).toMatchObject({ state: 'waiting', nextAt: 4e12 })
    calls[0]?.resolve('done')
  })

  test('is refused in a run that no schedule has made', async () => {
    const task = taskOf<void, unknown>(async (_, { endSchedule }) => endSchedule())
    const { queue, store, supervisor } = await startedDaemon([task, last])
    const ids = await enqueue(queue, task.call(), last.call(undefined, { execution: 'process' }))
    for (const { state, error } of await records(store, ids)) {
      expect(state).toBe('failed')
      expect(error).toContain('ERR_SCHEDULE_UNKNOWN')
    }
    await expect(supervisor.submit(task).result).rejects.toMatchObject({
      cause: { name: 'OptionError', code: 'ERR_SCHEDULE_UNKNOWN' },
    })
  })
})

test('a schedule whose rule is exhausted is ended, which is told once and seen in the log', async () => {
  const task = taskOf<void, number>(() => 1)
  const { queue, store, supervisor, lines } = await startedDaemon([task])
  const heard = next(supervisor, 'schedule.ended')
  const startAt = store.now()
  await queue.schedule('short', task, undefined, { everyMs: 20, startAt, endAt: startAt + 30 })
  expect(await heard).toMatchObject({ schedule: 'short', reason: 'exhausted', runId: undefined })
  expect(await rests(store)).toBe(true)
  expect(await read(queue)).toMatchObject({ state: 'ended', nextAt: undefined })
  expect(lines.filter(({ msg, schedule }) => msg === 'schedule.ended' && schedule === 'short')).toHaveLength(
    1,
  )
})

test('a schedule whose last run is live when its rule is exhausted is ended, and told so, with that run', async () => {
  const { task, calls } = heldTask()
  const { queue, store, supervisor, lines } = await startedDaemon([task])
  const heard = next(supervisor, 'schedule.ended')
  const startAt = store.now()
  await queue.schedule('short', task, undefined, { everyMs: 20, startAt, endAt: startAt + 30 })
  await until(() => calls.length === 1)
  // The second occurrence is dropped, since the first one runs.
  await until(async () => (await store.read((open) => open.schedules()))[0]?.nextAt === null)
  const told = () => lines.filter(({ msg, schedule }) => msg === 'schedule.ended' && schedule === 'short')
  expect(await read(queue)).toMatchObject({ state: 'running', nextAt: undefined })
  expect(told()).toHaveLength(0)
  calls[0]?.resolve(1)
  expect(await heard).toMatchObject({ schedule: 'short', reason: 'exhausted', runId: undefined })
  expect(await rests(store)).toBe(true)
  expect(await read(queue)).toMatchObject({ state: 'ended' })
  expect(told()).toHaveLength(1)
})
