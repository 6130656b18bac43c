/** What all workers have in common: start, stop, hooks, failures, names. */
import { describe, expect, test } from 'vitest'
import { fromCallback } from 'xstate'
import type { EventWorker, Supervisor } from '../../../src/index.ts'
import {
  deferred,
  errorOf,
  type HeldTask,
  heldTask,
  slots,
  startedSupervisor,
  taskOf,
  testSupervisor,
  thrownBy,
  turns,
} from '../../support/harness.ts'

const fail = (): never => {
  throw new Error('x')
}

describe('a worker', () => {
  test('made before the supervisor starts is started with it, in order, and runs nothing before', async () => {
    const { supervisor, of } = testSupervisor()
    const { task, calls } = heldTask()
    const first = supervisor.workers.interval({ name: 'first', task, intervalMs: 10 })
    supervisor.workers.event({ name: 'second', handler: () => {} })
    await turns()
    expect([first.state, calls.length]).toEqual(['stopped', 0])
    await supervisor.start()
    await turns()
    expect(calls).toHaveLength(1)
    expect(of('worker.started').map(({ worker }) => worker)).toEqual(['first', 'second'])
  })

  test.for([
    ['of a supervisor that runs', true],
    ['of one that was never started', false],
  ] as const)('that never lived has ended with the stop %s', async ([, runs]) => {
    const { supervisor } = testSupervisor()
    const options = { handler: () => {}, start: false }
    const worker = supervisor.workers.event({ name: 'w', ...options })
    const queue = supervisor.workers.queue<number>({ name: 'q', ...options })
    queue.tryPut(7)
    const ended = Promise.all([worker.ended, queue.ended])
    if (runs) await supervisor.start()
    await expect(supervisor.stop({ wait: 1_000 })).resolves.toMatchObject({ returned: { q: [7] } })
    await expect(ended).resolves.toEqual([{ kind: 'stopped' }, { kind: 'stopped' }])
    await expect(worker.ended).resolves.toEqual({ kind: 'stopped' })
  })

  test('that never lived may be started when its supervisor is started again', async () => {
    const { supervisor } = testSupervisor()
    const worker = supervisor.workers.event({ name: 'w', handler: () => {}, start: false })
    await supervisor.start()
    await supervisor.stop()
    await supervisor.start()
    expect(worker.state).toBe('stopped')
    await worker.start()
    expect([worker.state, worker.info().lives]).toEqual(['idle', 1])
  })

  test('has the calls of its kind, and no others', async () => {
    const { supervisor } = await startedSupervisor()
    const { workers } = supervisor
    const handler = (): void => {}
    const made = [
      workers.event({ name: 'event', handler, start: false }),
      workers.plain({ name: 'plain', handler, start: false }),
      workers.queue({ name: 'queue', handler, start: false }),
      workers.interval({ name: 'interval', handler, start: false, intervalMs: 5 }),
      workers.cron({ name: 'cron', handler, start: false, cron: '* * * * *' }),
      workers.rrule({ name: 'rrule', handler, start: false, rrule: 'FREQ=DAILY' }),
    ]
    const calls = ['trigger', 'reschedule', 'preview', 'nextAt', 'put']
    const had = made.map((worker) => [worker.name, ...calls.filter((call) => call in worker)].join(' '))
    expect(had).toEqual([
      'event trigger',
      'plain',
      'queue put',
      'interval trigger reschedule',
      'cron trigger reschedule preview nextAt',
      'rrule trigger reschedule preview nextAt',
    ])
  })

  test('start() before the supervisor is started hangs nobody: it is started with it', async () => {
    const { supervisor } = testSupervisor()
    const worker = supervisor.workers.event({ name: 'w', handler: () => {}, start: false })
    await worker.start()
    expect(worker.state).toBe('stopped')
    await supervisor.start()
    expect(worker.state).toBe('idle')
  })

  test('a second start starts nothing twice; start: false waits for one', async () => {
    const { supervisor, of } = await startedSupervisor()
    const { task, calls } = heldTask()
    const worker = supervisor.workers.interval({ name: 'w', task, intervalMs: 10, start: false })
    await turns()
    expect(calls).toHaveLength(0)
    await Promise.all([worker.start(), worker.start(), worker.start()])
    await turns()
    expect([calls.length, of('worker.started').length, worker.info().lives]).toEqual([1, 1, 1])
  })

  test('start(overrides) holds until the next start, and is refused while it lives', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const inputs: string[] = []
    const worker = supervisor.workers.interval<string>({
      name: 'w',
      handler: (input) => void inputs.push(input),
      input: 'a',
      intervalMs: 10,
      start: false,
    })
    await worker.start({ input: 'b', intervalMs: 5 })
    await clock.advance(5)
    expect(inputs).toEqual(['b', 'b'])
    expect(await errorOf(worker.start({ input: 'c' }))).toMatchObject({
      code: 'ERR_WORKER_STATE',
      worker: 'w',
    })
    await worker.stop()
    expect(await errorOf(worker.start({ intervalMs: -1 }))).toMatchObject({ code: 'ERR_OPTION_INVALID' })
    expect(await errorOf(worker.start({ name: 'x' } as never))).toMatchObject({ code: 'ERR_OPTION_UNKNOWN' })
    await worker.start({ delayAfterMs: 3 })
    await worker.stop()
    await worker.start()
    await clock.advance(9)
    expect(inputs).toEqual(['b', 'b', 'a', 'a'])
  })

  test('stop() lets the live run end, is idempotent, and instant while it waits', async () => {
    const { supervisor, clock, of } = await startedSupervisor()
    const { task, calls } = heldTask()
    const worker = supervisor.workers.interval({ name: 'w', task, intervalMs: 60_000 })
    await turns()
    const stops = [worker.stop(), worker.stop()]
    await clock.advance(10_000)
    expect([worker.state, calls.length]).toEqual(['stopping', 1])
    calls[0]!.resolve()
    expect(await Promise.all(stops)).toEqual([{ kind: 'stopped' }, { kind: 'stopped' }])
    expect(await worker.stop()).toEqual({ kind: 'stopped' })
    expect(of('worker.stopped')).toMatchObject([{ reason: 'asked' }])
    await worker.start()
    calls[1]?.resolve()
    await turns()
    calls[1]!.resolve()
    await turns()
    expect(worker.state).toBe('waiting')
    await worker.stop()
    expect(clock.pending).toBe(0)
  })

  test.each([
    ['shutdownMs', { shutdownMs: 50 }, {}],
    ['wait: ms', {}, { wait: 50 }],
  ])('stop() is bounded by %s', async (_, options, stop) => {
    const { supervisor, clock } = await startedSupervisor()
    const { task, calls } = heldTask({ deaf: true })
    const worker = supervisor.workers.event({ name: 'w', task, ...options })
    worker.trigger()
    await turns()
    const stopped = worker.stop(stop)
    await clock.advance(49)
    expect(worker.state).toBe('stopping')
    await clock.advance(1)
    await stopped
    expect([worker.state, supervisor.list()[0]?.state]).toEqual(['stopped', 'terminated'])
    calls[0]!.resolve()
    await turns()
  })

  test('stop({ wait: false }) ends it now', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls } = heldTask({ deaf: true })
    const worker = supervisor.workers.event({ name: 'w', task })
    worker.trigger()
    await turns()
    await worker.stop({ wait: false })
    expect(supervisor.list()[0]?.state).toBe('terminated')
    calls[0]!.resolve()
    await turns()
  })

  test('restart() ends the old run before the new life begins', async () => {
    const { supervisor, of } = await startedSupervisor()
    const { task, calls } = heldTask()
    const worker = supervisor.workers.interval({ name: 'w', task, intervalMs: 10 })
    await turns()
    const restarted = worker.restart()
    await turns()
    expect(calls).toHaveLength(1)
    calls[0]!.resolve()
    await restarted
    await turns()
    expect([calls.length, worker.info().lives]).toEqual([2, 2])
    expect(of('worker.restarted')).toMatchObject([{ worker: 'w', kind: 'interval', lives: 2 }])
  })

  test('its runs are those of its definition: run.worker and events name it, options go over', async () => {
    const { supervisor, of } = await startedSupervisor()
    const task = taskOf((n: number) => n * 2)
    const worker = supervisor.workers.event({ name: 'w', task, input: () => 21, run: { priority: 'high' } })
    worker.trigger()
    await turns()
    const [run] = supervisor.list({ name: task.name })
    expect([run!.worker, run!.priority, await run!.result]).toEqual(['w', 'high', 42])
    expect(of('task.finished')).toMatchObject([{ worker: 'w', value: 42 }])
    const other = supervisor.submit(task, 1)
    await other.result
    expect([other.worker, 'worker' in of('task.finished')[1]!]).toEqual([undefined, false])
  })

  test('puts its runs into their bands: what is due at once begins by priority', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const order: string[] = []
    const busy = supervisor.submit(heldTask().task)
    for (const priority of ['low', 'normal', 'high'] as const) {
      const handler = (): void => void order.push(priority)
      supervisor.workers.interval({ name: priority, handler, intervalMs: 10, run: { priority } })
    }
    await clock.advance(10)
    expect(order).toEqual([])
    busy.cancel()
    await turns()
    expect(order).toEqual(['high', 'normal', 'low'])
  })

  test('is in get, list and info, and gone after remove', async () => {
    const { supervisor, of } = await startedSupervisor()
    const { workers } = supervisor
    const { task, calls } = heldTask()
    const worker = workers.interval({ name: 'a', task, intervalMs: 10 })
    workers.event({ name: 'b', handler: () => {} })
    expect(workers.get('a')).toBe(worker)
    expect(workers.list().map(({ name }) => name)).toEqual(['a', 'b'])
    expect(supervisor.info().workers.map(({ name, kind, state }) => [name, kind, state])).toEqual([
      ['a', 'interval', 'active'],
      ['b', 'event', 'idle'],
    ])
    expect(supervisor.which().map(({ id, kind }) => [id, kind])).toEqual([
      ['a', 'worker'],
      ['b', 'worker'],
    ])
    await turns()
    const removed = workers.remove('a')
    await turns()
    expect(workers.get('a')).toBe(worker)
    calls[0]!.resolve()
    await removed
    expect([workers.get('a'), workers.list().length, of('worker.stopped').length]).toEqual([undefined, 1, 1])
    expect(await errorOf(workers.remove('a'))).toMatchObject({
      name: 'WorkerError',
      code: 'ERR_WORKER_UNKNOWN',
    })
    workers.interval({ name: 'a', handler: () => {}, intervalMs: 10 })
  })

  test('is an actor when somebody looks', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const worker = supervisor.workers.interval({ name: 'w', handler: () => {}, intervalMs: 10 })
    const seen: unknown[] = []
    expect(worker.actor.getSnapshot().value).toBe('active')
    worker.actor.subscribe(({ value }) => value !== seen.at(-1) && seen.push(value))
    await clock.advance(10)
    expect(seen).toEqual(['active', 'waiting', 'active', 'waiting'])
    expect(worker.actor).toBe(worker.actor)
  })

  test('does not run a disabled definition by itself, only when it is forced', async () => {
    const { supervisor, clock, of } = await startedSupervisor()
    const { task, calls } = heldTask({ disabled: true })
    const worker = supervisor.workers.interval({ name: 'w', task, intervalMs: 10 })
    await clock.advance(10)
    worker.trigger()
    expect([calls.length, of('worker.skipped').map(({ reason }) => reason)]).toEqual([
      0,
      ['disabled', 'disabled', 'disabled'],
    ])
    worker.trigger({ force: true })
    await turns()
    expect(calls).toHaveLength(1)
  })
})

