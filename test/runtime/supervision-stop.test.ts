/** Children while their supervisor stops: order, bounds, report, and work that is still done. */
import { describe, expect, test } from 'vitest'
import { fromCallback, setup } from 'xstate'
import { createSupervisor, fromTask, type Supervisor, supervisorLogic } from '../../src/index.ts'
import { echo, endless } from '../fixtures/loops/tasks.ts'
import {
  deferred,
  echoTask,
  errorOf,
  heldTask,
  memoryLogger,
  slots,
  startedSupervisor,
  testSupervisor,
  thrownBy,
  turns,
} from '../support/harness.ts'
import { puppet } from '../support/puppet.ts'

describe('a graceful end', () => {
  test('sends child.stop to a machine that takes it, and waits for its final state', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const machine = setup({ delays: { flush: 300 } }).createMachine({
      initial: 'up',
      states: {
        up: { on: { 'child.stop': 'flushing' } },
        flushing: { after: { flush: 'over' } },
        over: { type: 'final' },
      },
    })
    const child = supervisor.spawn(machine, { id: 'one' })
    const stopped = child.stop()
    await clock.advance(299)
    expect(child.state).toBe('stopping')
    await clock.advance(1)
    expect([await stopped, child.state]).toEqual([{ kind: 'done', output: undefined }, 'stopped'])
  })

  test('sends the shutdownEvent it was spawned with', async () => {
    const { supervisor } = await startedSupervisor()
    const got: unknown[] = []
    const logic = fromCallback(({ receive }) => receive((event) => void got.push(event)))
    const child = supervisor.spawn(logic, { id: 'one', shutdownEvent: { type: 'close' }, shutdownMs: 0 })
    const other = supervisor.spawn(logic, { id: 'two', shutdownEvent: { type: 'close' } })
    void other.stop()
    await child.stop()
    expect(got).toEqual([{ type: 'close' }])
  })

  test.each(['deaf', 'rude'] as const)(
    'of a %s machine: the actor is stopped in its time',
    async (manner) => {
      const { supervisor, clock, of } = await startedSupervisor()
      const child = supervisor.spawn(puppet({ manner }).machine, { id: 'one', shutdownMs: 200 })
      const { actor } = child
      const stopped = child.stop()
      await clock.advance(199)
      expect(child.state).toBe(manner === 'deaf' ? 'stopping' : 'stopped')
      await clock.advance(1)
      expect([await stopped, actor?.getSnapshot().status]).toEqual([{ kind: 'stopped' }, 'stopped'])
      expect(of('child.stopped')).toMatchObject([{ step: manner === 'deaf' ? 'kill' : 'none' }])
    },
  )

  test('does not take a catch-all for an answer', async () => {
    const { supervisor } = await startedSupervisor()
    const child = supervisor.spawn(setup({}).createMachine({ on: { '*': {} } }), { id: 'one' })
    await child.stop()
    expect(child.state).toBe('stopped')
  })

  test('asked for by the child itself, in the middle of its own step, is done after the step', async () => {
    const { supervisor } = await startedSupervisor()
    const machine = setup({
      actions: { leave: () => void child.stop(), restart: () => void child.restart() },
    }).createMachine({ on: { leave: { actions: 'leave' }, again: { actions: 'restart' } } })
    const child = supervisor.spawn(machine, { id: 'one', systemId: 'one' })
    child.actor!.send({ type: 'again' })
    expect([child.state, child.restarts]).toEqual(['running', 1])
    child.actor!.send({ type: 'leave' })
    expect([child.state, child.actor]).toEqual(['stopped', undefined])
  })

  test('runs the disposers of what the child invoked', async () => {
    const { supervisor, stop } = await startedSupervisor()
    const story: string[] = []
    const resource = fromCallback(() => () => void story.push('disposed'))
    const machine = setup({ actors: { resource } }).createMachine({ invoke: { src: 'resource' } })
    supervisor.spawn(machine, { id: 'one' })
    await stop({ wait: true })
    expect(story).toEqual(['disposed'])
  })
})

