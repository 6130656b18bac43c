import { describe, expect, test } from 'vitest'
import {
  echoTask,
  errorOf,
  heldTask,
  slots,
  startedSupervisor,
  testSupervisor,
  turns,
} from '../support/harness.ts'

const DAY = 24 * 3_600_000

describe('delayMs', () => {
  test('holds the run as scheduled, without a slot, and queues it when it has passed', async () => {
    const { supervisor, clock, story } = await startedSupervisor(slots(1))
    const { task } = heldTask()
    const run = supervisor.submit(task, undefined, { delayMs: 100 })
    expect(run.state).toBe('scheduled')
    expect(supervisor.info()).toMatchObject({ pool: { active: 0 }, runs: { scheduled: 1 } })
    await clock.advance(99)
    expect(run.state).toBe('scheduled')
    await clock.advance(1)
    expect(run.state).toBe('running')
    expect(story(run)).toEqual(['created', 'scheduled', 'queued', 'admitted', 'started'])
  })

  test('0 queues at once', async () => {
    const { supervisor } = await startedSupervisor()
    expect(supervisor.submit(heldTask().task, undefined, { delayMs: 0 }).state).toBe('running')
  })

  test('starts the queue clocks only when it has passed', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const { task } = heldTask()
    supervisor.submit(task)
    const run = supervisor.submit(task, undefined, { delayMs: 1_000, queueTimeoutMs: 50 })
    await clock.advance(1_049)
    expect(run.state).toBe('queued')
    await clock.advance(1)
    expect(run.state).toBe('terminated')
  })

  test('runs in the order of the instants, not of the submissions', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const { task, calls, inputs } = heldTask<string>()
    supervisor.submit(task, 'later', { delayMs: 200 })
    supervisor.submit(task, 'sooner', { delayMs: 100 })
    await clock.advance(200)
    calls[0]!.resolve()
    await turns()
    expect(inputs()).toEqual(['sooner', 'later'])
  })

  test('runs also before start, and the run then waits as queued', async () => {
    const { supervisor, clock } = testSupervisor()
    const run = supervisor.submit(echoTask(), undefined, { delayMs: 10 })
    await clock.advance(10)
    expect(run.state).toBe('queued')
  })
})

describe('runAt', () => {
  test('takes epoch ms or a Date; an instant in the past is now', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task } = heldTask()
    const past = supervisor.submit(task, undefined, { runAt: clock.now() - DAY })
    const ms = supervisor.submit(task, undefined, { runAt: clock.now() + 50 })
    const date = supervisor.submit(task, undefined, { runAt: new Date(clock.now() + 50) })
    expect([past.state, ms.state, date.state]).toEqual(['running', 'scheduled', 'scheduled'])
    await clock.advance(50)
    expect([ms.state, date.state]).toEqual(['running', 'running'])
  })

  test('further away than a Node timer can hold (2^31 ms) is met to the millisecond', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const farMs = 100 * DAY
    const run = supervisor.submit(echoTask<string>(), 'far', { runAt: clock.now() + farMs })
    await clock.advance(farMs - 1)
    expect(run.state).toBe('scheduled')
    await clock.advance(1)
    await expect(run.result).resolves.toBe('far')
  })

  test('is not moved by a wall clock that jumps', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const run = supervisor.submit(heldTask().task, undefined, { runAt: clock.now() + 1_000 })
    clock.jumpWall(-3_600_000)
    await clock.advance(1_000)
    expect(run.state).toBe('running')
  })

  test('together with delayMs is refused', () => {
    const { supervisor } = testSupervisor()
    expect(() => supervisor.submit(echoTask(), undefined, { delayMs: 1, runAt: 1 })).toThrow(
      /delayMs or runAt, not both/,
    )
  })
})

describe('expiresAt', () => {
  test('fails a run that still waits in the queue then', async () => {
    const { supervisor, clock, of } = await startedSupervisor(slots(1))
    const { task } = heldTask()
    supervisor.submit(task)
    const run = supervisor.submit(task, undefined, { expiresAt: clock.now() + 100 })
    await clock.advance(99)
    expect(run.state).toBe('queued')
    await clock.advance(1)
    expect(await errorOf(run.result)).toMatchObject({
      name: 'TaskFailedError',
      code: 'ERR_TASK_EXPIRED',
      kind: 'expired',
      attempts: 0,
    })
    expect(of('task.failed')[0]).toMatchObject({ kind: 'expired', runMs: undefined, queueMs: 100 })
  })

  test('fails a run that is still scheduled then', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const run = supervisor.submit(echoTask(), undefined, {
      delayMs: 200,
      expiresAt: new Date(clock.now() + 100),
    })
    await clock.advance(100)
    expect(run.state).toBe('failed')
  })

  test('in the past fails the run, whose handler never begins, although a slot is free', async () => {
    const { supervisor, clock, of } = await startedSupervisor()
    const { task, calls } = heldTask()
    const run = supervisor.submit(task, undefined, { expiresAt: clock.now() - 1 })
    await clock.advance(0)
    expect(run.state).toBe('failed')
    expect(await errorOf(run.result)).toMatchObject({ code: 'ERR_TASK_EXPIRED' })
    expect([calls.length, of('task.admitted').length]).toEqual([0, 0])
  })

  test('does not end a run that has begun, nor one that is tried again', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task, calls } = heldTask({
      retry: { attempts: 2, backoff: { kind: 'fixed', initialMs: 500, jitter: 'none' } },
    })
    const run = supervisor.submit(task, undefined, { expiresAt: clock.now() + 100 })
    await clock.advance(200)
    expect(run.state).toBe('running')
    calls[0]!.reject(new Error('once'))
    await clock.advance(500)
    calls[1]!.resolve('late but begun in time')
    await expect(run.result).resolves.toBe('late but begun in time')
  })
})