describe('a worker is refused', () => {
  const handler = (): void => {}
  test.each([
    ['no interval', { handler }, 'ERR_OPTION_INVALID', /intervalMs, delayAfterMs or delayBeforeMs/],
    ['both', { handler, intervalMs: 1, delayAfterMs: 1 }, 'ERR_OPTION_INVALID', /not both/],
    ['zero', { handler, intervalMs: 0 }, 'ERR_OPTION_INVALID', /from 1 on, got 0 \(number\)/],
    ['negative', { handler, intervalMs: -5 }, 'ERR_OPTION_INVALID', /from 1 on, got -5/],
    ['infinite', { handler, intervalMs: Infinity }, 'ERR_OPTION_INVALID', /finite/],
    ['a text', { handler, intervalMs: '5s' }, 'ERR_OPTION_INVALID', /got "5s"/],
    ['a negative delay', { handler, delayAfterMs: -1 }, 'ERR_OPTION_INVALID', /delayAfterMs/],
    ['no work', { intervalMs: 1 }, 'ERR_OPTION_INVALID', /a task or a handler/],
    ['both works', { intervalMs: 1, handler, task: {} }, 'ERR_OPTION_INVALID', /not both/],
    ['no definition', { intervalMs: 1, task: {} }, 'ERR_OPTION_INVALID', /defineTask/],
    [
      'an unknown option',
      { handler, intervalMs: 1, intervall: 3 },
      'ERR_OPTION_UNKNOWN',
      /Did you mean "intervalMs"/,
    ],
    [
      'a bad overlap',
      { handler, intervalMs: 1, overlap: 'skips' },
      'ERR_OPTION_INVALID',
      /Did you mean "skip"/,
    ],
    ['times: 0', { handler, intervalMs: 1, times: 0 }, 'ERR_OPTION_INVALID', /times/],
    ['a bad restart type', { handler, intervalMs: 1, restart: 'always' }, 'ERR_OPTION_INVALID', /restart/],
    [
      'a bad hook',
      { handler, intervalMs: 1, hooks: { beforeRuns: handler } },
      'ERR_OPTION_UNKNOWN',
      /beforeRun/,
    ],
    [
      'a handler in a thread',
      { handler, intervalMs: 1, run: { execution: 'thread' } },
      'ERR_TASK_MODULE_MISSING',
      /thread/,
    ],
    ['no name', { handler, intervalMs: 1, name: '' }, 'ERR_OPTION_INVALID', /name/],
  ])('%s', async (_, options, code, message) => {
    const { supervisor } = await startedSupervisor()
    const error = thrownBy(() => supervisor.workers.interval({ name: 'w', ...options } as never))
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
    expect([supervisor.workers.list(), supervisor.which(), supervisor.list()]).toEqual([[], [], []])
  })

  test('with a name that is taken, until the other one is gone', async () => {
    const { supervisor } = await startedSupervisor()
    const options = { name: 'w', handler, intervalMs: 10 }
    supervisor.workers.interval(options)
    expect(thrownBy(() => supervisor.workers.plain({ name: 'w', handler }))).toMatchObject({
      name: 'WorkerError',
      code: 'ERR_WORKER_NAME_TAKEN',
      worker: 'w',
    })
    expect(supervisor.workers.list()).toHaveLength(1)
    await supervisor.workers.remove('w')
    supervisor.workers.plain({ name: 'w', handler: () => false })
  })

  test('on a supervisor that was stopped', async () => {
    const { supervisor, stop } = await startedSupervisor()
    await stop()
    expect(thrownBy(() => supervisor.workers.event({ name: 'w', handler }))).toMatchObject({
      code: 'ERR_SUPERVISOR_STOPPED',
    })
  })
})

