import { describe, expect, test } from 'vitest'
import type { ClaimedTask } from '../../src/actors/store/task-record.ts'
import { fromMessageText } from '../../src/runtime/durable/daemon-message.ts'
import { storeOf } from '../../src/runtime/durable/queue-access.ts'
import { toStoredError } from '../../src/runtime/durable/stored-error.ts'
import { ManualClock } from '../../src/runtime/testing/index.ts'
import { echoTask, errorOf } from '../support/harness.ts'
import { engineInUse } from './engine.ts'
import { done, freshUrl, settle, take, testQueue, workOff } from './queue-kit.ts'

const task = echoTask<number>()
const failed = (error: unknown) => ({ kind: 'failed', error: toStoredError(error), reason: 'threw' }) as const

describe('cancel', () => {
  test('ends what waits at once, and asks the holder of what runs', async () => {
    const queue = await testQueue()
    const waiting = await queue.enqueue(task, 1, { delayMs: 1e6 })
    const running = await queue.enqueue(task, 2)
    await take(queue)
    expect([await queue.cancel(waiting, 'not needed'), await queue.cancel(running.id, 'too late')]).toEqual([
      'cancelled',
      'asked',
    ])
    expect(await queue.get(waiting)).toMatchObject({ state: 'cancelled', reason: 'not needed' })
    expect(await queue.get(running)).toMatchObject({
      state: 'running',
      endRequest: { by: 'web', reason: 'too late', replaced: false },
    })
    expect(await queue.cancel(running)).toBe('asked')
  })

  test('of one that has ended is refused', async () => {
    const queue = await testQueue()
    const queued = await queue.enqueue(task, 1)
    await workOff(queue, done(1))
    const error = await errorOf(queue.cancel(queued))
    expect(error).toMatchObject({ name: 'OptionError', code: 'ERR_RUN_STATE', runId: queued.id })
    expect(error.message).toContain('is finished: it cannot be cancelled')
  })
})

test('a task that is not there is an error, or nothing', async () => {
  const queue = await testQueue()
  const calls = [
    queue.cancel('x'),
    queue.retry('x'),
    queue.move('x', 1),
    queue.remove('x'),
    queue.wait('x'),
    queue.wait('x', { timeoutMs: 0 }),
  ]
  for (const error of await Promise.all(calls.map(errorOf)))
    expect(error).toMatchObject({ name: 'OptionError', code: 'ERR_RUN_UNKNOWN', runId: 'x' })
  expect([await queue.get('x'), await queue.log('x')]).toEqual([undefined, []])
  const wrong = [queue.get(7 as never), queue.cancel({} as never), queue.wait(''), queue.log(null as never)]
  for (const error of await Promise.all(wrong.map(errorOf)))
    expect(error).toMatchObject({ code: 'ERR_OPTION_INVALID' })
})

describe('retry', () => {
  test.each([
    ['failed', failed(new Error('x'))],
    ['terminated', { kind: 'terminated', error: null, reason: 'awol' } as const],
    ['cancelled', { kind: 'cancelled', error: null, reason: null } as const],
  ])('runs a %s one again, from its first attempt, now or later', async (state, verdict) => {
    const queue = await testQueue()
    const queued = await queue.enqueue(task, 1)
    await workOff(queue, verdict)
    expect(await queue.get(queued)).toMatchObject({ state, attempt: 1 })
    await queue.retry(queued)
    expect(await queue.get(queued)).toMatchObject({ state: 'queued', attempt: 0, endedAt: undefined })
    await workOff(queue, verdict)
    const runAt = new Date('2100-01-01')
    await queue.retry(queued, { runAt })
    expect(await queue.get(queued)).toMatchObject({ state: 'scheduled', runAt: runAt.getTime() })
  })

  test('of a live or finished one is refused, and of one whose key another live one has', async () => {
    const queue = await testQueue()
    const queued = await queue.enqueue(task, 1)
    expect(await errorOf(queue.retry(queued))).toMatchObject({ code: 'ERR_RUN_STATE' })
    await workOff(queue, done(1))
    expect(await errorOf(queue.retry(queued))).toMatchObject({ code: 'ERR_RUN_STATE' })
    const first = await queue.enqueue(task, 1, { key: 'k' })
    await workOff(queue, failed('no'))
    const second = await queue.enqueue(task, 1, { key: 'k' })
    const error = await errorOf(queue.retry(first))
    expect(error).toMatchObject({ name: 'OptionError', code: 'ERR_TASK_KEY_TAKEN' })
    expect(error.message).toContain(second.id)
    expect(await errorOf(queue.retry(first, { runAt: 'now' as never }))).toMatchObject({
      code: 'ERR_OPTION_INVALID',
    })
  })

  test('retryMany takes dead letters up again, or what a filter finds', async () => {
    const queue = await testQueue()
    await queue.enqueueMany(Array.from({ length: 1_200 }, (_, n) => task.call(n)))
    await workOff(queue, failed(new TypeError('bad')))
    await workOff(queue, failed(new TypeError('bad')))
    const cancelled = await queue.enqueue(task, 0)
    await queue.cancel(cancelled)
    const { tasks } = await queue.deadLetters({ limit: 2 })
    expect(tasks).toMatchObject([{ state: 'failed', error: { name: 'TypeError' } }, { state: 'failed' }])
    expect(await queue.retryMany({ name: 'another' })).toBe(0)
    expect(await queue.retryMany()).toBe(1_200)
    expect(await queue.retryMany({ state: 'cancelled' })).toBe(1)
    expect(await queue.counts()).toMatchObject({ queued: 1_201, failed: 0, cancelled: 0 })
    expect(await errorOf(queue.retryMany({ state: 'lost' as never }))).toMatchObject({
      code: 'ERR_OPTION_INVALID',
    })
  })
})

