import { describe, expect, test } from 'vitest'
import { createSupervisor } from '../../src/index.ts'
import { ManualClock } from '../../src/runtime/testing/index.ts'
import {
  deferred,
  echoTask,
  errorOf,
  heldTask,
  slots,
  startedSupervisor,
  taskOf,
  testSupervisor,
  turns,
} from '../support/harness.ts'

const STOPPED = { name: 'TaskTerminatedError', code: 'ERR_TASK_TERMINATED', reason: 'stop' }

describe('stop', () => {
  test('lets end what runs and runs what is queued, but ends at once what is scheduled or waits to be tried again', async () => {
    const { supervisor, clock, of } = await startedSupervisor(slots(1))
    const retry = { attempts: 2, backoff: { kind: 'fixed', initialMs: 500, jitter: 'none' } } as const
    const failing = supervisor.submit(taskOf(() => Promise.reject(new Error('x')), { retry }))
    const snoozing = supervisor.submit(taskOf<void, unknown>((_, ctx) => ctx.snooze(500)))
    await clock.advance(0)
    const { task, calls } = heldTask<number>()
    const running = supervisor.submit(task, 1)
    const queued = supervisor.submit(task, 2)
    const scheduled = supervisor.submit(task, 3, { delayMs: 10 })
    await turns()
    const stopped = supervisor.stop({ wait: true })
    expect(supervisor.state).toBe('draining')
    expect([failing.state, snoozing.state, scheduled.state]).toEqual([
      'terminated',
      'terminated',
      'terminated',
    ])
    expect(await errorOf(scheduled.result)).toMatchObject({ ...STOPPED, step: 'none' })
    calls[0]!.resolve('one')
    await turns()
    calls[1]!.resolve('two')
    await stopped
    expect(await Promise.all([running.result, queued.result])).toEqual(['one', 'two'])
    expect(of('supervisor.stopping')).toHaveLength(1)
    expect(of('supervisor.stopped')).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  test('wait: true is without bound', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task, calls } = heldTask()
    const run = supervisor.submit(task)
    await turns()
    const stopped = supervisor.stop({ wait: true })
    await clock.advance(86_400_000)
    expect([supervisor.state, run.state]).toEqual(['draining', 'running'])
    calls[0]!.resolve('at last')
    await stopped
    await expect(run.result).resolves.toBe('at last')
  })

  test('wait: ms signals at wait - graceMs and has ended everything at wait, also a handler that ignores it', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(2))
    const polite = heldTask()
    const deaf = heldTask({ deaf: true, graceMs: 60_000 })
    const runs = [polite, deaf, deaf].map(({ task }) => supervisor.submit(task))
    await turns()
    let done = false
    const stopped = supervisor.stop({ wait: 1_000, graceMs: 300 }).then(() => {
      done = true
    })
    await clock.advance(699)
    expect([supervisor.state, runs.map(({ state }) => state)]).toEqual([
      'draining',
      ['running', 'running', 'queued'],
    ])
    await clock.advance(1)
    expect([supervisor.state, runs.map(({ state }) => state)]).toEqual([
      'stopping',
      ['terminated', 'running', 'terminated'],
    ])
    expect(deaf.calls[0]!.ctx.signal.reason).toMatchObject(STOPPED)
    await clock.advance(299)
    expect(runs[1]!.state).toBe('running')
    await clock.advance(1)
    await turns(5)
    expect([done, supervisor.state]).toEqual([true, 'stopped'])
    await stopped
    expect(await errorOf(runs[1]!.result)).toMatchObject({ ...STOPPED, step: 'abandon' })
    expect(await errorOf(runs[0]!.result)).toMatchObject({ ...STOPPED, step: 'signal' })
    expect(supervisor.info().abandoned).toBe(1)
    expect(deaf.calls).toHaveLength(1)
  })

  test('wait: false ends everything now', async () => {
    const { supervisor, clock, stop } = await startedSupervisor(slots(1))
    const { task } = heldTask({ deaf: true })
    const run = supervisor.submit(task)
    const queued = supervisor.submit(task)
    await turns()
    const before = clock.monotonic()
    await stop({ wait: false })
    expect([run.state, run.step, queued.state]).toEqual(['terminated', 'abandon', 'terminated'])
    expect(clock.monotonic() - before).toBeLessThanOrEqual(250)
  })

  test('has a bound of 30 s when nothing is said', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const run = supervisor.submit(heldTask({ deaf: true }).task)
    await turns()
    const stopped = supervisor.stop()
    await clock.advance(29_999)
    expect(run.state).toBe('running')
    await clock.advance(1)
    await stopped
    expect(run.state).toBe('terminated')
  })

  test('a grace longer than the wait begins at once and is cut off at the bound', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task, calls } = heldTask({ deaf: true })
    const run = supervisor.submit(task)
    await turns()
    const stopped = supervisor.stop({ wait: 100, graceMs: 5_000 })
    expect(calls[0]!.ctx.signal.aborted).toBe(true)
    await clock.advance(100)
    await stopped
    expect(run.state).toBe('terminated')
  })

  test('cancelTasks ends queued and running tasks now, and gives them their grace', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const { task, calls } = heldTask({ deaf: true })
    const running = supervisor.submit(task)
    const queued = supervisor.submit(task)
    await turns()
    const stopped = supervisor.stop({ cancelTasks: true, graceMs: 200 })
    expect(queued.state).toBe('terminated')
    expect(calls[0]!.ctx.signal.aborted).toBe(true)
    await clock.advance(199)
    expect(running.state).toBe('running')
    await clock.advance(1)
    await stopped
    expect([running.state, running.step]).toEqual(['terminated', 'abandon'])
  })

  test('a second stop with a sooner bound escalates, one with a later bound changes nothing', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const run = supervisor.submit(heldTask({ deaf: true }).task)
    await turns()
    const first = supervisor.stop({ wait: true })
    const second = supervisor.stop({ wait: 2_000, graceMs: 500 })
    const third = supervisor.stop({ wait: 60_000, graceMs: 500 })
    await clock.advance(1_500)
    expect(supervisor.state).toBe('stopping')
    const fourth = supervisor.stop({ wait: 100 })
    await clock.advance(100)
    await Promise.all([first, second, third, fourth])
    expect([run.state, clock.monotonic()]).toEqual(['terminated', 1_600])
  })

  test('a second stop with cancelTasks ends a drain', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const { task } = heldTask()
    const runs = [supervisor.submit(task), supervisor.submit(task)]
    await turns()
    const first = supervisor.stop({ wait: true })
    await clock.advance(10_000)
    const second = supervisor.stop({ wait: true, cancelTasks: true })
    await clock.advance(0)
    await Promise.all([first, second])
    expect(runs.map(({ state }) => state)).toEqual(['terminated', 'terminated'])
  })

  test('never lengthens the grace of a run that is being cancelled already', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const run = supervisor.submit(heldTask({ deaf: true, graceMs: 100 }).task)
    await turns()
    run.cancel()
    await clock.advance(50)
    const stopped = supervisor.stop({ cancelTasks: true, graceMs: 5_000 })
    await clock.advance(50)
    expect(run.state).toBe('cancelled')
    await stopped
  })

  test('ends a run that would be tried again, or that snoozes, while the supervisor drains', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const backoff = { kind: 'fixed', initialMs: 60_000, jitter: 'none' } as const
    const { task, calls } = heldTask<number>({ retry: { attempts: 2, backoff } })
    const failing = supervisor.submit(task, 1)
    const snoozing = supervisor.submit(task, 2)
    await turns()
    const stopped = supervisor.stop({ wait: true })
    calls[0]!.reject(new Error('again'))
    calls[1]!.resolve(calls[1]!.ctx.snooze(60_000))
    await clock.advance(0)
    expect([failing.state, snoozing.state]).toEqual(['terminated', 'terminated'])
    await stopped
  })

  test('accepts a child of a running task while it drains, and runs it', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const gate = deferred()
    const child = echoTask<string>()
    const parent = taskOf<void, unknown>(async (_, ctx) => {
      await gate.promise
      return ctx.submit(child, 'child').result
    })
    const run = supervisor.submit(parent)
    await turns()
    const stopped = supervisor.stop({ wait: true })
    gate.resolve()
    await expect(run.result).resolves.toBe('child')
    await stopped
  })

  test('does not wait for a child that a handler submits after it was signalled', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const child = echoTask()
    const parent = taskOf<void, unknown>(async (_, ctx) => {
      await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
      ctx.submit(child, undefined, { detached: true })
    })
    supervisor.submit(parent)
    await turns()
    const stopped = supervisor.stop({ wait: 10_000, graceMs: 10_000 })
    await clock.advance(0)
    await turns(3)
    expect(supervisor.state).toBe('stopped')
    await stopped
  })

  test.each([
    ['idle', async () => testSupervisor()],
    ['running', async () => startedSupervisor()],
    [
      'paused',
      async () => {
        const test = await startedSupervisor()
        test.supervisor.pause()
        return test
      },
    ],
    [
      'failed',
      async () => {
        const store = { load: () => Promise.reject(new Error('no disk')), append() {} }
        const test = testSupervisor({ taskLog: { store } })
        await errorOf(test.supervisor.start())
        return test
      },
    ],
    [
      'stopped',
      async () => {
        const test = await startedSupervisor()
        await test.stop()
        return test
      },
    ],
  ])('is accepted while it is %s', async (state, make) => {
    const { supervisor, stop, clock } = await make()
    expect(supervisor.state).toBe(state)
    await stop({ wait: 1_000 })
    await stop({ wait: 1_000 })
    expect([supervisor.state, clock.pending]).toEqual(['stopped', 0])
  })

  test('of a supervisor that never ran, or could not start, runs nothing of what waits', async () => {
    const store = { load: () => Promise.reject(new Error('no disk')), append() {} }
    const idle = testSupervisor()
    const failed = testSupervisor({ id: 'failed', taskLog: { store } })
    const { task, calls } = heldTask()
    const runs = [idle.supervisor.submit(task), failed.supervisor.submit(task)]
    await errorOf(failed.supervisor.start())
    void idle.supervisor.stop()
    void failed.supervisor.stop()
    await turns(3)
    expect([runs.map(({ state }) => state), calls.length]).toEqual([['terminated', 'terminated'], 0])
  })

  test('during start wins, and start rejects', async () => {
    const loaded = deferred<never[]>()
    const { supervisor, stop } = testSupervisor({
      taskLog: { store: { load: () => loaded.promise, append() {} } },
    })
    const started = errorOf(supervisor.start())
    expect(supervisor.state).toBe('starting')
    await stop({ wait: 100 })
    loaded.resolve([])
    expect(await started).toMatchObject({ code: 'ERR_SUPERVISOR_STOPPED' })
    await turns(3)
    expect(supervisor.state).toBe('stopped')
  })

  test('goes on without an executor that refuses to close, a moment after its bound, and a second stop brings that nearer', async () => {
    const closing = [deferred(), deferred(), deferred()]
    let closes = 0
    const own = { live: 0, idle: 0, resize() {}, async warm() {}, start: () => new Error('unused') as never }
    const close = (): Promise<void> => closing[closes++]!.promise
    const { supervisor, clock, lines } = await startedSupervisor({
      executors: { process: { ...own, close } },
    })
    const ended: number[] = []
    const stop = (wait: number) => supervisor.stop({ wait }).then(() => ended.push(clock.monotonic()))
    const begunAt = clock.monotonic()
    const first = stop(1_000)
    await turns()
    await clock.advance(1_149)
    expect([ended, supervisor.state]).toEqual([[], 'stopping'])
    await clock.advance(1)
    await first
    expect([ended, supervisor.state]).toEqual([[begunAt + 1_150], 'stopped'])
    expect(lines.filter(({ msg }) => /did not close/.test(String(msg)))).toHaveLength(1)

    await supervisor.start()
    const second = stop(60_000)
    await clock.advance(10_000)
    // What the first life has left behind says nothing about this one.
    closing[0]!.resolve()
    await turns()
    expect(supervisor.state).toBe('stopping')
    const sooner = stop(500)
    await clock.advance(650)
    await Promise.all([second, sooner])
    expect(ended.map((at) => at - begunAt)).toEqual([1_150, 11_800, 11_800])

    await supervisor.start()
    const third = stop(60_000)
    await turns()
    closing[2]!.resolve()
    await third
    expect(ended.at(-1)).toBe(begunAt + 11_800)
  })

  test('resolves block() and is announced', async () => {
    const { supervisor, stop, recorder } = await startedSupervisor()
    const blocked = supervisor.block()
    await stop()
    await blocked
    await supervisor.block()
    expect(recorder.types()).toEqual(['supervisor.started', 'supervisor.stopping', 'supervisor.stopped'])
  })

  test('settles every waiter', async () => {
    const { supervisor, stop } = await startedSupervisor(slots(1))
    const { task } = heldTask({ deaf: true })
    const runs = Array.from({ length: 20 }, () => supervisor.submit(task))
    const waits = runs.map((run) => errorOf(run.wait(86_400_000)))
    const progress = runs.map(async (run) => {
      for await (const _ of run.progress());
    })
    const external = supervisor.submitExternal({ start() {} })
    await stop()
    expect((await Promise.all(waits)).every(({ code }) => code === 'ERR_TASK_TERMINATED')).toBe(true)
    await Promise.all(progress)
    expect(await errorOf(external.result)).toMatchObject(STOPPED)
  })

  test('from inside a handler ends, too', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const task = taskOf(async () => {
      await supervisor.stop({ wait: 100 })
    })
    const run = supervisor.submit(task)
    await turns()
    await clock.advance(100)
    await supervisor.block()
    expect(run.state).toBe('terminated')
  })
})

describe('await using', () => {
  test('stops at the end of the block, with its default bound', async () => {
    const clock = new ManualClock()
    const make = () => createSupervisor({ clock, daemon: true })
    let left: ReturnType<typeof make>
    {
      await using supervisor = make()
      left = supervisor
      await supervisor.start()
      expect(await supervisor.submit(echoTask<number>(), 4).result).toBe(4)
    }
    expect(left.state).toBe('stopped')
  })
})
