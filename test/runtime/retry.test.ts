import { describe, expect, test } from 'vitest'
import type { RetryFacts } from '../../src/index.ts'
import { errorOf, heldTask, slots, startedSupervisor, taskOf, turns } from '../support/harness.ts'

const fixed = (initialMs: number) => ({ kind: 'fixed', initialMs, jitter: 'none' }) as const

describe('retry', () => {
  test('makes as many attempts as it says in all, and fails with the last error', async () => {
    const { supervisor, clock, of, story } = await startedSupervisor()
    let calls = 0
    const task = taskOf(
      (_, ctx) => {
        calls += 1
        throw new Error(`attempt ${ctx.attempt}`)
      },
      { retry: { attempts: 3, backoff: fixed(100) } },
    )
    const run = supervisor.submit(task)
    await clock.advance(199)
    expect([calls, run.state, run.attempt]).toEqual([2, 'retrying', 2])
    await clock.advance(1)
    const error = await errorOf(run.result)
    expect(error).toMatchObject({ code: 'ERR_TASK_THREW', kind: 'threw', attempts: 3 })
    expect((error.cause as Error).message).toBe('attempt 3')
    expect(calls).toBe(3)
    expect(story(run).filter((name) => name === 'retrying')).toHaveLength(2)
    expect(of('task.retrying')[0]).toMatchObject({
      delayMs: 100,
      attempt: 1,
      state: 'retrying',
      error: new Error('attempt 1'),
    })
    expect(of('task.failed')).toHaveLength(1)
  })

  test('is off by default', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls } = heldTask()
    const run = supervisor.submit(task)
    await turns()
    calls[0]!.reject(new Error('no'))
    expect(await errorOf(run.result)).toMatchObject({ attempts: 1 })
  })

  test('holds no slot while it waits, and re-enters the tail of its band', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const { task, calls, inputs } = heldTask<string>({ retry: { attempts: 2, backoff: fixed(0) } })
    supervisor.submit(task, 'a')
    supervisor.submit(task, 'b')
    supervisor.submit(task, 'c')
    await turns()
    calls[0]!.reject(new Error('again'))
    await clock.advance(0)
    calls[1]!.resolve()
    await turns()
    calls[2]!.resolve()
    await turns()
    expect(inputs()).toEqual(['a', 'b', 'c', 'a'])
  })

  test('waits as its backoff says, with chance from the supervisor', async () => {
    const { supervisor, clock, of } = await startedSupervisor({ random: () => 0.5 })
    const backoff = { kind: 'exponential', initialMs: 100, factor: 3, maxMs: 500, jitter: 'full' } as const
    const task = taskOf(() => Promise.reject(new Error('no')), { retry: { attempts: 4, backoff } })
    const run = supervisor.submit(task)
    await clock.advance(1_000)
    expect(run.state).toBe('failed')
    expect(of('task.retrying').map(({ delayMs }) => delayMs)).toEqual([50, 150, 250])
  })

  test('asks retryIf with the error and the facts, and stops when it says no or throws', async () => {
    const { supervisor, clock, lines } = await startedSupervisor()
    const asked: [unknown, RetryFacts][] = []
    const no = taskOf(() => Promise.reject(new TypeError('x')), {
      retry: {
        attempts: 5,
        backoff: fixed(1),
        retryIf(error, facts) {
          asked.push([error, facts])
          return facts.attempt < 2
        },
      },
    })
    const first = supervisor.submit(no)
    await clock.advance(10)
    expect(asked).toEqual([
      [new TypeError('x'), { kind: 'threw', attempt: 1 }],
      [new TypeError('x'), { kind: 'threw', attempt: 2 }],
    ])
    expect(first.attempt).toBe(2)
    const broken = taskOf(() => Promise.reject(new Error('task')), {
      retry: {
        attempts: 5,
        retryIf() {
          throw new Error('retryIf is broken')
        },
      },
    })
    const second = supervisor.submit(broken)
    expect(await errorOf(second.result)).toMatchObject({ attempts: 1, cause: new Error('task') })
    expect(lines.some(({ msg, runId }) => /retryIf threw/.test(msg) && runId === second.id)).toBe(true)
  })

  test('follows a run timeout without asking retryIf', async () => {
    const { supervisor, clock, of } = await startedSupervisor()
    const { task, calls } = heldTask({
      runTimeoutMs: 100,
      retry: { attempts: 2, backoff: fixed(50), retryIf: () => false },
    })
    const run = supervisor.submit(task)
    await clock.advance(100)
    expect(run.state).toBe('retrying')
    expect(of('task.retrying')[0]).toMatchObject({ delayMs: 50, error: 'runTimeout' })
    await clock.advance(50)
    calls[1]!.resolve('second')
    await expect(run.result).resolves.toBe('second')
    expect(run.step).toBe('none')
  })

  test('ends with the run timeout of the last attempt', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task } = heldTask({ runTimeoutMs: 100, retry: { attempts: 2, backoff: fixed(0) } })
    const run = supervisor.submit(task)
    await clock.advance(200)
    expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_TIMED_OUT' })
    expect(run.attempt).toBe(2)
  })

  test('is not made of a handler that was given up: it may still run', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task, calls } = heldTask({ deaf: true, graceMs: 10, runTimeoutMs: 100, retry: { attempts: 3 } })
    const run = supervisor.submit(task)
    await clock.advance(60_000)
    expect([run.state, run.step, calls.length]).toEqual(['terminated', 'abandon', 1])
  })

  test('is not made after a cancel, a deadline, an expiry, a queue timeout or a refused input', async () => {
    const { supervisor, clock, of } = await startedSupervisor(slots(1))
    const retry = { attempts: 5, backoff: fixed(0) }
    const { task } = heldTask({ retry })
    const schema = {
      '~standard': {
        version: 1 as const,
        vendor: 'test',
        validate: async (): Promise<never> => ({ issues: [{ message: 'never' }] }) as never,
      },
    }
    const refused = supervisor.submit(taskOf(() => 1, { retry, schema }) as never, 1 as never)
    await turns(2)
    expect(await errorOf(refused.result)).toMatchObject({
      kind: 'invalidInput',
      code: 'ERR_TASK_INPUT_INVALID',
    })
    const cancelled = supervisor.submit(task)
    await turns()
    cancelled.cancel()
    await turns()
    const dead = supervisor.submit(task, undefined, { deadlineMs: 10 })
    supervisor.submit(task, undefined, { expiresAt: clock.now() + 5 })
    supervisor.submit(task, undefined, { queueTimeoutMs: 5 })
    await clock.advance(1_000)
    expect([cancelled.state, dead.state]).toEqual(['cancelled', 'terminated'])
    expect(of('task.retrying')).toEqual([])
  })

  test('can be cancelled while it waits', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const task = taskOf(() => Promise.reject(new Error('x')), { retry: { attempts: 2, backoff: fixed(100) } })
    const run = supervisor.submit(task)
    await clock.advance(10)
    expect(run.state).toBe('retrying')
    expect(run.cancel('enough')).toBe(true)
    expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_CANCELLED', step: 'none' })
    expect(clock.pending).toBe(0)
  })

  test('keeps the run time to that of the last attempt', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task, calls } = heldTask({ retry: { attempts: 2, backoff: fixed(1_000) } })
    const run = supervisor.submit(task)
    await clock.advance(30)
    calls[0]!.reject(new Error('x'))
    await clock.advance(400)
    run.cancel()
    expect(run.runMs).toBe(30)
    expect(supervisor.records({ runId: run.id, action: 'terminate' })[0]).toMatchObject({ runtimeMs: 30 })
  })
})