test('move changes when a waiting one may run, and no other', async () => {
  const queue = await testQueue()
  const queued = await queue.enqueue(task, 1)
  const later = Date.now() + 1e7
  await queue.move(queued, later)
  expect(await queue.get(queued)).toMatchObject({ state: 'scheduled', runAt: later })
  expect(await take(queue)).toEqual([])
  await queue.move(queued, new Date(0))
  expect(await take(queue)).toHaveLength(1)
  expect(await errorOf(queue.move(queued, 1))).toMatchObject({ code: 'ERR_RUN_STATE' })
  expect(await errorOf(queue.move(queued, Number.NaN))).toMatchObject({ code: 'ERR_OPTION_INVALID' })
})

test('remove forgets what does not run', async () => {
  const queue = await testQueue()
  const [a, b] = await queue.enqueueMany([task.call(1), task.call(2)])
  await queue.remove(a as { id: string })
  expect(await queue.get(a as { id: string })).toBeUndefined()
  const [taken] = await take(queue)
  expect(await errorOf(queue.remove(b as { id: string }))).toMatchObject({ code: 'ERR_RUN_STATE' })
  await settle(queue, taken as never, done(1))
  await queue.remove(b as { id: string })
  expect((await queue.list()).tasks).toEqual([])
})

test('clear forgets what waits, or what a filter finds, and says how many; never what runs', async () => {
  const queue = await testQueue()
  const running = await queue.enqueue(task, 0)
  await take(queue)
  await queue.enqueueMany(Array.from({ length: 1_500 }, (_, n) => ({ call: task.call(n), metadata: { n } })))
  await queue.enqueue(task, 1, { delayMs: 1e6 })
  expect(await queue.clear({ metadata: { n: 3 } })).toBe(1)
  expect(await queue.clear()).toBe(1_500)
  expect((await queue.list()).tasks.map(({ id }) => id)).toEqual([running.id])
  expect(await queue.clear({ state: ['running', 'finished'] })).toBe(0)
  expect(await errorOf(queue.clear({ names: ['x'] } as never))).toMatchObject({ code: 'ERR_OPTION_UNKNOWN' })
})

describe('what is no filter is refused, and nothing is forgotten or retried', () => {
  const wrong = [
    5,
    true,
    'some-id',
    null,
    [],
    () => 1,
    Symbol('x'),
    new Date(),
    new Map(),
    new (class Filter {})(),
  ]

  test.each(wrong)('%#: %o', async (filter) => {
    const queue = await testQueue()
    await queue.enqueue(task, 1)
    await workOff(queue, failed(new Error('x')))
    await queue.enqueue(task, 2)
    for (const act of ['clear', 'retryMany', 'list', 'deadLetters'] as const) {
      const error = await errorOf(queue[act](filter as never))
      expect(error).toMatchObject({ name: 'OptionError', code: 'ERR_OPTION_INVALID' })
      expect(error.message).toContain('an object of options')
    }
    expect(await queue.counts()).toMatchObject({ queued: 1, failed: 1 })
  })

  test.each(['name', 'state', 'key', 'schedule', 'metadata', 'createdBefore'])(
    'a filter by %s that is undefined does not find everything',
    async (member) => {
      const queue = await testQueue()
      await queue.enqueue(task, 1)
      const acts =
        member === 'state'
          ? (['clear', 'retryMany', 'list'] as const)
          : (['clear', 'retryMany', 'list', 'deadLetters'] as const)
      for (const act of acts) {
        const error = await errorOf(queue[act]({ [member]: undefined }))
        expect(error).toMatchObject({ name: 'OptionError', code: 'ERR_OPTION_INVALID' })
        expect(error.message).toContain(member)
      }
      expect((await queue.list({ after: undefined as never })).tasks).toHaveLength(1)
    },
  )

  test('a queued task is none; dead letters are of no other state', async () => {
    const queue = await testQueue()
    const queued = await queue.enqueue(task, 1)
    for (const asked of [
      queue.clear(queued as never),
      queue.retryMany(queued as never),
      queue.deadLetters({ state: 'queued' } as never),
    ])
      expect(await errorOf(asked)).toMatchObject({ name: 'OptionError', code: 'ERR_OPTION_UNKNOWN' })
    expect((await queue.list()).tasks).toHaveLength(1)
  })
})

