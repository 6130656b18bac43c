/** Stops with the clock in hand: whatever the handlers do, everything has ended by the bound. */
import fc from 'fast-check'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { EXECUTIONS } from '../../src/machines/model.ts'
import { createSupervisor, type Supervisor } from '../../src/runtime/supervisor.ts'
import { ManualClock } from '../../src/runtime/testing/manual-clock.ts'
import { turns } from '../support/turns.ts'
import { HeldWork } from './held-work.ts'

/** What may pass between the bound and the end of everything. */
const MARGIN_MS = 250

interface Bench {
  readonly clock: ManualClock
  readonly work: HeldWork
  readonly supervisor: Supervisor
}

async function withBench(use: (bench: Bench) => Promise<void>): Promise<void> {
  const clock = new ManualClock()
  const work = new HeldWork()
  const supervisor = createSupervisor({
    pool: { size: 2, reserveNormal: 0, reserveHigh: 0 },
    processes: { size: 1, reserveNormal: 0, reserveHigh: 0 },
    clock,
    logger: pino({ level: 'silent' }),
    executors: { thread: work.executor(), process: work.executor() },
    defaults: { graceMs: 1_000 },
  })
  await supervisor.start()
  try {
    await use({ clock, work, supervisor })
  } finally {
    const stopped = supervisor.stop({ wait: false })
    for (const id of work.ids) work.say(id, 'ok')
    await clock.advance(1_000)
    await stopped
  }
}

const task = fc.record({
  execution: fc.constantFrom(...EXECUTIONS),
  stubborn: fc.boolean(),
  delayMs: fc.constantFrom(0, 0, 50),
})
const bound = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5_000 }))