describe('hooks', () => {
  test('are called in order, each waited for, with what they are about', async () => {
    const { supervisor } = await startedSupervisor()
    const story: string[] = []
    const gate = deferred<void>()
    const worker = supervisor.workers.event<number, number>({
      name: 'w',
      handler: (n) => {
        story.push('run')
        return n + 1
      },
      input: 1,
      hooks: {
        beforeStart: async ({ worker: { name } }) => {
          await gate.promise
          story.push(`beforeStart ${name}`)
        },
        afterStart: ({ worker: { state } }) => story.push(`afterStart ${state}`),
        beforeRun: async ({ input, by, run }) => void story.push(`beforeRun ${input} ${by} ${run}`),
        afterRun: async ({ outcome, run }) => void story.push(`afterRun ${outcome?.kind} ${run?.state}`),
        beforeStop: async ({ worker: { state } }) => void story.push(`beforeStop ${state}`),
        afterStop: async ({ worker: own }) => void story.push(`afterStop ${own.info().live}`),
      },
      afterResult: async (value, { input }) => void story.push(`afterResult ${input} ${value}`),
    })
    await turns()
    expect([worker.state, story]).toEqual(['starting', []])
    gate.resolve()
    await turns()
    worker.trigger()
    await turns()
    await worker.stop()
    expect(story).toEqual([
      'beforeStart w',
      'afterStart idle',
      'beforeRun 1 trigger undefined',
      'run',
      'afterResult 1 2',
      'afterRun finished finished',
      'beforeStop stopping',
      'afterStop 0',
    ])
  })

  test('a beforeStart that throws fails the start: nothing is listed', async () => {
    const { supervisor, of } = await startedSupervisor()
    const options = { name: 'w', handler: () => {}, hooks: { beforeStart: fail } }
    expect(thrownBy(() => supervisor.workers.event(options))).toMatchObject({
      code: 'ERR_CHILD_START_FAILED',
    })
    expect([supervisor.workers.list(), of('worker.failed').length]).toEqual([[], 1])
  })

  test.each(['permanent', 'transient', 'temporary'] as const)(
    'a beforeStart that rejects later is the business of who starts it: %s',
    async (restart) => {
      const { supervisor, clock, of } = await startedSupervisor({ supervision: { intensity: 0 } })
      let failing = true
      const hooks = {
        async beforeStart() {
          if (failing) throw new Error('no')
        },
      }
      // The call has returned when it fails.
      const options = { name: 'w', handler: () => {}, intervalMs: 10, hooks, restart }
      const made = supervisor.workers.interval(options)
      expect(await made.ended).toMatchObject({ kind: 'failed' })
      await clock.advance(60_000)
      expect([made.state, made.info().lives, supervisor.state]).toEqual(['failed', 1, 'running'])
      expect([of('worker.failed').length, of('child.failed').length, of('child.restarting')]).toEqual([
        1,
        1,
        [],
      ])
      if (restart === 'temporary') return expect(supervisor.workers.list()).toEqual([])
      expect(await errorOf(made.start())).toMatchObject({ code: 'ERR_CHILD_START_FAILED', child: 'w' })
      expect(await errorOf(made.restart())).toMatchObject({ code: 'ERR_CHILD_START_FAILED', child: 'w' })
      await clock.advance(60_000)
      expect([made.state, made.info().lives, supervisor.state]).toEqual(['failed', 3, 'running'])
      failing = false
      await made.start()
      await clock.advance(10)
      expect([made.state, made.info().runs]).toEqual(['waiting', 2])
      // Restarted by hand while it lives, and not coming up again: whoever asked is told.
      failing = true
      expect(await errorOf(made.restart())).toMatchObject({ code: 'ERR_CHILD_START_FAILED' })
      await clock.advance(60_000)
      expect([made.state, supervisor.state]).toEqual(['failed', 'running'])
    },
  )

  test('a beforeStart that fails after a crash has crashed again', async () => {
    const { supervisor, clock } = await startedSupervisor({ supervision: { intensity: 1 } })
    let starts = 0
    supervisor.workers.interval({
      name: 'w',
      intervalMs: 10,
      onFailure: 'fail',
      handler: fail,
      hooks: {
        async beforeStart() {
          starts += 1
          if (starts > 1) throw new Error('no')
        },
      },
    })
    const closed = errorOf(supervisor.closed)
    await clock.advance(10_000)
    expect([(await closed).code, starts]).toEqual(['ERR_RESTART_INTENSITY', 2])
  })

  test('a beforeStart that throws while the supervisor starts fails its start', async () => {
    const { supervisor } = testSupervisor()
    supervisor.workers.event({ name: 'w', handler: () => {}, hooks: { beforeStart: fail } })
    expect(await errorOf(supervisor.start())).toMatchObject({ code: 'ERR_SUPERVISOR_START_FAILED' })
  })

  test('a beforeRun that throws fails the run, which is not submitted', async () => {
    const { supervisor } = await startedSupervisor()
    const errors: unknown[] = []
    const worker = supervisor.workers.event({
      name: 'w',
      handler: () => {},
      hooks: { beforeRun: async () => fail() },
      onError: (error, { run }) => void errors.push((error as Error).message, run),
    })
    worker.trigger()
    await turns()
    expect([errors, supervisor.list().length]).toEqual([['x', undefined], 0])
    expect([worker.state, worker.info().failures]).toEqual(['idle', 1])
  })

  test('what the others throw is logged, and hurts nothing', async () => {
    const { supervisor, lines } = await startedSupervisor()
    const worker = supervisor.workers.event({
      name: 'w',
      handler: () => {},
      hooks: {
        afterStart: fail,
        afterRun: async () => fail(),
        beforeStop: fail,
        afterStop: async () => fail(),
      },
    })
    worker.trigger()
    await turns()
    expect(worker.info()).toMatchObject({ state: 'idle', runs: 1, failures: 0 })
    await worker.stop()
    const logged = lines.filter(({ msg }) => msg === 'a hook of a worker threw').map(({ hook }) => hook)
    expect(logged).toEqual(['afterStart', 'afterRun', 'beforeStop', 'afterStop'])
  })

  test('that never end do not hold up a kill', async () => {
    const { supervisor } = await startedSupervisor()
    const hang = (): Promise<never> => new Promise(() => {})
    const starting = supervisor.workers.event({ name: 'a', handler: () => {}, hooks: { beforeStart: hang } })
    const running = supervisor.workers.event({ name: 'b', handler: () => {}, hooks: { afterRun: hang } })
    const stopping = supervisor.workers.event({ name: 'c', handler: () => {}, hooks: { beforeStop: hang } })
    running.trigger()
    await turns()
    expect([starting.state, running.info().live]).toEqual(['starting', 1])
    await Promise.all([starting, running, stopping].map((worker) => worker.stop({ wait: false })))
    expect(supervisor.workers.list().map(({ state }) => state)).toEqual(['stopped', 'stopped', 'stopped'])
  })

  test('stop while beforeStart is under way: it never comes up', async () => {
    const { supervisor, of } = await startedSupervisor()
    const gate = deferred<void>()
    const worker = supervisor.workers.event({
      name: 'w',
      handler: () => {},
      hooks: { beforeStart: () => gate.promise },
    })
    const stopped = worker.stop()
    gate.resolve()
    await stopped
    expect([worker.state, of('worker.started')]).toEqual(['stopped', []])
  })
})