describe('ctx.snooze', () => {
  test('runs again later without using an attempt or a slot', async () => {
    const { supervisor, clock, of, story } = await startedSupervisor(slots(1))
    const attempts: number[] = []
    const task = taskOf<void, unknown>((_, ctx) => {
      attempts.push(ctx.attempt)
      return attempts.length < 4 ? ctx.snooze(100) : 'awake'
    })
    const run = supervisor.submit(task)
    await turns()
    expect([run.state, run.attempt]).toEqual(['snoozed', 0])
    expect(supervisor.info().pool.active).toBe(0)
    await clock.advance(300)
    await expect(run.result).resolves.toBe('awake')
    expect(attempts).toEqual([1, 1, 1, 1])
    expect(of('task.snoozed').map(({ delayMs }) => delayMs)).toEqual([100, 100, 100])
    expect(story(run).slice(0, 6)).toEqual(['created', 'queued', 'admitted', 'started', 'snoozed', 'queued'])
  })

  test('leaves the attempts that retry has', async () => {
    const { supervisor, clock } = await startedSupervisor()
    let calls = 0
    const task = taskOf<void, unknown>(
      (_, ctx) => {
        calls += 1
        if (calls < 3) return ctx.snooze(0)
        throw new Error('now')
      },
      { retry: { attempts: 2, backoff: fixed(0) } },
    )
    const run = supervisor.submit(task)
    await clock.advance(10)
    expect(await errorOf(run.result)).toMatchObject({ attempts: 2 })
    expect(calls).toBe(4)
  })

  test.each([[-1], [Number.NaN], [Infinity]])('of %d ms is an error of the handler', async (delayMs) => {
    const { supervisor } = await startedSupervisor()
    const run = supervisor.submit(taskOf<void, unknown>((_, ctx) => ctx.snooze(delayMs)))
    const error = await errorOf(run.result)
    expect(error).toMatchObject({ code: 'ERR_TASK_THREW' })
    expect(error.cause).toBeInstanceOf(RangeError)
  })

  test('can be cancelled while it sleeps', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const run = supervisor.submit(taskOf<void, unknown>((_, ctx) => ctx.snooze(100)))
    await turns()
    run.cancel()
    expect(run.state).toBe('cancelled')
    expect(clock.pending).toBe(0)
  })
})

