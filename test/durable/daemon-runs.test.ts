/** How a daemon's supervisor runs durable tasks: admission, deadlines, executions, handlers that behave badly. */
import { describe, expect, test } from 'vitest'
import { exits, noop } from '../fixtures/durable/daemon-tasks.ts'
import { heldTask, slots, taskOf } from '../support/harness.ts'
import { until } from '../support/until.ts'
import { enqueue, next, openPlace, records, startedDaemon, storeRaw } from './daemon-kit.ts'

const isRunning = ({ state }: { readonly state: string }): boolean => state === 'running'

describe('admission', () => {
  test('takes no more than the pool has places for, the most urgent first', async () => {
    const order: string[] = []
    const { task, calls } = heldTask<void>()
    const note = taskOf<string>((text) => void order.push(text))
    const { queue, store, daemon } = await startedDaemon([task, note], { supervisor: slots(1) })
    const { id } = await queue.enqueue(task)
    await records(store, [id], isRunning)
    const low = await queue.enqueue(note, 'low', { priority: 'low' })
    const high = await queue.enqueue(note, 'high', { priority: 'high' })
    const normal = await queue.enqueue(note, 'normal')
    expect(daemon.info().held).toBe(1)
    calls[0]?.resolve()
    for (const one of [low, high, normal]) await queue.wait(one)
    expect(order).toEqual(['high', 'normal', 'low'])
  })

  test('a reserve is there for higher bands, and critical tasks run at once, also when a daemon is full', async () => {
    const { task, calls } = heldTask<string>()
    const pool = { size: 1, reserveNormal: 0, reserveHigh: 1 }
    const { queue, store } = await startedDaemon([task], { supervisor: { pool } })
    const of = async (input: string, priority: 'normal' | 'high' | 'critical'): Promise<string> =>
      (await queue.enqueue(task, input, { priority })).id
    const first = await of('first', 'normal')
    await records(store, [first], isRunning)
    const waiting = await of('waiting', 'normal')
    for (const band of ['high', 'critical'] as const) await records(store, [await of(band, band)], isRunning)
    await until(() => calls.length === 3)
    expect(calls.map(({ input }) => input)).toEqual(['first', 'high', 'critical'])
    expect((await queue.get(waiting))?.state).toBe('queued')
    for (const call of calls) call.resolve()
    await records(store, [waiting], isRunning)
    await until(() => calls.length === 4)
    calls[3]?.resolve()
    await queue.wait(waiting)
  })

  test('follows a resize, a pause and a resume', async () => {
    const { task, calls } = heldTask<number>()
    const { queue, store, supervisor } = await startedDaemon([task], { supervisor: slots(1) })
    const ids = await enqueue(queue, task.call(1), task.call(2), task.call(3))
    await until(() => calls.length === 1)
    supervisor.resize({ pool: { size: 2 } })
    await until(() => calls.length === 2)
    supervisor.pause()
    for (const call of calls) call.resolve()
    await records(store, ids.slice(0, 2))
    expect((await queue.get(ids[2] as string))?.state).toBe('queued')
    supervisor.resume()
    await until(() => calls.length === 3)
    calls[2]?.resolve()
    await records(store, ids)
  })

  test('a full pool of processes keeps no other task waiting, and unknown names fail beside it', async () => {
    const waits = taskOf<void>(() => {}, { execution: 'process', module: import.meta.url })
    const processes = { size: 1, reserveNormal: 0, reserveHigh: 0 }
    const { queue, store, daemon, supervisor } = await startedDaemon([exits, noop, waits], {
      supervisor: { processes },
    })
    // Somebody else's run has the only process.
    const other = supervisor.submit(exits, 0, { delayMs: 60_000 })
    const busy = supervisor.submit(waits)
    const [held] = await enqueue(queue, exits.call(1))
    const quick = await queue.enqueue(noop, 7)
    const strange = await storeRaw(store, { name: 'nobody' })
    expect(await queue.wait(quick)).toBe(7)
    await expect(queue.wait(strange)).rejects.toMatchObject({ kind: 'unknownTask' })
    await busy.result.catch(() => {})
    await expect(queue.wait(held as string)).rejects.toMatchObject({ kind: 'crashed' })
    other.cancel()
    await other.result.catch(() => {})
    expect(daemon.info().counts).toMatchObject({ finished: 1, failed: 2 })
  })
})

