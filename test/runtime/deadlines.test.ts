import { describe, expect, test } from 'vitest'
import { DeadlineError, QueueTimeoutError, RunTimeoutError } from '../../src/index.ts'
import { echoTask, errorOf, heldTask, slots, startedSupervisor, taskOf, turns } from '../support/harness.ts'

describe('queue alarms', () => {
  test('are given once each and in order, by default after 5 s and 10 s, and the task waits on', async () => {
    const { supervisor, clock, of, story } = await startedSupervisor(slots(1))
    const { task } = heldTask()
    supervisor.submit(task)
    const run = supervisor.submit(task)
    await clock.advance(60_000)
    expect(run.state).toBe('queued')
    expect(story(run)).toEqual(['created', 'queued', 'queueWarning', 'queueCritical'])
    expect(of('task.queueWarning')[0]).toMatchObject({ runId: run.id, queueMs: 5_000, state: 'queued' })
    expect(of('task.queueCritical')[0]).toMatchObject({ runId: run.id, queueMs: 10_000, state: 'queued' })
  })

  test.each([
    ['the critical one is due first', { queueWarningMs: 500, queueCriticalMs: 100 }],
    ['both are due at one instant', { queueWarningMs: 100, queueCriticalMs: 100 }],
    ['the task ends at that instant', { queueWarningMs: 100, queueCriticalMs: 100, queueTimeoutMs: 100 }],
    ['both are 0', { queueWarningMs: 0, queueCriticalMs: 0 }],
  ])('come as warning, critical also when %s', async (_, options) => {
    const { supervisor, clock, story } = await startedSupervisor(slots(1))
    const { task } = heldTask()
    supervisor.submit(task)
    const run = supervisor.submit(task, undefined, options)
    await clock.advance(100)
    expect(story(run).slice(0, 4)).toEqual(['created', 'queued', 'queueWarning', 'queueCritical'])
  })

  test('stay away from a task that got its slot, and with Infinity', async () => {
    const { supervisor, clock, story } = await startedSupervisor(slots(1))
    const { task, calls } = heldTask()
    supervisor.submit(task)
    const run = supervisor.submit(task)
    const patient = supervisor.submit(task, undefined, {
      queueWarningMs: Infinity,
      queueCriticalMs: Infinity,
    })
    await clock.advance(4_999)
    calls[0]!.resolve()
    await clock.advance(60_000)
    expect(story(run)).not.toContain('queueWarning')
    expect(story(patient)).toEqual(['created', 'queued'])
  })

  test('start anew at every return to the queue', async () => {
    const { supervisor, clock, of } = await startedSupervisor(slots(1))
    const { task, calls } = heldTask<number>({ queueWarningMs: 100, queueCriticalMs: Infinity })
    supervisor.submit(task, 0)
    const run = supervisor.submit(task, 1)
    await clock.advance(100)
    calls[0]!.resolve()
    await turns()
    calls[1]!.resolve(calls[1]!.ctx.snooze(10))
    await turns()
    supervisor.submit(task, 2)
    await clock.advance(109)
    expect(of('task.queueWarning').filter(({ runId }) => runId === run.id)).toHaveLength(1)
    await clock.advance(1)
    expect(of('task.queueWarning').filter(({ runId }) => runId === run.id)).toHaveLength(2)
    expect(run.queueMs).toBe(100)
  })
})

describe('queueTimeoutMs', () => {
  test('terminates a task that waits longer, with its own error', async () => {
    const { supervisor, clock, of } = await startedSupervisor(slots(1))
    const { task, calls } = heldTask()
    supervisor.submit(task)
    const run = supervisor.submit(task, undefined, { queueTimeoutMs: 250 })
    await clock.advance(250)
    const error = await errorOf(run.result)
    expect(error).toBeInstanceOf(QueueTimeoutError)
    expect(error).toMatchObject({
      code: 'ERR_TASK_QUEUE_TIMED_OUT',
      reason: 'queueTimeout',
      step: 'none',
      runId: run.id,
      taskName: task.name,
    })
    expect(error.message).toContain('250 ms')
    expect(of('task.terminated')[0]).toMatchObject({ reason: 'queueTimeout', queueMs: 250 })
    expect(calls).toHaveLength(1)
  })

  test('0 means: now or not at all', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const { task } = heldTask({ queueTimeoutMs: 0 })
    const first = supervisor.submit(task)
    const second = supervisor.submit(task)
    await clock.advance(0)
    expect([first.state, second.state]).toEqual(['running', 'terminated'])
  })
})

