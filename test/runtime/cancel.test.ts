import { describe, expect, test } from 'vitest'
import { TaskCancelledError } from '../../src/index.ts'
import { echoTask, errorOf, heldTask, slots, startedSupervisor, taskOf, turns } from '../support/harness.ts'

describe('cancel', () => {
  test('ends a scheduled and a queued run at once and says what it was told', async () => {
    const { supervisor, of } = await startedSupervisor(slots(1))
    const { task } = heldTask()
    supervisor.submit(task)
    const scheduled = supervisor.submit(task, undefined, { delayMs: 50 })
    const queued = supervisor.submit(task)
    for (const run of [scheduled, queued]) {
      expect(run.cancel('not needed')).toBe(true)
      expect(run.state).toBe('cancelled')
      const error = await errorOf(run.result)
      expect(error).toBeInstanceOf(TaskCancelledError)
      expect(error).toMatchObject({ code: 'ERR_TASK_CANCELLED', reason: 'not needed', step: 'none' })
      expect(run.cancel()).toBe(false)
    }
    expect(of('task.cancelled')[0]).toMatchObject({ reason: 'not needed', step: 'none', runMs: undefined })
  })

  test('in the turn of the submission keeps the handler from beginning', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const { task, calls, inputs } = heldTask<number>()
    const run = supervisor.submit(task, 1)
    const next = supervisor.submit(task, 2)
    run.cancel()
    expect([run.state, next.state]).toEqual(['cancelled', 'running'])
    await turns()
    expect(inputs()).toEqual([2])
    expect(calls).toHaveLength(1)
  })

  test('gives a running handler the typed error as its signal’s reason, and drops what it still returns', async () => {
    const { supervisor, of } = await startedSupervisor()
    const { task, calls } = heldTask({ deaf: true })
    const run = supervisor.submit(task)
    await turns()
    run.cancel(new Error('user left'))
    run.cancel('again')
    expect(run.state).toBe('running')
    const { signal } = calls[0]!.ctx
    expect(signal.reason).toMatchObject({ code: 'ERR_TASK_CANCELLED', runId: run.id })
    calls[0]!.resolve('too late')
    expect(await errorOf(run.result)).toMatchObject({ step: 'signal', reason: new Error('user left') })
    expect(run.outcome).toMatchObject({ kind: 'cancelled' })
    expect(of('task.finished')).toEqual([])
  })

  test('gives up a handler that does not listen after its grace, frees its slot and counts it until it ends', async () => {
    const { supervisor, clock, of, story } = await startedSupervisor(slots(1))
    const { task, calls } = heldTask({ deaf: true, graceMs: 100 })
    const run = supervisor.submit(task)
    const next = supervisor.submit(task)
    await turns()
    run.cancel()
    await clock.advance(99)
    expect([run.state, next.state]).toEqual(['running', 'queued'])
    await clock.advance(1)
    expect([run.state, run.step, next.state]).toEqual(['cancelled', 'abandon', 'running'])
    expect(supervisor.info()).toMatchObject({ abandoned: 1, pool: { active: 1 } })
    expect(of('task.abandoned')).toHaveLength(1)
    calls[0]!.ctx.progress(50)
    calls[0]!.resolve('late')
    await turns()
    expect(supervisor.info().abandoned).toBe(0)
    expect([run.state, run.progressed]).toEqual(['cancelled', undefined])
    expect(story(run).slice(-2).sort()).toEqual(['abandoned', 'cancelled'])
  })

  test('counts an abandoned handler that throws, or whose end came by a stop, just the same', async () => {
    const { supervisor, clock, stop } = await startedSupervisor()
    const { task, calls } = heldTask({ deaf: true, graceMs: 0 })
    supervisor.submit(task).cancel()
    const run = supervisor.submit(task)
    supervisor.submit(task)
    await turns()
    run.cancel()
    await clock.advance(0)
    await stop()
    expect(supervisor.info().abandoned).toBe(2)
    calls[0]!.reject(new Error('late'))
    calls[1]!.resolve()
    await turns()
    expect(supervisor.info().abandoned).toBe(0)
  })

  test('graceMs Infinity waits for the handler, a stop does not', async () => {
    const { supervisor, clock, stop } = await startedSupervisor()
    const run = supervisor.submit(heldTask({ deaf: true, graceMs: Infinity }).task)
    await turns()
    run.cancel()
    await clock.advance(86_400_000)
    expect(run.state).toBe('running')
    await stop({ wait: 10 })
    expect(run.state).toBe('cancelled')
  })

  test('wins over a run timeout that would be tried again, and over a deadline that comes later', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task } = heldTask({
      deaf: true,
      runTimeoutMs: 10,
      deadlineMs: 30,
      graceMs: 50,
      retry: { attempts: 3 },
    })
    const run = supervisor.submit(task)
    await clock.advance(10)
    run.cancel('by hand')
    await clock.advance(1_000)
    expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_CANCELLED', reason: 'by hand' })
  })

  test('of an ended run changes nothing', async () => {
    const { supervisor, recorder } = await startedSupervisor()
    const run = supervisor.submit(echoTask<number>(), 1)
    await run.result
    const before = recorder.events.length
    expect(run.cancel()).toBe(false)
    expect(recorder.events).toHaveLength(before)
  })

  test('runs the teardown after a forced end, and only then, and survives one that throws', async () => {
    const { supervisor, clock, lines } = await startedSupervisor()
    const torn: unknown[] = []
    const teardown = (input: number, ctx: { attempt: number }, outcome: { kind: string }): void => {
      torn.push([input, ctx.attempt, outcome.kind])
      throw new Error('teardown is broken')
    }
    const polite = supervisor.submit(heldTask<number>({ teardown }).task, 1)
    const deaf = supervisor.submit(heldTask<number>({ teardown, deaf: true, graceMs: 10 }).task, 2)
    const fine = supervisor.submit(echoTask<number>({ teardown }), 3)
    await turns()
    polite.cancel()
    deaf.cancel()
    await clock.advance(10)
    await fine.result
    expect(torn).toEqual([[2, 1, 'cancelled']])
    expect(lines.some(({ msg }) => msg === 'teardown failed')).toBe(true)
  })

  test('lets a handler that was given up submit nothing more', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task, calls } = heldTask({ deaf: true, graceMs: 0 })
    const run = supervisor.submit(task)
    await turns()
    run.cancel()
    await clock.advance(0)
    expect(() => calls[0]!.ctx.submit(echoTask())).toThrow(/has ended/)
  })
})