describe('list', () => {
  test('finds by state, name, key, schedule, metadata and time, in pages of either order', async () => {
    const clock = new ManualClock()
    const start = clock.now()
    const queue = await testQueue({ clock })
    const other = echoTask<number>()
    await queue.enqueue(task, 1, { key: 'k', metadata: { user: 'ann', vip: true } })
    await clock.advance(10)
    await queue.enqueue(other, 2, { metadata: { user: 'bob', left: null, n: 1.5 } })
    await clock.advance(10)
    await queue.enqueue(task, 3, { delayMs: 1e6 })
    const found = async (query: object) => (await queue.list(query)).tasks.map(({ input }) => input)
    expect(await found({})).toEqual([3, 2, 1])
    expect(await found({ order: 'oldest' })).toEqual([1, 2, 3])
    expect(await found({ state: 'scheduled' })).toEqual([3])
    expect(await found({ state: ['queued', 'running'] })).toEqual([2, 1])
    expect(await found({ name: other.name })).toEqual([2])
    expect(await found({ name: [task.name, other.name] })).toEqual([3, 2, 1])
    expect(await found({ key: 'k' })).toEqual([1])
    expect(await found({ schedule: 'nightly' })).toEqual([])
    expect(await found({ metadata: { user: 'ann', vip: true } })).toEqual([1])
    expect(await found({ metadata: { left: null, n: 1.5 } })).toEqual([2])
    expect(await found({ createdFrom: start + 10, createdBefore: new Date(start + 20) })).toEqual([2])
    await workOff(queue, done(0))
    expect(await found({ endedFrom: start + 20 })).toEqual([2, 1])
    expect(await found({ endedBefore: start + 20 })).toEqual([])
    const first = await queue.list({ limit: 2 })
    expect(first.tasks.map(({ input }) => input)).toEqual([3, 2])
    const last = await queue.list({ limit: 2, after: first.next as string })
    expect([last.tasks.map(({ input }) => input), last.next]).toEqual([[1], undefined])
  })

  test.each([
    [{ state: 'created' }, 'ERR_OPTION_INVALID'],
    [{ state: ['queued', 'lost'] }, 'ERR_OPTION_INVALID'],
    [{ limit: 0 }, 'ERR_OPTION_INVALID'],
    [{ limit: 1_001 }, 'ERR_OPTION_INVALID'],
    [{ order: 'random' }, 'ERR_OPTION_INVALID'],
    [{ after: 'x' }, 'ERR_OPTION_INVALID'],
    [{ metadata: { a: {} } }, 'ERR_OPTION_INVALID'],
    [{ metadata: 'a' }, 'ERR_OPTION_INVALID'],
    [{ metadata: { a: '\0' } }, 'ERR_OPTION_INVALID'],
    [{ metadata: { 'a\ud800': 1 } }, 'ERR_OPTION_INVALID'],
    [{ createdFrom: 'today' }, 'ERR_OPTION_INVALID'],
    [{ sate: 'queued' }, 'ERR_OPTION_UNKNOWN'],
  ])('refuses %j', async (query, code) => {
    const queue = await testQueue()
    expect(await errorOf(queue.list(query as never))).toMatchObject({ name: 'OptionError', code })
  })
})

