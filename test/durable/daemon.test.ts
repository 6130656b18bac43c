/** A daemon and its tasks, in one process. */
import { describe, expect, test } from 'vitest'
import { defineTask } from '../../src/index.ts'
import { createDaemon } from '../../src/runtime/durable/daemon.ts'
import { deferred, errorOf, heldTask, taskOf, thrownBy } from '../support/harness.ts'
import { turns } from '../support/turns.ts'
import { enqueue, next, openPlace, placeAround, records, startedDaemon, storeRaw } from './daemon-kit.ts'

describe('a daemon', () => {
  test('runs what is stored and stores the results', async () => {
    const double = taskOf<number, number>((n) => n * 2)
    const { queue, store, daemon } = await startedDaemon([double])
    const ids = await enqueue(queue, double.call(1), double.call(2), double.call(3))
    const ended = await records(store, ids)
    expect(ended.map(({ state, result, attempt }) => [state, result, attempt])).toEqual([
      ['finished', '2', 1],
      ['finished', '4', 1],
      ['finished', '6', 1],
    ])
    expect(ended[0]?.holder).toBe(daemon.id)
    await daemon.stop()
    expect([daemon.state, (await queue.status()).daemons]).toEqual(['stopped', []])
  })

  test('is a child of its supervisor, and is listed by the queue', async () => {
    const { supervisor, queue, daemon } = await startedDaemon([])
    expect(supervisor.which()).toMatchObject([{ path: 'daemon:default', kind: 'daemon', state: 'running' }])
    expect((await queue.status()).daemons).toMatchObject([
      { id: daemon.id, name: 'default', pid: process.pid, state: 'starting', isAlive: true },
    ])
    await supervisor.stop()
    expect([daemon.state, (await queue.status()).daemons]).toEqual(['stopped', []])
  })

  test('tries again what fails, with the attempt that is stored', async () => {
    const seen: number[] = []
    const flaky = taskOf<void>(
      (_, { attempt }) => {
        seen.push(attempt)
        if (attempt < 3) throw new Error(`attempt ${attempt}`)
        return 'ok'
      },
      { retry: { attempts: 3, backoff: { kind: 'fixed', initialMs: 1, jitter: 'none' } } },
    )
    const { queue } = await startedDaemon([flaky])
    const task = await queue.enqueue(flaky)
    expect([await queue.wait(task), seen]).toEqual(['ok', [1, 2, 3]])
    expect((await queue.log(task.id)).map(({ act }) => act)).toEqual([
      'created',
      'started',
      'attemptFailed',
      'started',
      'attemptFailed',
      'started',
      'finished',
    ])
  })

  test('stores errors with their class, message and cause', async () => {
    const bad = taskOf<void>(() => {
      throw new RangeError('too far', { cause: new Error('the map') })
    })
    const { queue } = await startedDaemon([bad])
    const { id } = await queue.enqueue(bad)
    await expect(queue.wait(id)).rejects.toMatchObject({
      code: 'ERR_TASK_THREW',
      cause: { name: 'RangeError', message: 'too far', cause: { message: 'the map' } },
    })
  })

  test('snoozes without using up an attempt', async () => {
    let calls = 0
    const sleepy = taskOf<void>((_, ctx) => {
      calls += 1
      return calls < 3 ? ctx.snooze(1) : ctx.attempt
    })
    const { queue } = await startedDaemon([sleepy])
    expect(await queue.wait(await queue.enqueue(sleepy))).toBe(1)
  })

  test('goes on with the next step under the same id', async () => {
    const last = taskOf<string, string>((text) => `${text}!`)
    const first = taskOf<string>((text, ctx) => ctx.next(last.call(`${text} there`)))
    const { queue } = await startedDaemon([first, last])
    const { id } = await queue.enqueue(first, 'who')
    expect(await queue.wait(id)).toBe('who there!')
    expect(await queue.get(id)).toMatchObject({ name: last.name, step: 1, attempt: 1, state: 'finished' })
  })

  test('ends what somebody cancels, waiting or running', async () => {
    const { task, calls } = heldTask<number>()
    const begun = deferred<void>()
    const watched = taskOf<void>((_, ctx) => {
      begun.resolve()
      return new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))
    })
    const { queue } = await startedDaemon([task, watched])
    const { id } = await queue.enqueue(watched)
    await begun.promise
    await queue.cancel(id, 'not needed')
    await expect(queue.wait(id)).rejects.toMatchObject({ code: 'ERR_TASK_CANCELLED', reason: 'not needed' })
    expect(calls).toEqual([])
  })

  test('tells how far a task is', async () => {
    const go = deferred<void>()
    const told = deferred<void>()
    const long = taskOf<number>(
      async (_, ctx) => {
        ctx.progress(140, 'nearly')
        told.resolve()
        await go.promise
      },
      { percent: (n) => n },
    )
    const { queue, store } = await startedDaemon([long])
    const { id } = await queue.enqueue(long, 40)
    await told.promise
    const [record] = await records(store, [id], ({ percent }) => percent !== null)
    expect([record?.percent, record?.note]).toEqual([100, 'nearly'])
    go.resolve()
    await queue.wait(id)
  })

  describe('keeps a task that cannot be run, as a failure with the reason', () => {
    test('of an unknown name', async () => {
      const { queue, store } = await startedDaemon([])
      const id = await storeRaw(store, { name: 'nobody' })
      await expect(queue.wait(id)).rejects.toMatchObject({ kind: 'unknownTask' })
    })

    test('of an input that is no JSON, that its schema refuses, or that is newer than the code', async () => {
      const task = defineTask<number, number>({ name: 'old', version: 2 }, (n) => n)
      const { queue, store } = await startedDaemon([task])
      const ids = [
        await storeRaw(store, { name: 'old', version: 2, input: '{' }),
        await storeRaw(store, { name: 'old', version: 3, input: '1' }),
        await storeRaw(store, { name: 'old', version: 1, input: '1', options: '{' }),
      ]
      for (const id of ids) await expect(queue.wait(id)).rejects.toMatchObject({ kind: 'invalidInput' })
      expect(await queue.wait(await queue.enqueue(task, 4))).toBe(4)
    })

    test('of a result that cannot be stored', async () => {
      const odd = taskOf<void>(() => ({ rows: [{ id: 1n }] }))
      const { queue } = await startedDaemon([odd])
      const error = await errorOf(queue.wait(await queue.enqueue(odd)))
      expect(error).toMatchObject({ kind: 'unserializable' })
      expect((error.cause as Error).message).toContain('$.rows[0].id')
    })
  })

  test('leaves unknown names to others when it is told so', async () => {
    const known = taskOf<void>(() => 'ok')
    const { queue, store } = await startedDaemon([known], { daemon: { unknownTasks: 'leave' } })
    const id = await storeRaw(store, { name: 'nobody' })
    await queue.wait(await queue.enqueue(known))
    expect((await queue.get(id))?.state).toBe('queued')
  })

  test('refuses bad options before it exists', async () => {
    const { queue } = await openPlace()
    const one = taskOf(() => 1, { name: 'same' })
    const other = taskOf(() => 2, { name: 'same' })
    const { supervisor } = await startedDaemon([])
    const making = (options: object) =>
      thrownBy(() => createDaemon({ queue, supervisor, tasks: [], ...options }))
    expect(making({ tasks: [one, other] })).toMatchObject({ code: 'ERR_TASK_NAME_TAKEN' })
    expect(making({ tasks: [{ nothing: 1 }] }).message).toContain('createDaemon().tasks[0]')
    expect(making({ tasks: one }).message).toContain('createDaemon().tasks')
    expect(making({ supervisor: {} }).message).toContain('createDaemon().supervisor')
    expect(making({ queue: {} }).message).toContain('createDaemon().queue')
    expect(making({ leaseMs: 5 }).message).toContain('createDaemon().leaseMs')
    expect(making({ name: 'a/b' }).message).toContain('createDaemon().name')
    expect(making({ keep: { gone: {} } })).toMatchObject({ code: 'ERR_OPTION_UNKNOWN' })
    expect(making({ keep: { failed: { count: -1 } } }).message).toContain('keep.failed.count')
  })
})

test('a daemon rests while what is due has no place, though a reserve of others is free', async () => {
  let commits = 0
  const place = await placeAround((commit) => (operations) => {
    commits += 1
    return commit(operations)
  })
  const gate = deferred<void>()
  const held = taskOf<number>(async () => gate.promise)
  const ids = await enqueue(place.queue, ...Array.from({ length: 6 }, (_, index) => held.call(index)))
  const pool = { size: 1, reserveNormal: 0, reserveHigh: 2 }
  const { supervisor, store } = await startedDaemon([held], { place, supervisor: { pool } })
  await records(store, [ids[0] as string], ({ state }) => state === 'running')
  // The claim that follows what the first one left.
  await turns(20)
  const before = commits
  await turns(300)
  expect(commits - before).toBeLessThan(5)

  const started = next(supervisor, 'task.started')
  const urgent = await place.queue.enqueue(held, 7, { priority: 'high' })
  expect(await started).toMatchObject({ runId: urgent.id })
  gate.resolve()
  await records(store, [...ids, urgent.id])
})