describe('main', () => {
  test('has the loop to itself: nothing else starts until it settles, what runs goes on', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls, inputs } = heldTask<string>()
    supervisor.submit(task, 'before')
    await turns()
    const main = supervisor.submit(task, 'main', { execution: 'main' })
    expect(main.state).toBe('running')
    const others = (['critical', 'high', 'low'] as const).map((priority) =>
      supervisor.submit(task, priority, { priority }),
    )
    const second = supervisor.submit(task, 'second main', { execution: 'main', priority: 'critical' })
    await turns()
    expect(inputs()).toEqual(['before', 'main'])
    expect([...others, second].map(({ state }) => state)).toEqual(['queued', 'queued', 'queued', 'queued'])
    calls[1]!.resolve()
    await turns()
    expect(inputs()).toEqual(['before', 'main', 'critical', 'second main'])
  })

  test('frees the loop when it is abandoned, fails or snoozes', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const deaf = heldTask({ deaf: true, execution: 'main', graceMs: 10 })
    const run = supervisor.submit(deaf.task)
    await turns()
    run.cancel()
    await clock.advance(10)
    const failing = supervisor.submit(taskOf(() => Promise.reject(new Error('x')), { execution: 'main' }))
    await errorOf(failing.result)
    const snoozing = supervisor.submit(
      taskOf<void, unknown>((_, ctx) => ctx.snooze(99), { execution: 'main' }),
    )
    await turns()
    expect(snoozing.state).toBe('snoozed')
    await expect(supervisor.submit(echoTask<number>(), 1).result).resolves.toBe(1)
  })
})
