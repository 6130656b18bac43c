/** What docs/parity.md promises users of the Indico scheduler of the durable queue, as far as no other test shows it. */
import { expect, test } from 'vitest'
import { defineTask } from '../../src/index.ts'
import { awayPlace, enqueue, next, openPlace, records, startedDaemon } from '../durable/daemon-kit.ts'
import { deferred } from '../support/deferred.ts'
import { until } from '../support/until.ts'

const NONE = { size: 1, reserveNormal: 0, reserveHigh: 0 }

test('what is due runs the highest band first, then in the order of its time, then as it was stored', async () => {
  const ran: string[] = []
  const task = defineTask({ name: 'noted' }, (name: string) => void ran.push(name))
  const place = await openPlace()
  const at = Date.now() - 10_000
  const ids = await enqueue(
    place.queue,
    { call: task.call('late'), runAt: at + 2_000 },
    { call: task.call('early'), runAt: at },
    { call: task.call('early, stored later'), runAt: at },
    { call: task.call('low'), runAt: at - 5_000, priority: 'low' },
    { call: task.call('high'), runAt: at + 5_000, priority: 'high' },
  )
  const { store } = await startedDaemon([task], { place, supervisor: { pool: NONE } })
  await records(store, ids)
  expect(ran).toEqual(['high', 'early', 'early, stored later', 'late', 'low'])
})

test('however many are due, no more run than there are places, and the upper bands have some of their own', async () => {
  let running = 0
  let most = 0
  const gates = new Map<string, () => void>()
  const begun = deferred<void>()
  const task = defineTask({ name: 'held' }, async (name: string) => {
    running += 1
    most = Math.max(most, running)
    const gate = deferred<void>()
    gates.set(name, gate.resolve)
    if (running === 2) begun.resolve()
    await gate.promise
    running -= 1
  })
  const place = await openPlace()
  const many = Array.from({ length: 40 }, (_, index) =>
    task.call(`normal ${index}`, { runId: `normal ${index}` }),
  )
  await enqueue(place.queue, ...many)
  const pool = { size: 2, reserveNormal: 0, reserveHigh: 1 }
  const { queue, store, supervisor, daemon } = await startedDaemon([task], { place, supervisor: { pool } })
  await begun.promise
  expect([running, daemon.info().running, (await queue.counts()).running]).toEqual([2, 2, 2])

  const started = next(supervisor, 'task.started')
  await queue.enqueue(task, 'urgent', { priority: 'high', runId: 'urgent' })
  expect(await started).toMatchObject({ runId: 'urgent' })
  expect(running).toBe(3)

  supervisor.on('task.started', ({ runId }) => queueMicrotask(() => gates.get(runId)?.()))
  for (const open of gates.values()) open()
  await records(store, ['urgent', ...many.map((_, index) => `normal ${index}`)])
  expect(most).toBe(3)
})

test('a failed task that is run again is due now, and waits for its turn', async () => {
  const gate = deferred<void>()
  let isBroken = true
  const failing = defineTask({ name: 'failing' }, () => {
    if (isBroken) throw new Error('broken')
    return 'mended'
  })
  const blocking = defineTask({ name: 'blocking' }, () => gate.promise)
  const { queue, store, supervisor } = await startedDaemon([failing, blocking], {
    supervisor: { pool: NONE },
  })
  const { id } = await queue.enqueue(failing)
  await expect(queue.wait(id)).rejects.toMatchObject({ kind: 'threw' })
  isBroken = false
  const blocked = next(supervisor, 'task.started')
  await queue.enqueue(blocking)
  await blocked
  await queue.retry(id)
  expect(await queue.get(id)).toMatchObject({ state: 'queued', attempt: 0 })
  expect((await queue.get(id))?.runAt).toBeLessThanOrEqual(Date.now())
  gate.resolve()
  expect(await queue.wait(id)).toBe('mended')
  await records(store, [id])
})

test('it is running in its record before its handler begins, and its three times are kept', async () => {
  const place = await openPlace()
  const task = defineTask({ name: 'looks' }, async (_: undefined, ctx) => {
    const { state, attempt, holder, startedAt } = (await place.queue.get(ctx.runId)) ?? {}
    return { state, attempt, holder, startedAt }
  })
  const { daemon, queue } = await startedDaemon([task], { place })
  const before = Date.now()
  const queued = await queue.enqueue(task, undefined)
  const seen = await queue.wait(queued)
  expect(seen).toEqual({ state: 'running', attempt: 1, holder: daemon.id, startedAt: expect.any(Number) })
  const { createdAt = 0, startedAt = 0, endedAt = 0, ...ended } = (await queue.get(queued)) ?? {}
  expect(ended).toMatchObject({ state: 'finished', holder: daemon.id, attempt: 1 })
  expect(startedAt).toBe(seen.startedAt)
  expect([before, createdAt, startedAt, endedAt, Date.now()]).toEqual(
    [before, createdAt, startedAt, endedAt, Date.now()].sort((one, two) => one - two),
  )
})