describe('runTimeoutMs', () => {
  test('counts from the start of the handler, not from the submission', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const { task, calls } = heldTask()
    supervisor.submit(task)
    const run = supervisor.submit(task, undefined, { runTimeoutMs: 100 })
    await clock.advance(5_000)
    calls[0]!.resolve()
    await clock.advance(99)
    expect(run.state).toBe('running')
    await clock.advance(1)
    const error = await errorOf(run.result)
    expect(error).toBeInstanceOf(RunTimeoutError)
    expect(error).toMatchObject({ code: 'ERR_TASK_TIMED_OUT', reason: 'runTimeout', step: 'signal' })
    expect(run.runMs).toBe(100)
  })

  test('counts anew for each attempt and each step of a continuation', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task, calls } = heldTask<string>({
      runTimeoutMs: 100,
      retry: { attempts: 2, backoff: { initialMs: 0 } },
    })
    const run = supervisor.submit(task, 'a')
    await clock.advance(80)
    calls[0]!.reject(new Error('again'))
    await clock.advance(80)
    calls[1]!.resolve(calls[1]!.ctx.next(task.call('b')))
    await clock.advance(80)
    calls[2]!.resolve('in time')
    await expect(run.result).resolves.toBe('in time')
  })

  test('0 ends a handler that does not end in the turn it began', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const slow = supervisor.submit(heldTask({ runTimeoutMs: 0 }).task)
    const quick = supervisor.submit(echoTask<number>({ runTimeoutMs: 0 }), 1)
    await clock.advance(0)
    expect(slow.state).toBe('terminated')
    await expect(quick.result).resolves.toBe(1)
  })

  test('gives the typed error to the signal of the handler', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task, calls } = heldTask({ runTimeoutMs: 10 })
    supervisor.submit(task)
    await clock.advance(10)
    expect(calls[0]!.ctx.signal.reason).toBeInstanceOf(RunTimeoutError)
    expect(calls[0]!.ctx.aborted).toBe(true)
  })
})

describe('deadlineMs', () => {
  test.each([
    ['scheduled', { delayMs: 1_000 }],
    ['queued', {}],
  ])('ends a run that is %s', async (state, options) => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const { task } = heldTask()
    supervisor.submit(task)
    const run = supervisor.submit(task, undefined, { ...options, deadlineMs: 300 })
    await clock.advance(299)
    expect(run.state).toBe(state)
    await clock.advance(1)
    const error = await errorOf(run.result)
    expect(error).toBeInstanceOf(DeadlineError)
    expect(error).toMatchObject({ code: 'ERR_TASK_DEADLINE_PASSED', reason: 'deadline', step: 'none' })
  })

  test('counts from the submission over queue, attempts and waits between them', async () => {
    const { supervisor, clock, story } = await startedSupervisor()
    const { task, calls } = heldTask({
      deadlineMs: 300,
      retry: { attempts: 9, backoff: { kind: 'fixed', initialMs: 100, jitter: 'none' } },
    })
    const run = supervisor.submit(task)
    await clock.advance(50)
    calls[0]!.reject(new Error('1'))
    await clock.advance(150)
    expect(run.state).toBe('running')
    calls[1]!.reject(new Error('2'))
    await clock.advance(99)
    expect(run.state).toBe('retrying')
    await clock.advance(1)
    expect(run.state).toBe('terminated')
    expect(story(run).at(-1)).toBe('terminated')
    expect(await errorOf(run.result)).toMatchObject({ reason: 'deadline' })
  })

  test('ends a snoozed run and a running one, which is not tried again', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const snoozer = taskOf<void, never>((_, ctx) => ctx.snooze(1_000) as never)
    const snoozed = supervisor.submit(snoozer, undefined, { deadlineMs: 100 })
    const { task, calls } = heldTask({ deadlineMs: 100, retry: { attempts: 3 } })
    const running = supervisor.submit(task)
    await clock.advance(50)
    expect(snoozed.state).toBe('snoozed')
    await clock.advance(50)
    expect([snoozed.state, running.state]).toEqual(['terminated', 'terminated'])
    expect(calls[0]!.ctx.signal.reason).toBeInstanceOf(DeadlineError)
  })

  test('is shown to the handler as an instant', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task, calls } = heldTask()
    const at = clock.now()
    supervisor.submit(task, undefined, { deadlineMs: 500 })
    supervisor.submit(task)
    await clock.advance(100)
    expect(calls.map(({ ctx }) => ctx.deadlineAt)).toEqual([at + 500, undefined])
  })

  test('wins over a run timeout at the same instant', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const run = supervisor.submit(heldTask().task, undefined, { deadlineMs: 100, runTimeoutMs: 100 })
    await clock.advance(100)
    expect(await errorOf(run.result)).toMatchObject({ reason: 'deadline' })
  })

  test('0 ends the run at the next turn of the clock', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const run = supervisor.submit(heldTask().task, undefined, { deadlineMs: 0 })
    await clock.advance(0)
    expect(run.state).toBe('terminated')
  })
})

test('a run that has ended leaves no timer behind, however many clocks it had', async () => {
  const { supervisor, clock } = await startedSupervisor()
  const all = { queueTimeoutMs: 1_000, runTimeoutMs: 1_000, deadlineMs: 1_000, ageAfterMs: 1_000 }
  await supervisor.submit(echoTask(), undefined, all).result
  const cancelled = supervisor.submit(echoTask(), undefined, { ...all, delayMs: 500 })
  cancelled.cancel()
  // The watch for starvation ends with the last live run.
  expect(clock.pending).toBe(0)
})