describe('a run', () => {
  test.each([
    ['false', false, 'stopped'],
    ['0', 0, 'idle'],
    ['undefined', undefined, 'idle'],
  ])('that returns %s leaves its worker %s', async (_, value, state) => {
    const { supervisor } = await startedSupervisor()
    const worker = supervisor.workers.event({ name: 'w', handler: () => value as unknown })
    worker.trigger()
    await turns()
    expect(worker.state).toBe(state)
  })

  test('whose value afterResult answers with false stops its worker', async () => {
    const { supervisor } = await startedSupervisor()
    const worker = supervisor.workers.event({
      name: 'w',
      handler: () => 7,
      afterResult: async (value) => value < 7,
    })
    worker.trigger()
    await expect(worker.ended).resolves.toMatchObject({ kind: 'done' })
  })

  test('that fails: onError gets its typed error, and by default the worker goes on', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const errors: unknown[] = []
    const worker = supervisor.workers.interval({
      name: 'w',
      handler: fail,
      intervalMs: 10,
      onError: (error, { by, run, outcome }) =>
        void errors.push([(error as Error).cause, by, run?.state, outcome?.kind]),
    })
    await clock.advance(10)
    expect(errors).toEqual([
      [new Error('x'), 'schedule', 'failed', 'failed'],
      [new Error('x'), 'schedule', 'failed', 'failed'],
    ])
    expect(worker.info()).toMatchObject({ state: 'waiting', runs: 2, failures: 2 })
  })

  test('that fails with onFailure: fail ends the worker, which its restart type follows', async () => {
    const { supervisor, clock, of } = await startedSupervisor()
    const worker = supervisor.workers.interval({
      name: 'w',
      handler: fail,
      intervalMs: 1_000,
      onFailure: 'fail',
    })
    await turns()
    expect(worker.state).toBe('failed')
    await clock.advance(100)
    expect(of('worker.failed')).toMatchObject([{ error: { code: 'ERR_TASK_THREW' } }, {}])
    expect(of('worker.restarted')).toMatchObject([{ lives: 2 }])
    await supervisor.workers.remove('w')
  })

  test('whose onError throws fails the worker', async () => {
    const { supervisor } = await startedSupervisor()
    const worker = supervisor.workers.event({ name: 'w', handler: fail, restart: 'temporary', onError: fail })
    worker.trigger()
    await turns()
    expect(worker.state).toBe('failed')
    // A temporary one is no longer listed when it has ended.
    expect(supervisor.workers.get('w')).toBeUndefined()
  })

  test('that is cancelled or stopped is no failure of its worker', async () => {
    const { supervisor } = await startedSupervisor()
    const { task } = heldTask()
    const worker = supervisor.workers.event({ name: 'w', task, onFailure: 'fail' })
    worker.trigger()
    await turns()
    supervisor.list()[0]!.cancel()
    await turns()
    expect(worker.info()).toMatchObject({ state: 'idle', failures: 0, runs: 1 })
  })

  test('that runs too long is one', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task } = heldTask({ runTimeoutMs: 10 })
    const worker = supervisor.workers.event({ name: 'w', task })
    worker.trigger()
    await clock.advance(10)
    expect(worker.info()).toMatchObject({ state: 'idle', failures: 1 })
  })

  test('that another live one stands for is skipped', async () => {
    const { supervisor, of } = await startedSupervisor()
    const { task, calls } = heldTask({ multilaunch: false, onConflict: 'skip' })
    supervisor.submit(task)
    await turns()
    const worker = supervisor.workers.event({ name: 'w', task })
    worker.trigger()
    await turns()
    expect([calls.length, worker.state, of('worker.skipped')[0]?.reason]).toEqual([1, 'idle', 'live'])
  })
})