describe('deadlines', () => {
  test('count from when a task was stored, and from when it was due', async () => {
    const late = taskOf<void>(() => 'too late', { deadlineMs: 50 })
    const lazy = taskOf<void>(() => 'too late', { queueTimeoutMs: 50 })
    const place = await openPlace()
    const ids = await enqueue(place.queue, late.call(), lazy.call())
    const due = place.store.now() + 60
    await until(() => place.store.now() > due)
    const { queue } = await startedDaemon([late, lazy], { place })
    await expect(queue.wait(ids[0] as string)).rejects.toMatchObject({ code: 'ERR_TASK_DEADLINE_PASSED' })
    await expect(queue.wait(ids[1] as string)).rejects.toMatchObject({ code: 'ERR_TASK_QUEUE_TIMED_OUT' })
  })

  test('a run that is too long is tried again, then terminated', async () => {
    const { task } = heldTask<void>({
      runTimeoutMs: 20,
      retry: { attempts: 2, backoff: { kind: 'fixed', initialMs: 1, jitter: 'none' } },
    })
    const { queue } = await startedDaemon([task])
    const { id } = await queue.enqueue(task)
    await expect(queue.wait(id)).rejects.toMatchObject({ code: 'ERR_TASK_TIMED_OUT' })
    expect(await queue.get(id)).toMatchObject({ attempt: 2, reason: 'runTimeout' })
    expect((await queue.log(id)).map(({ act }) => act)).toEqual([
      ...['created', 'started', 'attemptFailed', 'started', 'terminated'],
    ])
  })
})

describe('handlers that behave badly', () => {
  test('throw what is no error, or something that cannot be stored', async () => {
    const odd = taskOf<void>(() => {
      throw { size: 1n, self: globalThis }
    })
    const { queue } = await startedDaemon([odd])
    await expect(queue.wait(await queue.enqueue(odd))).rejects.toMatchObject({ code: 'ERR_TASK_THREW' })
  })

  test('end the process that they run in: the task fails, the daemon goes on', async () => {
    const { queue, daemon } = await startedDaemon([exits, noop])
    await expect(queue.wait(await queue.enqueue(exits, 3))).rejects.toMatchObject({ kind: 'crashed' })
    expect([await queue.wait(await queue.enqueue(noop, 1)), daemon.state]).toEqual([1, 'working'])
  })

  test('lose their lease again and again: the task is terminated, and may be retried by hand', async () => {
    const { task, calls } = heldTask<void>()
    const { queue, store, supervisor } = await startedDaemon([task], { daemon: { lostLimit: 1 } })
    const { id } = await queue.enqueue(task)
    for (const attempt of [1, 2]) {
      await records(store, [id], (record) => record.state === 'running' && record.attempt === attempt)
      await until(() => calls.length === attempt)
      const over = next(supervisor, 'daemon.fenced')
      await store.do({ type: 'reclaim', at: store.now() + 60_000, by: 'other', lostLimit: 1, limit: 10 })
      calls[attempt - 1]?.resolve()
      await over
      // A lease that is taken back comes back at the instant that its taker was told.
      if (attempt === 1) await queue.move(id, store.now())
    }
    await expect(queue.wait(id)).rejects.toMatchObject({ code: 'ERR_TASK_TERMINATED', reason: 'awol' })
    await queue.retry(id)
    await until(() => calls.length === 3)
    calls[2]?.resolve('at last')
    expect(await queue.wait(id)).toBe('at last')
  })
})

test('what is old, or beyond the count, is forgotten', async () => {
  const echo = taskOf<number, number>((n) => n)
  const { queue } = await startedDaemon([echo], { daemon: { keep: { finished: { count: 2 } } } })
  const ids = await enqueue(queue, echo.call(1), echo.call(2), echo.call(3))
  for (const id of ids) await queue.wait(id)
  await until(async () => (await queue.counts()).finished === 2)
  expect(await queue.get(ids[0] as string)).toBeUndefined()
}, 30_000)