describe('stop', () => {
  test('reports what each child and each run needed', async () => {
    const { supervisor, clock } = await startedSupervisor({ defaults: { graceMs: 500 } })
    const group = supervisor.group('g')
    supervisor.spawn(puppet().machine, { id: 'graceful' })
    group.spawn(puppet({ manner: 'deaf' }).machine, { id: 'own', shutdownMs: 100 })
    group.spawn(puppet({ manner: 'deaf' }).machine, { id: 'deaf', shutdownMs: Number.POSITIVE_INFINITY })
    const { task } = heldTask({ deaf: true })
    supervisor.submit(task)
    supervisor.submit(heldTask().task)
    await turns()
    const stopped = supervisor.stop({ wait: 1_000 })
    await clock.advance(1_000)
    expect(await stopped).toEqual({
      children: [
        { id: 'graceful', kind: 'actor', step: 'none', ms: 0 },
        { id: 'g/own', kind: 'actor', step: 'kill', ms: 100 },
        { id: 'g/deaf', kind: 'actor', step: 'kill', ms: 1_000 },
        { id: 'g', kind: 'group', step: 'kill', ms: 1_000 },
      ],
      tasks: { ended: 0, none: 0, signal: 1, terminate: 0, kill: 0, abandon: 1 },
      returned: {},
    })
  })

  test.each([true, 'queued', false] as const)(
    'counts runs that had not begun, cancelTasks: %s',
    async (cancelTasks) => {
      const { supervisor, clock } = await startedSupervisor({ ...slots(1), defaults: { graceMs: 500 } })
      const { task } = heldTask()
      for (let i = 0; i < 2; i += 1) supervisor.submit(task)
      supervisor.submit(task, undefined, { delayMs: 1_000 })
      await turns()
      const stopped = supervisor.stop({ wait: 1_000, cancelTasks })
      await clock.advance(500)
      const { tasks } = await stopped
      expect(tasks).toEqual({ ended: 0, none: 2, signal: 1, terminate: 0, kill: 0, abandon: 0 })
    },
  )

  test('tells of loops whose threads had to be killed once each, and starts no other thread', async () => {
    const { supervisor, recorder, of, stop, lines } = await startedSupervisor({ debug: true })
    const names = ['one', 'two', 'three']
    for (const name of names) {
      supervisor.createLoop(name)
      supervisor.submit(endless, undefined, { loop: name })
    }
    await recorder.until(() => of('task.progress').length === names.length)
    const stopped = supervisor.stop({ wait: 1_000, graceMs: 500 })
    await stop({ wait: 1_000, graceMs: 500 })
    const { children, tasks } = await stopped
    expect(children.map(({ id, step }) => `${id} ${step}`).sort()).toEqual([
      'one kill',
      'three kill',
      'two kill',
    ])
    expect(tasks).toMatchObject({ ended: 0, kill: names.length })
    // As long as one of them is awaited the others could come up again.
    const starts = lines.filter(({ machine, event }) => machine === 'loop' && event === 'loop.start')
    expect(starts.map(({ id }) => id)).toEqual(names)
    await supervisor.start()
    expect(await supervisor.getLoop('one').run(echo, 'again')).toBe('again')
  })

  test('counts a run that is cancelled meanwhile by the step it needed', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const deaf = heldTask({ deaf: true, graceMs: 10 })
    const run = supervisor.submit(deaf.task)
    const heeds = supervisor.submit(heldTask().task)
    const last = heldTask()
    supervisor.submit(last.task)
    await turns()
    const stopped = supervisor.stop({ wait: true })
    run.cancel()
    heeds.cancel()
    await clock.advance(10)
    last.calls[0]?.resolve()
    expect((await stopped).tasks).toMatchObject({ ended: 1, signal: 1, abandon: 1 })
    deaf.calls[0]?.resolve()
  })

  test('counts runs that it ends at once: with wait: false, and before the start', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const idle = testSupervisor(slots(1)).supervisor
    const { task } = heldTask()
    for (const one of [supervisor, idle]) {
      for (let i = 0; i < 2; i += 1) one.submit(task)
      one.submit(task, undefined, { delayMs: 1_000 })
    }
    await turns()
    const none = { ended: 0, none: 3, signal: 0, terminate: 0, kill: 0, abandon: 0 }
    expect((await supervisor.stop({ wait: false })).tasks).toEqual({ ...none, none: 2, signal: 1 })
    expect((await idle.stop({ wait: false })).tasks).toEqual(none)
  })

  test('tells of a child once, by its last life, when a recovery goes on meanwhile', async () => {
    const { supervisor, clock, of } = await startedSupervisor({ random: () => 0.5 })
    const group = supervisor.group('g', { strategy: 'one-for-all', backoff: { initialMs: 10 } })
    const held = group.spawn(puppet().machine, { id: 'held' })
    const culprit = group.spawn(puppet().machine, { id: 'culprit' })
    supervisor.spawn(puppet({ manner: 'deaf' }).machine, { id: 'deaf', shutdownMs: 100 })
    supervisor.spawn(puppet({ manner: 'deaf' }).machine, { id: 'brief', shutdownMs: 5 })
    const stopped = supervisor.stop({ wait: true })
    culprit.actor!.send({ type: 'crash' })
    await clock.advance(50)
    // Both live again: the turn of their group has not come.
    expect([held.state, culprit.state]).toEqual(['running', 'running'])
    await clock.advance(60)
    const { children } = await stopped
    expect(children.map(({ id, step, ms }) => `${id} ${step} ${ms}`)).toEqual([
      'brief kill 5',
      'deaf kill 100',
      'g/culprit none 0',
      'g/held none 0',
      'g none 0',
    ])
    expect(of('child.stopped').map(({ child }) => child)).toEqual([
      'g/held',
      'brief',
      'deaf',
      'g/culprit',
      'g/held',
      'g',
    ])
  })

  test('tells of a life that ended once, also when a recovery was waiting for its backoff', async () => {
    const { supervisor, clock, of } = await startedSupervisor()
    const group = supervisor.group('g', { strategy: 'one-for-all', backoff: { initialMs: 60_000 } })
    group.spawn(puppet().machine, { id: 'held' })
    const culprit = group.spawn(puppet().machine, { id: 'culprit' })
    supervisor.spawn(puppet({ manner: 'deaf' }).machine, { id: 'deaf', shutdownMs: 100 })
    const stopped = supervisor.stop({ wait: true })
    culprit.actor!.send({ type: 'crash' })
    await clock.advance(100)
    const { children } = await stopped
    expect(children.map(({ id, step }) => `${id} ${step}`)).toEqual([
      'g/culprit ended',
      'g/held none',
      'deaf kill',
      'g none',
    ])
    expect(of('child.stopped').map(({ child }) => child)).toEqual(['g/held', 'deaf', 'g'])
  })

  test('tells of children that ended by themselves before their turn', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const early = supervisor.spawn(puppet().machine, { id: 'early', restart: 'temporary' })
    supervisor.spawn(puppet({ manner: 'deaf' }).machine, { id: 'deaf', shutdownMs: 100 })
    const stopped = supervisor.stop({ wait: true })
    await clock.advance(50)
    early.actor!.send({ type: 'end' })
    await clock.advance(50)
    expect((await stopped).children).toEqual([
      { id: 'early', kind: 'actor', step: 'ended', ms: 0 },
      { id: 'deaf', kind: 'actor', step: 'kill', ms: 100 },
    ])
  })

  test('has a report of its own for each life, also when the next one begins at once', async () => {
    const { supervisor, stop } = await startedSupervisor()
    supervisor.spawn(puppet().machine, { id: 'one' })
    supervisor.on('supervisor.stopped', () => void supervisor.start())
    const { children } = await supervisor.stop()
    expect(children.map(({ id }) => id)).toEqual(['one'])
    await turns()
    await supervisor.child('one')!.remove()
    const second = supervisor.stop()
    await stop()
    expect((await second).children).toEqual([])
  })

  test('lets children end in reverse while what was accepted goes on, within one bound for all', async () => {
    const { supervisor, clock } = await startedSupervisor({ defaults: { graceMs: 0 } })
    const children = [1, 2, 3].map((n) =>
      supervisor.spawn(puppet({ manner: 'deaf' }).machine, { id: `c${n}`, shutdownMs: 400 }),
    )
    const states = (): string => children.map(({ state }) => state).join()
    const { task, calls } = heldTask<void>()
    const run = supervisor.submit(task)
    await turns()
    const stopped = supervisor.stop({ wait: 1_000 })
    expect([supervisor.state, states()]).toEqual(['draining', 'running,running,stopping'])
    await clock.advance(400)
    expect(states()).toBe('running,stopping,stopped')
    calls[0]!.resolve()
    await run.result
    await clock.advance(400)
    expect(states()).toBe('stopping,stopped,stopped')
    // Each has its own time, and all together no more than the bound.
    await clock.advance(199)
    expect(supervisor.state).toBe('draining')
    await clock.advance(1)
    expect([states(), supervisor.state]).toEqual(['stopped,stopped,stopped', 'stopped'])
    expect((await stopped).children.map(({ ms }) => ms)).toEqual([400, 400, 200])
  })

  test('waits for children without bound when it has none, and a second stop ends them', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const child = supervisor.spawn(puppet({ manner: 'deaf' }).machine, {
      id: 'one',
      shutdownMs: Number.POSITIVE_INFINITY,
    })
    const first = supervisor.stop({ wait: true })
    await clock.advance(86_400_000)
    expect([supervisor.state, child.state]).toEqual(['draining', 'stopping'])
    const second = supervisor.stop({ wait: 100, graceMs: 50 })
    await clock.advance(100)
    await Promise.all([first, second])
    expect(child.state).toBe('stopped')
  })

  test('wait: false kills all at once', async () => {
    const { supervisor, stop, clock } = await startedSupervisor()
    const story: string[] = []
    for (const id of ['a', 'b']) {
      supervisor.spawn(puppet({ name: id, story, manner: 'deaf' }).machine, {
        id,
        shutdownMs: Number.POSITIVE_INFINITY,
      })
    }
    const before = clock.monotonic()
    await stop({ wait: false })
    expect([supervisor.state, clock.monotonic() - before]).toEqual(['stopped', 0])
  })

  test('in every moment of a start ends what was started', async () => {
    const { supervisor, stop } = await startedSupervisor()
    await stop()
    const slow = setup({}).createMachine({ initial: 'a', states: { a: {} } })
    expect(thrownBy(() => supervisor.spawn(slow, { id: 'one' })).code).toBe('ERR_SUPERVISOR_STOPPED')
    const started = supervisor.start()
    const stopped = supervisor.stop({ wait: true })
    expect(await errorOf(started)).toMatchObject({ code: 'ERR_SUPERVISOR_STOPPED' })
    await stopped
    expect(supervisor.state).toBe('stopped')
  })

  test.each(['a worker', 'a supervisor below'])('ends a start that %s holds up', async (what) => {
    const { supervisor, clock } = testSupervisor()
    const never = heldTask({ deaf: true })
    supervisor.spawn(puppet().machine, { id: 'before' })
    if (what === 'a worker') {
      const beforeStart = (): Promise<never> => new Promise(() => {})
      supervisor.workers.event({ name: 'late', handler: () => {}, hooks: { beforeStart } })
    } else {
      const options = { clock, daemon: true, logger: memoryLogger([]), onStartup: [never.task] }
      const late = supervisorLogic(() => createSupervisor(options))
      supervisor.spawn(late, { id: 'late' })
    }
    supervisor.spawn(puppet().machine, { id: 'after' })
    const started = errorOf(supervisor.start())
    await clock.advance(3_600_000)
    expect(supervisor.which().map(({ state }) => state)).toEqual(['running', 'starting', 'waiting'])
    const stopped = supervisor.stop({ wait: 1_000 })
    await clock.advance(1_000)
    expect(await started).toMatchObject({ code: 'ERR_SUPERVISOR_STOPPED' })
    expect((await stopped).children).toMatchObject([
      // The bound is shorter than the grace: all were hurried at once.
      { id: 'before', step: 'signal', ms: 0 },
      { id: 'late', step: 'kill', ms: 1_000 },
    ])
    expect([supervisor.state, clock.pending]).toEqual(['stopped', 0])
  })

  test('refuses children as soon as it has begun', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const group = supervisor.group('g')
    const resting = supervisor.spawn(puppet().machine, { id: 'resting' })
    await resting.stop()
    supervisor.spawn(puppet({ manner: 'deaf' }).machine, { id: 'deaf', shutdownMs: 100 })
    const stopped = supervisor.stop({ wait: true })
    for (const owner of [supervisor, group]) {
      const refused = thrownBy(() => owner.spawn(puppet().machine, { id: 'late' }))
      expect(refused).toMatchObject({ name: 'SupervisorStateError', code: 'ERR_SUPERVISOR_STOPPED' })
    }
    expect(await errorOf(resting.start())).toMatchObject({ code: 'ERR_SUPERVISOR_STOPPED' })
    await clock.advance(100)
    await stopped
  })

  test('keeps a child from being restarted', async () => {
    const { supervisor, stop, clock, of } = await startedSupervisor()
    const child = supervisor.spawn(puppet().machine, { id: 'one' })
    child.actor!.send({ type: 'crash' })
    await stop({ wait: true })
    await clock.advance(60_000)
    expect([child.state, of('child.restarted').length]).toEqual(['stopped', 0])
  })

  test('lets children submit while it drains, through fromTask; outsiders are refused', async () => {
    const { supervisor } = await startedSupervisor()
    const gate = deferred()
    const flush = heldTask<void>()
    const flusher = (owner: Supervisor) =>
      setup({ actors: { flush: fromTask(owner, flush.task) } }).createMachine({
        initial: 'up',
        states: {
          up: { on: { 'child.stop': 'flushing' } },
          flushing: { invoke: { src: 'flush', onDone: 'over', onError: 'failed' } },
          over: { type: 'final' },
          failed: {},
        },
      })
    const child = supervisor.spawn(flusher(supervisor), { id: 'one' })
    const stopped = supervisor.stop({ wait: true })
    await turns()
    expect(thrownBy(() => supervisor.submit(echoTask())).code).toBe('ERR_SUPERVISOR_STOPPED')
    flush.calls[0]!.resolve()
    gate.resolve()
    await stopped
    expect(await child.ended).toMatchObject({ kind: 'done' })
  })
})