test('everything has ended by the bound and a margin, each run once, and nothing is left', async () => {
  const plan = fc.record({
    wait: bound,
    cancelTasks: fc.boolean(),
    graceMs: fc.integer({ min: 0, max: 3_000 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(task, { maxLength: 6 }), plan, (tasks, options) =>
      withBench(async ({ clock, work, supervisor }) => {
        const ends: string[] = []
        for (const type of ['task.finished', 'task.failed', 'task.cancelled', 'task.terminated'] as const) {
          supervisor.on(type, ({ runId }) => void ends.push(runId))
        }
        const runs = tasks.map(({ stubborn, ...given }) => supervisor.submit(work.task, { stubborn }, given))
        await turns(2)
        let stopped = false
        const stopping = supervisor.stop(options).then(() => {
          stopped = true
        })
        await clock.advance(options.wait + MARGIN_MS)
        await turns(3)
        expect(stopped).toBe(true)
        await stopping
        expect(ends.sort()).toEqual(runs.map(({ id }) => id).sort())
        expect(clock.pending).toBe(0)
      }),
    ),
    { numRuns: 80 },
  )
})

test('a second stop with a sooner bound escalates the first, and a later one puts nothing off', () =>
  withBench(async ({ clock, work, supervisor }) => {
    supervisor.submit(work.task, { stubborn: true })
    await turns(2)
    const order: string[] = []
    const stops = [
      supervisor.stop({ wait: 60_000 }).then(() => order.push('first')),
      supervisor.stop({ wait: 500 }).then(() => order.push('second')),
      supervisor.stop({ wait: 90_000 }).then(() => order.push('third')),
    ]
    await clock.advance(499)
    await turns(2)
    expect([supervisor.state, order]).toEqual(['stopping', []])
    await clock.advance(1 + MARGIN_MS)
    await Promise.all(stops)
    expect(supervisor.state).toBe('stopped')
  }))

test.each(EXECUTIONS)(
  'a cancelled %s run keeps the grace it has when a stop allows a longer one',
  (execution) =>
    withBench(async ({ clock, work, supervisor }) => {
      const run = supervisor.submit(work.task, { stubborn: true }, { execution, graceMs: 100 })
      await turns(2)
      run.cancel('asked')
      await clock.advance(90)
      const stopped = supervisor.stop({ wait: 20_000, cancelTasks: true, graceMs: 10_000 })
      // The rest of its grace, and for a process SIGTERM's bound.
      await clock.advance(10 + 100)
      expect([run.state, run.outcome]).toMatchObject(['cancelled', { reason: 'asked' }])
      await clock.advance(MARGIN_MS)
      await stopped
    }),
)

test('a process that ignores SIGTERM is killed, whoever else wants its run to end meanwhile', () =>
  withBench(async ({ clock, work, supervisor }) => {
    const run = supervisor.submit(
      work.task,
      { stubborn: true },
      { execution: 'process', runTimeoutMs: 10, graceMs: 20 },
    )
    await turns(2)
    await clock.advance(10 + 20)
    expect(run.step).toBe('terminate')
    run.cancel('asked')
    const stopped = supervisor.stop({ wait: 60_000, cancelTasks: true, graceMs: 50_000 })
    await clock.advance(100)
    expect([run.state, run.step]).toEqual(['cancelled', 'kill'])
    await clock.advance(MARGIN_MS)
    await stopped
  }))

test.each(['low', 'normal', 'high', 'critical'] as const)(
  'a %s run that ages keeps its other clocks',
  (priority) =>
    withBench(async ({ clock, work, supervisor }) => {
      supervisor.pause()
      const run = supervisor.submit(
        work.task,
        { stubborn: false },
        { priority, ageAfterMs: 10, queueTimeoutMs: 100 },
      )
      await clock.advance(99)
      expect(run.state).toBe('queued')
      await clock.advance(1)
      expect(run.outcome).toMatchObject({ kind: 'terminated', reason: 'queueTimeout' })
    }),
)

test('a run that lost its thread before it began expires while it waits to be tried again', () =>
  withBench(async ({ clock, work, supervisor }) => {
    const lost = { ...work.executor(), start: loseIt }
    await using other = createSupervisor({
      clock,
      logger: pino({ level: 'silent' }),
      executors: { thread: lost, process: lost },
    })
    await other.start()
    const run = other.submit(
      work.task,
      { stubborn: false },
      {
        execution: 'thread',
        expiresAt: clock.now() + 50,
        retry: { attempts: 3, backoff: { kind: 'fixed', initialMs: 80, jitter: 'none' } },
      },
    )
    await turns(2)
    expect(run.state).toBe('retrying')
    await clock.advance(50)
    expect(run.outcome).toMatchObject({ kind: 'failed', failure: { kind: 'expired' } })
    expect(supervisor.state).toBe('running')
  }))

test('a stream of main tasks does not starve the processes', () =>
  withBench(async ({ work, supervisor }) => {
    for (let i = 0; i < 3; i += 1) supervisor.submit(work.task, { stubborn: false }, { execution: 'main' })
    const run = supervisor.submit(work.task, { stubborn: false }, { execution: 'process', priority: 'high' })
    await turns(2)
    expect(run.state).toBe('queued')
    work.say(work.ids[0] as string, 'ok')
    await turns(2)
    expect(run.state).toBe('running')
  }))

test('a run that snoozes again and again does not hold up a stop without bound', () =>
  withBench(async ({ clock, work, supervisor }) => {
    const run = supervisor.submit(work.task, { stubborn: false })
    await turns(2)
    const stopped = supervisor.stop({ wait: true })
    work.say(run.id, 'snooze')
    await turns(2)
    expect(run.outcome).toMatchObject({ kind: 'terminated', reason: 'stop' })
    await clock.advance(MARGIN_MS)
    await stopped
  }))

function loseIt(
  _: unknown,
  listener: { settled(how: { type: 'crashed'; error: unknown }): void },
): { signal(): void; terminate(): void; kill(): void } {
  queueMicrotask(() => listener.settled({ type: 'crashed', error: new Error('lost') }))
  return { signal: () => {}, terminate: () => {}, kill: () => {} }
}
