/** What docs/parity.md promises users of the openATTIC task queue of the durable one, as far as no other test shows it. */
import { expect, test } from 'vitest'
import { defineTask, type TaskDefinition } from '../../src/index.ts'
import { ManualClock } from '../../src/runtime/testing/index.ts'
import { enqueue, next, openPlace, records, startedDaemon } from '../durable/daemon-kit.ts'
import { endless, odd, where } from '../fixtures/parity/tasks.ts'
import { deferred } from '../support/deferred.ts'
import { turns } from '../support/turns.ts'
import { until } from '../support/until.ts'

/** Rejects when the signal is given. */
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))

test('a task is queued, running, and then finished, failed or cancelled; its description is its name at first', async () => {
  const gate = deferred<void>()
  const task = defineTask({ name: 'plain' }, async (isGood: boolean, ctx) => {
    await Promise.race([gate.promise, aborted(ctx.signal)])
    if (!isGood) throw new Error('bad')
    return { is: ['good'] }
  })
  const place = await openPlace()
  const { queue } = place
  const [good = '', bad = '', unwanted = ''] = await enqueue(
    queue,
    task.call(true),
    task.call(false),
    task.call(true),
  )
  expect(await queue.get(good)).toMatchObject({ state: 'queued', description: 'plain', result: undefined })
  const { store } = await startedDaemon([task], { place })
  await records(store, [good, bad, unwanted], ({ state }) => state === 'running')
  expect((await queue.list()).tasks.map(({ state }) => state)).toEqual(['running', 'running', 'running'])
  await queue.cancel(unwanted)
  await records(store, [unwanted])
  gate.resolve()
  await records(store, [good, bad])
  expect(await queue.get(good)).toMatchObject({ state: 'finished', result: { is: ['good'] } })
  expect(await queue.get(bad)).toMatchObject({ state: 'failed', reason: 'threw' })
  expect(await queue.get(unwanted)).toMatchObject({ state: 'cancelled' })
})

test('handlers are found by the name and the module of their definition, wherever they run', async () => {
  const { queue } = await startedDaemon([where, odd])
  const thread = await queue.enqueue(where, undefined, { execution: 'thread' })
  const child = await queue.enqueue(where, undefined, { execution: 'process' })
  expect(await queue.wait(thread)).toMatchObject({ pid: process.pid, isMainThread: false })
  const { pid } = await queue.wait(child)
  expect(pid).not.toBe(process.pid)
  expect(await queue.wait(await queue.enqueue(odd))).toBe('found')
})

test('a step that never lets go holds up no other task and no daemon', async () => {
  const { queue, daemon, supervisor } = await startedDaemon([endless, where])
  const seen = next(supervisor, 'task.progress')
  const { id } = await queue.enqueue(endless, undefined, { execution: 'thread', graceMs: 50 })
  await seen
  expect(await queue.wait(await queue.enqueue(where))).toMatchObject({ pid: process.pid })
  expect(daemon.state).toBe('working')
  expect(await queue.cancel(id, 'enough')).toBe('asked')
  await expect(queue.wait(id)).rejects.toMatchObject({ code: 'ERR_TASK_CANCELLED' })
})

test('an abort between or during steps keeps the record of the step that it met', async () => {
  const during = deferred<void>()
  const step: TaskDefinition<number, void> = defineTask({ name: 'step' }, async (at: number, ctx) => {
    ctx.progress(at * 10, `at ${at}`)
    if (at === 3) {
      during.resolve()
      await aborted(ctx.signal)
    }
    return ctx.next(step.call(at + 1))
  })
  const { queue, store } = await startedDaemon([step])
  const { id } = await queue.enqueue(step, 1)
  await during.promise
  expect(await queue.cancel(id, 'not needed')).toBe('asked')
  await records(store, [id])
  expect(await queue.get(id)).toMatchObject({
    state: 'cancelled',
    reason: 'not needed',
    step: 2,
    input: 3,
    progress: { percent: 30, note: 'at 3' },
  })
  expect((await queue.log(id)).map(({ act }) => act)).toContain('cancelled')

  // Between two of them it waits, and ends at once.
  const sleepy: TaskDefinition<number, void> = defineTask({ name: 'sleepy' }, (at: number, ctx) =>
    at === 1 ? ctx.next(sleepy.call(2)) : ctx.snooze(60_000),
  )
  const second = await startedDaemon([sleepy])
  const waiting = await second.queue.enqueue(sleepy, 1)
  await records(second.store, [waiting.id], ({ phase }) => phase === 'snooze')
  expect(await second.queue.cancel(waiting)).toBe('cancelled')
  expect(await second.queue.get(waiting)).toMatchObject({ state: 'cancelled', step: 1, input: 2, attempt: 0 })
})

