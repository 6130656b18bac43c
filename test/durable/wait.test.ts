import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Verdict } from '../../src/actors/store/operations.ts'
import { StoreError } from '../../src/actors/store/store-error.ts'
import type { TaskRecord } from '../../src/actors/store/task-record.ts'
import { QueueWaits } from '../../src/runtime/durable/queue-waits.ts'
import { toStoredError } from '../../src/runtime/durable/stored-error.ts'
import { ManualClock } from '../../src/runtime/testing/index.ts'
import { deferred, echoTask, errorOf } from '../support/harness.ts'
import { turns } from '../support/turns.ts'
import { done, freshUrl, settle, take, testQueue, workOff } from './queue-kit.ts'

const task = echoTask<number>()
const FIXTURES = join(import.meta.dirname, '../fixtures/durable')

/** Killed with its test if it lives. */
function ended(child: ChildProcess): ChildProcess {
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

describe('wait', () => {
  test('resolves with the result: before and after the end, for all who wait', async () => {
    const queue = await testQueue()
    const queued = await queue.enqueue(task, 1)
    const waiting = [queue.wait(queued), queue.wait(queued.id), queue.wait(queued, { timeoutMs: 60_000 })]
    await workOff(queue, done({ answer: [42] }))
    expect(await Promise.all(waiting)).toEqual(Array(3).fill({ answer: [42] }))
    expect(await queue.wait(queued, { timeoutMs: 0 })).toEqual({ answer: [42] })
    const nothing = await queue.enqueue(task, 1)
    await workOff(queue, done(undefined))
    expect(await queue.wait(nothing)).toBeUndefined()
  })

  const cause = new RangeError('too far')
  const ends: [string, Verdict, object][] = [
    [
      'a failure',
      { kind: 'failed', error: toStoredError(cause), reason: 'threw' },
      { name: 'TaskFailedError', code: 'ERR_TASK_THREW', kind: 'threw', attempts: 1, cause },
    ],
    [
      'a thrown text',
      { kind: 'failed', error: toStoredError('text'), reason: 'threw' },
      { name: 'TaskFailedError', cause: 'text', message: expect.stringContaining('threw text') },
    ],
    [
      'an unknown name',
      { kind: 'failed', error: null, reason: 'unknownTask' },
      { name: 'TaskFailedError', code: 'ERR_TASK_UNKNOWN', kind: 'unknownTask' },
    ],
    [
      'a cancel',
      { kind: 'cancelled', error: null, reason: 'not needed' },
      { name: 'TaskCancelledError', code: 'ERR_TASK_CANCELLED', reason: 'not needed' },
    ],
    ...(
      [
        ['runTimeout', 'RunTimeoutError', 'ERR_TASK_TIMED_OUT'],
        ['queueTimeout', 'QueueTimeoutError', 'ERR_TASK_QUEUE_TIMED_OUT'],
        ['deadline', 'DeadlineError', 'ERR_TASK_DEADLINE_PASSED'],
        ['awol', 'TaskTerminatedError', 'ERR_TASK_TERMINATED'],
      ] as const
    ).map(([reason, name, code]): [string, Verdict, object] => [
      reason,
      { kind: 'terminated', error: null, reason },
      { name, code, reason },
    ]),
  ]

  test.each(ends)('rejects with the typed error of %s', async (_, verdict, expected) => {
    const queue = await testQueue()
    const queued = await queue.enqueue(task, 1)
    const waiting = errorOf(queue.wait(queued))
    await workOff(queue, verdict)
    for (const error of [await waiting, await errorOf(queue.wait(queued))]) {
      expect(error).toMatchObject({ ...expected, runId: queued.id, taskName: task.name })
    }
  })

  test('ends with its bound, its signal or the removal of the task; the task goes on', async () => {
    const clock = new ManualClock()
    const queue = await testQueue({ clock })
    const queued = await queue.enqueue(task, 1, { delayMs: 1e9 })
    expect(await errorOf(queue.wait(queued, { timeoutMs: 0 }))).toMatchObject({ name: 'WaitTimeoutError' })
    const controller = new AbortController()
    const aborted = errorOf(queue.wait(queued, { signal: controller.signal }))
    const bounded = errorOf(queue.wait(queued, { timeoutMs: 5_000 }))
    const far = errorOf(queue.wait(queued, { timeoutMs: 2 ** 40 }))
    controller.abort(new Error('gone home'))
    expect(await aborted).toMatchObject({ message: 'gone home' })
    expect(await errorOf(queue.wait(queued, { signal: controller.signal }))).toMatchObject({
      message: 'gone home',
    })
    await turns(20)
    await clock.advance(5_000)
    expect(await bounded).toMatchObject({
      name: 'WaitTimeoutError',
      code: 'ERR_WAIT_TIMED_OUT',
      runId: queued.id,
    })
    expect(await queue.get(queued)).toMatchObject({ state: 'scheduled' })
    await queue.remove(queued)
    expect(await far).toMatchObject({ code: 'ERR_RUN_UNKNOWN' })
    await queue.close()
    expect(clock.pending).toBe(0)
  })

  test.each([[{ timeoutMs: -1 }], [{ timeoutMs: 'long' }], [{ signal: {} }], [{ timeout: 1 }]])(
    'refuses %j',
    async (options) => {
      const queue = await testQueue()
      const { id } = await queue.enqueue(task, 1)
      expect(await errorOf(queue.wait(id, options as never))).toMatchObject({ name: 'OptionError' })
    },
  )

  test('rejects when the queue is closed, and nothing hangs', async () => {
    const queue = await testQueue()
    const queued = await queue.enqueueMany([task.call(1), task.call(2)])
    const waiting = queued.flatMap((one) => [
      errorOf(queue.wait(one)),
      errorOf(queue.wait(one, { timeoutMs: 1e6 })),
    ])
    const enqueuing = queue.enqueue(task, 3)
    await queue.close()
    for (const error of await Promise.all(waiting))
      expect(error).toMatchObject({ name: 'QueueError', code: 'ERR_STORE_CLOSED' })
    // What was asked before is answered.
    expect(await enqueuing).toMatchObject({ existing: false })
  })

  test('serves hundreds at once', async () => {
    const queue = await testQueue()
    const queued = await queue.enqueueMany(Array.from({ length: 300 }, (_, n) => task.call(n)))
    const waiting = Promise.all(queued.map((one) => queue.wait(one)))
    for (const one of await take(queue)) await settle(queue, one, done(JSON.parse(one.input as string)))
    expect(await waiting).toEqual(queued.map((_, n) => n))
  })
})

describe('waits and their store', () => {
  function setting() {
    const clock = new ManualClock()
    const listeners = new Set<() => void>()
    const reads: string[][] = []
    let answer = (): Promise<readonly (TaskRecord | undefined)[]> => Promise.resolve([])
    const waits = new QueueWaits({
      clock,
      get: (ids) => {
        reads.push([...ids])
        return answer()
      },
      wake: (_, listener) => {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
    })
    onTestFinished(() => waits.close())
    return {
      clock,
      waits,
      reads,
      listeners,
      answerWith: (next: typeof answer) => {
        answer = next
      },
      news: () => {
        for (const listener of listeners) listener()
      },
    }
  }
  const record = (state: 'running' | 'finished') => ({ state, result: '1' }) as TaskRecord

  test('news during a look lead to one more, and polls go on without news', async () => {
    const { clock, waits, reads, listeners, answerWith, news } = setting()
    const first = deferred<readonly TaskRecord[]>()
    answerWith(() => first.promise)
    const waiting = waits.wait('a', Number.POSITIVE_INFINITY, undefined)
    news()
    news()
    news()
    expect(reads).toHaveLength(1)
    answerWith(() => Promise.resolve([record('running')]))
    first.resolve([record('running')])
    await turns(5)
    expect(reads).toHaveLength(2)
    await clock.advance(1_000)
    await turns(5)
    expect(reads).toHaveLength(3)
    answerWith(() => Promise.resolve([record('finished')]))
    news()
    expect(await waiting).toBe(1)
    // It goes on listening, so that the next wait hears at once.
    expect([listeners.size, clock.pending]).toEqual([1, 0])
    news()
    expect(reads).toHaveLength(4)
    waits.close()
    expect(listeners.size).toBe(0)
  })

  test('a look at many tasks is followed by a rest, however fast news come', async () => {
    const { clock, waits, reads, answerWith, news } = setting()
    answerWith(() => Promise.resolve(Array(500).fill(record('running'))))
    const all = Array.from({ length: 1_000 }, (_, n) => errorOf(waits.wait(`${n}`, 1e6, undefined)))
    await turns(5)
    const before = reads.length
    for (let ms = 0; ms < 100; ms += 1) {
      news()
      await clock.advance(1)
    }
    await turns(5)
    expect(reads.length - before).toBe(2)
    waits.close()
    await Promise.all(all)
  })

  test('a store that is away is asked again, for a minute', async () => {
    const { clock, waits, answerWith, reads } = setting()
    answerWith(() => Promise.reject(new StoreError('ERR_STORE_BUSY', 'Others write.')))
    const outcome = errorOf(waits.wait('a', Number.POSITIVE_INFINITY, undefined))
    const bounded = errorOf(waits.wait('b', 500, undefined))
    await turns(5)
    await clock.advance(500)
    await clock.advance(500)
    await turns(5)
    expect(await bounded).toMatchObject({ name: 'WaitTimeoutError' })
    for (let second = 0; second < 61; second += 1) {
      await clock.advance(1_000)
      await turns(2)
    }
    expect(await outcome).toMatchObject({ name: 'QueueError', code: 'ERR_STORE_BUSY' })
    expect(reads.length).toBeGreaterThan(50)
    expect(clock.pending).toBe(0)
  })

  test('who comes during the last look of others is served', async () => {
    const { waits, answerWith, news, listeners } = setting()
    const first = deferred<readonly TaskRecord[]>()
    answerWith(() => first.promise)
    const controller = new AbortController()
    const gone = errorOf(waits.wait('a', Number.POSITIVE_INFINITY, controller.signal))
    controller.abort(new Error('gone'))
    await gone
    const waiting = waits.wait('b', Number.POSITIVE_INFINITY, undefined)
    expect(listeners.size).toBe(1)
    answerWith(() => Promise.resolve([record('running')]))
    first.resolve([record('finished')])
    await turns(5)
    answerWith(() => Promise.resolve([record('finished')]))
    news()
    expect(await waiting).toBe(1)
  })

  test('a store that comes back answers who waited', async () => {
    const { clock, waits, answerWith } = setting()
    answerWith(() => Promise.reject(new Error('no route')))
    const waiting = waits.wait('a', Number.POSITIVE_INFINITY, undefined)
    await turns(5)
    answerWith(() => Promise.resolve([record('finished')]))
    await clock.advance(1_000)
    expect(await waiting).toBe(1)
  })
})

describe('processes that share only the file', () => {
  test('enqueue together: each task is there once, in the order of its producer', async () => {
    const url = await freshUrl()
    const queue = await testQueue({ url })
    const told = await Promise.all(
      [1, 2].map(async () => {
        const child = ended(fork(join(FIXTURES, 'producer.ts'), [url, '150']))
        const [[ids]] = await Promise.all([once(child, 'message'), once(child, 'exit')])
        return ids as string[]
      }),
    )
    const { tasks } = await queue.list({ order: 'oldest', limit: 1_000 })
    expect(tasks).toHaveLength(300)
    for (const ids of told)
      expect(tasks.filter(({ id }) => ids.includes(id)).map(({ id, input }) => [id, input])).toEqual(
        ids.map((id, n) => [id, n]),
      )
    expect(new Set(tasks.map(({ createdBy }) => createdBy)).size).toBe(2)
  })

  test.each([
    [done([1, 2]), { value: [1, 2] }],
    [
      { kind: 'failed', error: toStoredError(new Error('no')), reason: 'threw' } as const,
      { name: 'TaskFailedError', code: 'ERR_TASK_THREW', message: expect.stringContaining('threw no') },
    ],
  ])('one hears what another did', async (verdict, heard) => {
    const url = await freshUrl()
    const queue = await testQueue({ url })
    const { id } = await queue.enqueue(task, 1)
    const child = ended(
      spawn(process.execPath, [join(FIXTURES, 'waiter.ts'), url, id], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    )
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
    expect((await lines.next()).value).toBe('waiting')
    await workOff(queue, verdict)
    expect(JSON.parse((await lines.next()).value as string)).toMatchObject(heard)
    if (child.exitCode === null) await once(child, 'exit')
    expect(child.exitCode).toBe(0)
  })
})