describe('stop of the supervisor', () => {
  test('stops workers in reverse order, lets their runs end, and accepts none of theirs that is too late', async () => {
    const { supervisor, of, clock } = await startedSupervisor()
    const { task, calls } = heldTask()
    supervisor.workers.interval({ name: 'a', task, intervalMs: 10, missed: 'all' })
    supervisor.workers.event({ name: 'b', handler: () => {} })
    await turns()
    const stopped = supervisor.stop({ wait: true })
    await clock.advance(50)
    expect([supervisor.state, calls.length]).toEqual(['draining', 1])
    calls[0]!.resolve()
    const report = await stopped
    expect(of('worker.stopped').map(({ worker }) => worker)).toEqual(['b', 'a'])
    expect(report.children.map(({ id, kind }) => [id, kind])).toEqual([
      ['b', 'worker'],
      ['a', 'worker'],
    ])
    expect(clock.pending).toBe(0)
    await supervisor.start()
    await turns()
    expect(calls).toHaveLength(2)
  })

  test('is bounded: a worker with a deaf run is killed at its bound', async () => {
    const { supervisor, stop } = await startedSupervisor()
    const { task, calls } = heldTask({ deaf: true })
    const worker = supervisor.workers.interval({ name: 'a', task, intervalMs: 10 })
    await turns()
    await stop({ wait: 1_000, graceMs: 100 })
    expect([worker.state, supervisor.state]).toEqual(['stopped', 'stopped'])
    calls[0]!.resolve()
    await turns()
  })
})