test('follow-up work is stored with the end of its step: attempts that fail send nothing', async () => {
  const sent: string[] = []
  const notify = defineTask({ name: 'notify' }, (text: string) => {
    sent.push(text)
    return text
  })
  const work = defineTask(
    { name: 'work', retry: { attempts: 3, backoff: { initialMs: 1, jitter: 'none' } } },
    (_: undefined, ctx) => {
      if (ctx.attempt < 3) throw new Error('conflict')
      return ctx.next(notify.call(`done in attempt ${ctx.attempt}`))
    },
  )
  const { queue } = await startedDaemon([work, notify])
  const queued = await queue.enqueue(work, undefined)
  expect(await queue.wait(queued)).toBe('done in attempt 3')
  expect(sent).toEqual(['done in attempt 3'])
  expect(await queue.get(queued)).toMatchObject({ name: 'notify', step: 1, attempt: 1, state: 'finished' })
})

test('what can never succeed is tried as often as it may be, and then is a dead letter', async () => {
  let attempts = 0
  const poison = defineTask(
    { name: 'poison', retry: { attempts: 3, backoff: { initialMs: 1, jitter: 'none' } } },
    () => {
      attempts += 1
      throw new Error('never')
    },
  )
  const { queue } = await startedDaemon([poison])
  const { id } = await queue.enqueue(poison)
  await expect(queue.wait(id)).rejects.toMatchObject({ kind: 'threw' })
  expect(attempts).toBe(3)
  const { tasks } = await queue.deadLetters()
  expect(tasks).toMatchObject([
    { id, state: 'failed', reason: 'threw', attempt: 3, error: { message: 'never' } },
  ])
  expect(await queue.counts()).toMatchObject({ queued: 0, retrying: 0, failed: 1 })
})

test('an error is told to the listeners of the supervisor and to its log, with what it was about', async () => {
  const task = defineTask({ name: 'noisy' }, () => {
    throw new TypeError('no such thing')
  })
  const { queue, supervisor, lines } = await startedDaemon([task])
  const told = next(supervisor, 'task.failed')
  const { id } = await queue.enqueue(task)
  await expect(queue.wait(id)).rejects.toThrow('no such thing')
  expect(await told).toMatchObject({
    runId: id,
    name: 'noisy',
    error: { cause: { message: 'no such thing' } },
  })
  expect(lines).toContainEqual(
    expect.objectContaining({ msg: 'task.failed', runId: id, task: 'noisy', level: 50 }),
  )
})

test('what runs longer than it may is ended, torn down and recorded so', async () => {
  const torn: string[] = []
  const slow = defineTask(
    {
      name: 'slow',
      runTimeoutMs: 50,
      graceMs: 10,
      teardown: (_input, ctx, { kind }) => void torn.push(`${ctx.runId} ${kind}`),
    },
    () => new Promise<void>(() => {}),
  )
  const { queue } = await startedDaemon([slow])
  const { id } = await queue.enqueue(slow)
  await expect(queue.wait(id)).rejects.toMatchObject({ code: 'ERR_TASK_TIMED_OUT' })
  expect(await queue.get(id)).toMatchObject({ state: 'terminated', reason: 'runTimeout', attempt: 1 })
  expect(torn).toEqual([`${id} terminated`])
})

test('what loses its lease too often is ended and torn down where it runs, and recorded as awol', async () => {
  const place = await awayPlace()
  const torn: string[] = []
  const lost = defineTask(
    { name: 'lost', graceMs: 10, teardown: (_input, _ctx, { kind }) => void torn.push(kind) },
    () => new Promise<void>(() => {}),
  )
  const daemon = { leaseMs: 300, lostLimit: 0 }
  const { queue, store, supervisor } = await startedDaemon([lost], { place, daemon })
  const { id } = await queue.enqueue(lost)
  await records(store, [id], ({ state }) => state === 'running')
  const ended = next(supervisor, 'task.terminated')
  place.setAway(true)
  expect(await ended).toMatchObject({ runId: id, reason: 'awol' })
  place.setAway(false)
  await records(store, [id])
  expect(await queue.get(id)).toMatchObject({ state: 'terminated', reason: 'awol' })
  expect(torn).toEqual(['terminated'])
})

test('an occurrence whose holder is gone for good is followed by the next one', async () => {
  const place = await openPlace()
  const { queue, store } = place
  const poll = defineTask({ name: 'poll' }, () => 'polled')
  // This daemon makes the occurrences, and knows nobody to run them.
  await startedDaemon([], { place, daemon: { name: 'maker', unknownTasks: 'leave', lostLimit: 0 } })
  await queue.schedule('polling', poll, undefined, { everyMs: 50, from: 'end' })
  await until(async () => (await queue.counts()).queued === 1)
  const at = store.now()
  const room = { critical: 1, high: 1, normal: 1, low: 1 }
  const { tasks } = await store.do({ type: 'claim', holder: 'gone', at, leaseUntil: at + 20, room, limit: 1 })
  const [{ id }] = tasks as unknown as [{ id: string }]
  await records(store, [id])
  expect(await queue.get(id)).toMatchObject({ state: 'terminated', reason: 'awol', schedule: 'polling' })

  await startedDaemon([poll], { place, daemon: { name: 'runner', unknownTasks: 'leave' } })
  await until(async () => (await queue.counts()).finished > 0)
  const [following] = (await queue.list({ state: 'finished' })).tasks
  expect(following).toMatchObject({ schedule: 'polling', result: 'polled' })
  await queue.unschedule('polling')
})