describe('closed', () => {
  test('resolves with each stop, and is made anew by each start', async () => {
    const { supervisor, stop } = await startedSupervisor()
    const { closed } = supervisor
    expect(supervisor.closed).toBe(closed)
    await stop()
    await closed
    await supervisor.start()
    expect(supervisor.closed).not.toBe(closed)
    const second = supervisor.closed
    await stop()
    await second
  })

  test('rejects when the supervisor fails, as block() does; nobody need look', async () => {
    const { supervisor } = await startedSupervisor({ supervision: { intensity: 0 } })
    const blocked = errorOf(supervisor.block())
    supervisor.spawn(puppet().machine, { id: 'one' }).actor!.send({ type: 'crash' })
    await turns(3)
    expect(supervisor.state).toBe('failed')
    const error = await errorOf(supervisor.closed)
    expect(error).toMatchObject({ name: 'SupervisionError', code: 'ERR_RESTART_INTENSITY', child: 'one' })
    expect(await blocked).toBe(error)
    await supervisor.start()
    expect(supervisor.state).toBe('running')
  })

  test('a stop that meets a supervisor giving up ends with it', async () => {
    const { supervisor, clock } = await startedSupervisor({
      supervision: { intensity: 0 },
      defaults: { graceMs: 1_000 },
    })
    supervisor.submit(heldTask({ deaf: true }).task)
    await turns()
    supervisor.spawn(puppet().machine, { id: 'one' }).actor!.send({ type: 'crash' })
    await turns()
    expect(supervisor.state).toBe('stopping')
    const stopped = supervisor.stop({ wait: 100 })
    await clock.advance(100)
    const report = await stopped
    expect(report).toMatchObject({ tasks: { abandon: 1 } })
    expect(supervisor.state).toBe('failed')
    // What is left of it is ended by another one, which tells of the whole end.
    expect(thrownBy(() => supervisor.submit(echoTask())).code).toBe('ERR_SUPERVISOR_STOPPED')
    expect(await supervisor.stop()).toEqual(report)
    expect(supervisor.state).toBe('stopped')
  })
})