test('a task shows how far it is, when it may have ended, and what it failed with', async () => {
  const clock = new ManualClock()
  const start = clock.now()
  const queue = await testQueue({ clock })
  const { id } = await queue.enqueue(task, 1)
  await clock.advance(100)
  const [taken] = await take(queue)
  const report = async (percent: number | null, note: string | null) => {
    const { fence } = taken as { fence: number }
    await storeOf(queue).do({ type: 'progress', reports: [{ id, fence, percent, note }], at: clock.now() })
    return queue.get(id)
  }
  await clock.advance(200)
  expect(await report(4, null)).toMatchObject({
    progress: { percent: 4, note: undefined },
    estimatedEndAt: undefined,
  })
  expect(await report(20, 'a fifth')).toMatchObject({
    state: 'running',
    holder: 'daemon',
    startedAt: start + 100,
    progress: { percent: 20, note: 'a fifth' },
    estimatedEndAt: start + 100 + 1_000,
  })
  class QuotaError extends Error {
    override readonly name = 'QuotaError'
    readonly code = 'E_QUOTA'
    readonly left = 3
  }
  await settle(queue, taken as never, failed(new QuotaError('full', { cause: 'the disk' })))
  expect(await queue.get(id)).toMatchObject({
    state: 'failed',
    reason: 'threw',
    endedAt: start + 300,
    estimatedEndAt: undefined,
    error: {
      name: 'QuotaError',
      message: 'full',
      code: 'E_QUOTA',
      properties: { left: 3 },
      cause: { name: 'Thrown', message: 'the disk', properties: { value: 'the disk' } },
    },
  })
})

test('log tells who did what, in order', async () => {
  const url = await freshUrl()
  const clock = new ManualClock()
  const queue = await testQueue({ url, clock })
  const admin = await testQueue({ url, clock, by: 'admin' })
  const queued = await queue.enqueue(task, 1)
  await admin.move(queued, 1)
  const [taken] = await take(queue)
  await clock.advance(1) // two that act within one millisecond are in no order
  await settle(queue, taken as ClaimedTask, failed(new Error('x')))
  await admin.retry(queued)
  await admin.cancel(queued, 'enough')
  expect((await queue.log(queued)).map(({ act, by }) => `${by} ${act}`)).toEqual([
    'web created',
    'admin moved',
    'daemon started',
    'daemon failed',
    'admin retried',
    'admin cancelled',
  ])
})

test('doctor tells of tasks that run for nobody', async () => {
  const clock = new ManualClock()
  const queue = await testQueue({ clock })
  await queue.enqueue(task, 1)
  const room = { critical: 9, high: 9, normal: 9, low: 9 }
  const at = clock.now()
  await storeOf(queue).do({ type: 'claim', at, holder: 'dead', leaseUntil: at + 1_000, room, limit: 9 })
  expect((await queue.doctor()).problems).toEqual([])
  await clock.advance(1_001)
  expect((await queue.doctor()).problems).toEqual([
    '1 task is running whose lease is over, and no daemon is there to take it back.',
  ])
})

test('status counts what waits and runs, and tells of the daemons; shutdown tells them', async () => {
  const clock = new ManualClock()
  const queue = await testQueue({ clock })
  await queue.enqueueMany([task.call(1), task.call(2), { call: task.call(3), delayMs: 5_000 }])
  const beat = (id: string, name: string) =>
    storeOf(queue).do({
      type: 'beat',
      at: clock.now(),
      daemon: { id, name, host: 'h', pid: 7, startedAt: 1, state: 'working', counts: '{"running":1}' },
    })
  await beat('d1', 'default')
  await clock.advance(15_000)
  await beat('d2', 'mail')
  expect(await queue.status()).toMatchObject({
    engine: engineInUse(),
    waiting: 3,
    running: 0,
    counts: { queued: 3 },
    daemons: [
      {
        id: 'd1',
        name: 'default',
        host: 'h',
        pid: 7,
        beatAgeMs: 15_000,
        isAlive: false,
        counts: { running: 1 },
      },
      { id: 'd2', name: 'mail', state: 'working', beatAgeMs: 0, isAlive: true },
    ],
  })
  expect((await queue.doctor()).problems).toEqual(['Daemon d1 (pid 7 on h) gave no sign of life for 15 s.'])
  expect(await queue.shutdown('release', { daemon: 'mail' })).toBe(1)
  expect(await queue.shutdown('release', { daemon: 'nobody' })).toBe(0)
  const { message } = await beat('d2', 'mail')
  expect(fromMessageText(message as string)).toEqual({ type: 'shutdown', reason: 'release' })
  expect((await beat('d1', 'default')).message).toBeNull()
  expect(await queue.shutdown()).toBe(2)
  expect(await errorOf(queue.shutdown(''))).toMatchObject({ code: 'ERR_OPTION_INVALID' })
  expect([fromMessageText('{"type":"dance"}'), fromMessageText('{')]).toEqual([undefined, undefined])
})