describe('ctx.skip', () => {
  test('finishes without a value, says so, and is recorded as inaction', async () => {
    const { supervisor, of, story } = await startedSupervisor()
    const run = supervisor.submit(taskOf<void, unknown>((_, ctx) => ctx.skip('nothing new')))
    await expect(run.result).resolves.toBeUndefined()
    expect(run).toMatchObject({ state: 'finished', skipped: true })
    expect(story(run).at(-1)).toBe('skipped')
    expect(of('task.finished')).toEqual([])
    expect(of('task.skipped')[0]).toMatchObject({ reason: 'nothing new' })
    expect(supervisor.records({ runId: run.id }).map(({ action }) => action)).toEqual(['run', 'inaction'])
  })
})

describe('a handler', () => {
  test.each([[undefined], [null], ['text'], [0], [{ a: 1 }]])(
    'that throws %j fails with it as cause',
    async (thrown) => {
      const { supervisor } = await startedSupervisor()
      const sync = supervisor.submit(
        taskOf(() => {
          throw thrown
        }),
      )
      const later = supervisor.submit(taskOf(() => Promise.reject(thrown)))
      for (const run of [sync, later]) {
        const error = await errorOf(run.result)
        expect(error).toMatchObject({ code: 'ERR_TASK_THREW', kind: 'threw' })
        expect(error.cause).toBe(thrown)
      }
    },
  )

  test('that throws something which cannot be printed fails all the same', async () => {
    const { supervisor } = await startedSupervisor()
    const run = supervisor.submit(taskOf(() => Promise.reject(Object.create(null))))
    expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_THREW' })
  })

  const boom = (): never => {
    throw new Error('then is broken')
  }

  test.each([
    ['a getter that throws', Object.defineProperty({}, 'then', { get: boom })],
    ['a function that throws', Object.defineProperty({}, 'then', { value: boom })],
  ])('that returns an object whose then is %s fails, and hurts nobody else', async (_, value) => {
    const { supervisor } = await startedSupervisor()
    const run = supervisor.submit(taskOf<void, unknown>(() => value as never))
    const neighbour = supervisor.submit(taskOf(() => 'well'))
    expect(await errorOf(run.result)).toMatchObject({
      code: 'ERR_TASK_THREW',
      cause: new Error('then is broken'),
    })
    await expect(neighbour.result).resolves.toBe('well')
  })

  test('that returns a thenable finishes with its value', async () => {
    const { supervisor } = await startedSupervisor()
    // biome-ignore lint/suspicious/noThenProperty: that is the point
    const run = supervisor.submit(taskOf<void, unknown>(() => ({ then: (ok: (v: number) => void) => ok(5) })))
    await expect(run.result).resolves.toBe(5)
  })
})