describe('a supervisor that gives up', () => {
  const failing = async () => {
    const made = await startedSupervisor({ supervision: { intensity: 0 }, defaults: { graceMs: 1_000 } })
    const { supervisor } = made
    supervisor.spawn(puppet({ manner: 'graceful' }).machine, { id: 'first' })
    supervisor.spawn(puppet({ manner: 'deaf' }).machine, { id: 'deaf', shutdownMs: 400 })
    const culprit = supervisor.spawn(puppet().machine, { id: 'culprit' })
    const { task } = heldTask({ deaf: true })
    const run = supervisor.submit(task)
    await turns()
    return { ...made, run, crash: () => culprit.actor!.send({ type: 'crash' }) }
  }

  test('stops its children in reverse, each in its time, then its runs; a stop later tells of all', async () => {
    const { supervisor, clock, run, crash, of } = await failing()
    crash()
    expect([supervisor.state, of('supervisor.stopping').length]).toEqual(['draining', 1])
    expect(thrownBy(() => supervisor.submit(echoTask())).code).toBe('ERR_SUPERVISOR_STOPPED')
    await clock.advance(399)
    expect([supervisor.state, supervisor.child('first')!.state, run.state]).toEqual([
      'draining',
      'running',
      'running',
    ])
    await clock.advance(1)
    expect([supervisor.state, supervisor.child('first')!.state]).toEqual(['stopping', 'stopped'])
    await clock.advance(999)
    expect(run.state).toBe('running')
    await clock.advance(1)
    expect([supervisor.state, run.state]).toEqual(['failed', 'terminated'])
    expect(await supervisor.stop()).toMatchObject({
      children: [
        { id: 'deaf', step: 'kill', ms: 400 },
        { id: 'first', step: 'none', ms: 0 },
      ],
      tasks: { ended: 0, abandon: 1 },
    })
  })

  test('is met by a stop while its children end: within the bound, and failed all the same', async () => {
    const { supervisor, clock, run, crash } = await failing()
    crash()
    const closed = errorOf(supervisor.closed)
    await clock.advance(50)
    const stopped = supervisor.stop({ wait: 100, graceMs: 20 })
    await clock.advance(100)
    expect([supervisor.state, run.state]).toEqual(['failed', 'terminated'])
    expect((await closed).code).toBe('ERR_RESTART_INTENSITY')
    expect(await stopped).toMatchObject({
      children: [
        // Both were hurried at the signal instant.
        { id: 'first', step: 'signal', ms: 0 },
        { id: 'deaf', step: 'kill', ms: 150 },
      ],
      tasks: { abandon: 1 },
    })
  })

  test('gives up within the default bound, whatever its children do', async () => {
    const { supervisor, clock } = await startedSupervisor({ supervision: { intensity: 0 } })
    const deaf = puppet({ manner: 'deaf' }).machine
    supervisor.spawn(deaf, { id: 'deaf', shutdownMs: Number.POSITIVE_INFINITY })
    supervisor.spawn(puppet().machine, { id: 'culprit' }).actor!.send({ type: 'crash' })
    await clock.advance(29_999)
    expect(supervisor.state).toBe('stopping')
    await clock.advance(1)
    expect(supervisor.state).toBe('failed')
  })

  test('ends what is queued, also when it was paused', async () => {
    const { supervisor } = await startedSupervisor({ supervision: { intensity: 0 } })
    supervisor.pause()
    const { task, calls } = heldTask()
    const run = supervisor.submit(task)
    supervisor.spawn(puppet().machine, { id: 'culprit' }).actor!.send({ type: 'crash' })
    await turns(3)
    expect([supervisor.state, run.state, calls.length]).toEqual(['failed', 'terminated', 0])
  })
})