test('an abort that races the end has one outcome, and what it was answered holds', async () => {
  const task = defineTask({ name: 'quick' }, async (count: number) => {
    await turns(count)
    return count
  })
  const { queue, store } = await startedDaemon([task])
  const ids = await enqueue(queue, ...Array.from({ length: 60 }, (_, index) => task.call(index % 5)))
  const answers = await Promise.all(
    ids.map((id) => queue.cancel(id, 'raced').catch(({ code }: { code: string }) => code)),
  )
  const ended = await records(store, ids)
  for (const [index, { id, state, result }] of ended.entries()) {
    const answer = answers[index]
    if (answer === 'cancelled') expect([id, state]).toEqual([id, 'cancelled'])
    else if (answer === 'ERR_RUN_STATE') expect([id, state]).toEqual([id, 'finished'])
    else expect([id, answer]).toEqual([id, 'asked'])
    expect(result === null).toBe(state === 'cancelled')
    const ends = (await queue.log(id)).filter(({ act }) => ['finished', 'cancelled'].includes(act))
    expect(ends.map(({ act }) => act)).toEqual([state])
  }
})

test('changing only the body of a handler is safe: what is stored runs the new one', async () => {
  const place = await openPlace()
  const old = defineTask({ name: 'same', version: 3 }, (n: number) => n + 1)
  const { id } = await place.queue.enqueue(old, 20)
  const young = defineTask({ name: 'same', version: 3 }, (n: number) => n * 2)
  const { queue } = await startedDaemon([young], { place })
  expect(await queue.wait(id)).toBe(40)
})

test('a daemon that starts forgets nothing but what is beyond its retention, by age and count', async () => {
  const place = await openPlace()
  const task = defineTask({ name: 'kept' }, (isGood: boolean) => {
    if (!isGood) throw new Error('bad')
  })
  const first = await startedDaemon([task], { place })
  const good = await enqueue(place.queue, ...Array.from({ length: 5 }, () => task.call(true)))
  const bad = await enqueue(place.queue, ...Array.from({ length: 3 }, () => task.call(false)))
  await records(first.store, [...good, ...bad])
  await first.supervisor.stop()

  const again = await startedDaemon([task], { place })
  await again.queue.wait(await again.queue.enqueue(task, true))
  expect(await place.queue.counts()).toMatchObject({ finished: 6, failed: 3 })
  await again.supervisor.stop()

  const clock = new ManualClock()
  const strict = await startedDaemon([task], {
    place,
    supervisor: { clock },
    daemon: { keep: { finished: { count: 2 }, failed: { ageMs: 0 } } },
  })
  const gone = [...good.slice(0, 4), ...bad]
  await until(async () => {
    await clock.advance(10_000)
    const { failed, finished } = await place.queue.counts()
    return failed === 0 && finished <= 2
  })
  for (const id of gone) expect(await strict.queue.get(id)).toBe(undefined)
  expect(await strict.queue.get(good[4] as string)).toMatchObject({ state: 'finished' })
})

test('the percent of a task that fails stays what it was', async () => {
  const task = defineTask({ name: 'breaks', percent: (at: number) => at }, (_: number, ctx) => {
    ctx.progress(45, 'so far')
    throw new Error('then not')
  })
  const { queue } = await startedDaemon([task])
  const { id } = await queue.enqueue(task, 10)
  await expect(queue.wait(id)).rejects.toThrow('then not')
  expect(await queue.get(id)).toMatchObject({ state: 'failed', progress: { percent: 45, note: 'so far' } })
})