describe('a run that waits for a slot when its worker ends', () => {
  const busy = async (supervisor: Supervisor): Promise<HeldTask<void>> => {
    const held = heldTask()
    supervisor.submit(held.task)
    await turns()
    return held
  }

  test.each([
    ['stop()', (supervisor: Supervisor) => supervisor.workers.get('w')?.stop()],
    ['remove()', (supervisor: Supervisor) => supervisor.workers.remove('w')],
    ['child.stop()', (supervisor: Supervisor) => supervisor.child('w')?.stop()],
  ])('is ended by %s, also while the supervisor is paused', async (_, end) => {
    const { supervisor, of } = await startedSupervisor(slots(1))
    await busy(supervisor)
    supervisor.pause()
    const ran: number[] = []
    const worker = supervisor.workers.interval({
      name: 'w',
      intervalMs: 10,
      handler: () => void ran.push(1),
      afterResult: () => void ran.push(2),
      onError: () => void ran.push(3),
    })
    expect(worker.info().live).toBe(1)
    await end(supervisor)
    expect([worker.state, worker.info().live, ran]).toEqual(['stopped', 0, []])
    expect(of('task.terminated')).toMatchObject([{ worker: 'w', reason: 'stop', step: 'none' }])
    supervisor.resume()
  })

  test('is not submitted after all when beforeRun is under way', async () => {
    const { supervisor, of } = await startedSupervisor()
    const hook = deferred<void>()
    const worker = supervisor.workers.event({
      name: 'w',
      handler: () => {},
      hooks: { beforeRun: () => hook.promise },
    })
    worker.trigger()
    await turns()
    const stopped = worker.stop()
    hook.resolve()
    expect(await stopped).toEqual({ kind: 'stopped' })
    expect(of('worker.triggered')).toEqual([])
  })

  test('one that has begun goes on', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const { task, calls } = heldTask()
    const worker = supervisor.workers.interval({ name: 'w', task, intervalMs: 10, overlap: 'allow' })
    worker.trigger()
    await turns()
    expect([worker.info().live, calls.length]).toEqual([2, 1])
    const stopped = worker.stop()
    await turns()
    expect([worker.state, worker.info().live, calls.length]).toEqual(['stopping', 1, 1])
    calls[0]?.resolve()
    await stopped
  })

  test('still runs when the supervisor stops and works off what is queued', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const { calls } = await busy(supervisor)
    const ran = deferred<void>()
    supervisor.workers.interval({ name: 'w', intervalMs: 10, handler: () => ran.resolve() })
    const stopped = supervisor.stop()
    await turns()
    calls[0]?.resolve()
    await ran.promise
    expect((await stopped).children).toMatchObject([{ id: 'w', step: 'none' }])
  })

  test('does not when the supervisor is told to end what is queued', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const { calls } = await busy(supervisor)
    const ran: number[] = []
    const worker = supervisor.workers.interval({ name: 'w', intervalMs: 10, handler: () => void ran.push(1) })
    const stopped = supervisor.stop({ cancelTasks: 'queued' })
    await turns()
    expect([worker.state, supervisor.state]).toEqual(['stopped', 'draining'])
    calls[0]?.resolve()
    await stopped
    expect(ran).toEqual([])
  })
})

describe('a start that fails', () => {
  const broken = fromCallback(() => {
    throw new Error('no')
  })

  test.each(['interval', 'cron', 'plain', 'event', 'queue'] as const)(
    'ends a worker of kind %s, whose first run has no slot yet',
    async (kind) => {
      const { supervisor, of } = testSupervisor()
      const handler = (): void => {}
      const { workers } = supervisor
      if (kind === 'interval') workers.interval({ name: 'w', intervalMs: 1_000, handler })
      else if (kind === 'cron') workers.cron({ name: 'w', cron: '* * * * * *', handler })
      else if (kind === 'plain') workers.plain({ name: 'w', handler })
      else if (kind === 'queue') await workers.queue<number>({ name: 'w', handler }).putMany([1, 2, 3])
      else {
        const worker: EventWorker = workers.event({ name: 'w', handler })
        supervisor.on('worker.started', () => worker.trigger())
      }
      supervisor.spawn(broken, { id: 'bad' })
      const error = await errorOf(supervisor.start())
      expect(error.code).toBe('ERR_SUPERVISOR_START_FAILED')
      expect([supervisor.state, workers.get('w')?.state, supervisor.count().active]).toEqual([
        'failed',
        'stopped',
        0,
      ])
      expect(of('task.finished')).toEqual([])
      const { returned } = await supervisor.stop({ wait: false })
      expect(returned).toEqual(kind === 'queue' ? { w: [1, 2, 3] } : {})
    },
  )
})
