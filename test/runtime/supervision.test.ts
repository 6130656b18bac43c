import { describe, expect, test } from 'vitest'
import {
  type AnyActorLogic,
  type AnyActorRef,
  fromCallback,
  fromPromise,
  fromTransition,
  setup,
} from 'xstate'
import type { Supervisor } from '../../src/index.ts'
import {
  deferred,
  echoTask,
  errorOf,
  startedSupervisor,
  testSupervisor,
  thrownBy,
  turns,
} from '../support/harness.ts'
import { puppet } from '../support/puppet.ts'

describe('a child', () => {
  test('is started at once by a running supervisor, and stopped with it', async () => {
    const { supervisor, of, stop } = await startedSupervisor()
    const { machine } = puppet()
    const child = supervisor.spawn(machine, { id: 'one' })
    expect([child.state, child.path, child.kind, child.restarts]).toEqual(['running', 'one', 'actor', 0])
    expect(child.actor?.getSnapshot().value).toBe('living')
    await stop({ wait: true })
    expect(child.state).toBe('stopped')
    expect(of('child.started')).toMatchObject([{ child: 'one', kind: 'actor' }])
    expect(of('child.stopped')).toMatchObject([{ child: 'one', step: 'none', ms: 0 }])
  })

  test.each([
    ['now', { wait: false }],
    ['in its own time', {}],
  ] as const)('whose start stops the supervisor %s is the last one that is started', async (_, options) => {
    for (const where of ['beside', 'group', 'inner group'] as const) {
      const { supervisor } = testSupervisor()
      const story: string[] = []
      const group = supervisor.group('g')
      const owner = { beside: supervisor, group, 'inner group': group.group('inner') }[where]
      const stopped = deferred<void>()
      const stops = fromCallback(() => {
        story.push('stops')
        void supervisor.stop(options).then(() => stopped.resolve())
      })
      owner.spawn(puppet({ name: 'before', story }).machine, { id: 'before' })
      owner.spawn(stops, { id: 'stops' })
      owner.spawn(puppet({ name: 'behind', story }).machine, { id: 'behind' })
      supervisor.spawn(puppet({ name: 'last', story }).machine, { id: 'last' })
      expect((await errorOf(supervisor.start())).code).toBe('ERR_SUPERVISOR_STOPPED')
      await stopped.promise
      expect([where, story.filter((one) => one !== '-before')]).toEqual([where, ['+before', 'stops']])
      expect([supervisor.state, supervisor.count().active]).toEqual(['stopped', 0])
    }
  })

  test('waits for the start of its supervisor; all are started in order and stopped in reverse', async () => {
    const { supervisor, stop } = testSupervisor()
    const story: string[] = []
    const children = ['a', 'b', 'c'].map((id) =>
      supervisor.spawn(puppet({ name: id, story }).machine, { id }),
    )
    expect(children.map(({ state }) => state)).toEqual(['waiting', 'waiting', 'waiting'])
    await supervisor.start()
    await stop({ wait: true })
    expect(story).toEqual(['+a', '+b', '+c', '-c', '-b', '-a'])
  })

  test('that crashes is restarted after its backoff', async () => {
    const { supervisor, of, clock } = await startedSupervisor({ random: () => 0 })
    const child = supervisor.spawn(puppet().machine, { id: 'one' })
    const before = child.actor
    child.actor!.send({ type: 'crash' })
    expect(child.state).toBe('backingOff')
    expect(of('child.failed')).toMatchObject([{ child: 'one', error: { message: 'puppet crashed' } }])
    expect(of('child.restarting')).toMatchObject([{ child: 'one', delayMs: 50 }])
    await clock.advance(50)
    expect([child.state, child.restarts]).toEqual(['running', 1])
    expect(child.actor).not.toBe(before)
    expect(of('child.restarted')).toMatchObject([{ child: 'one', restarts: 1 }])
  })

  test('a supervisor that has failed accepts nothing until it is started again', async () => {
    const { supervisor } = await startedSupervisor({ supervision: { intensity: 0 } })
    supervisor.spawn(puppet().machine, { id: 'one' }).actor?.send({ type: 'crash' })
    await errorOf(supervisor.closed)
    const { machine } = puppet()
    const calls: Readonly<Record<string, () => unknown>> = {
      submit: () => supervisor.submit(echoTask()),
      submitExternal: () => supervisor.submitExternal({ start: () => {} }),
      spawn: () => supervisor.spawn(machine, { id: 'two' }),
      group: () => supervisor.group('g'),
      register: () => supervisor.register({ loop: () => {} }),
      registerSync: () => supervisor.registerSync({ stop: () => {} }),
      interval: () => supervisor.workers.interval({ name: 'w', intervalMs: 1, handler: () => {} }),
      queue: () => supervisor.workers.queue({ name: 'q', handler: () => {} }),
    }
    for (const [name, call] of Object.entries(calls)) {
      expect([name, thrownBy(call)]).toMatchObject([
        name,
        { name: 'SupervisorStateError', code: 'ERR_SUPERVISOR_STOPPED' },
      ])
    }
    await supervisor.start()
    await supervisor.submit(echoTask()).result
  })

  test('that crashes too often makes the supervisor stop and fail, with the causes', async () => {
    const { supervisor, clock } = await startedSupervisor({ supervision: { intensity: 1 } })
    const child = supervisor.spawn(puppet().machine, { id: 'one' })
    const other = supervisor.spawn(puppet().machine, { id: 'two' })
    const closed = errorOf(supervisor.closed)
    child.actor!.send({ type: 'crash' })
    await clock.advance(100)
    child.actor!.send({ type: 'crash' })
    await turns(3)
    expect(supervisor.state).toBe('failed')
    expect([child.state, other.state]).toEqual(['failed', 'stopped'])
    expect(await closed).toMatchObject({
      code: 'ERR_RESTART_INTENSITY',
      child: 'one',
      causes: [{ message: 'puppet crashed' }, { message: 'puppet crashed' }],
    })
    await supervisor.start()
    expect([child.state, other.state]).toEqual(['running', 'running'])
  })

  test('that fails to start makes spawn throw, and nothing is listed', async () => {
    const { supervisor } = await startedSupervisor()
    const bad = puppet()
    bad.failing = 1
    expect(thrownBy(() => supervisor.spawn(bad.machine, { id: 'one' }))).toMatchObject({
      code: 'ERR_CHILD_START_FAILED',
      cause: { message: 'puppet does not start' },
    })
    expect(supervisor.which()).toEqual([])
    supervisor.spawn(bad.machine, { id: 'one' })
    expect(thrownBy(() => supervisor.spawn(bad.machine, { id: 'one' })).code).toBe('ERR_CHILD_ID_TAKEN')
  })

  test('that fails to start with its supervisor fails the start; those that were up are stopped', async () => {
    const { supervisor } = testSupervisor()
    const story: string[] = []
    const bad = puppet({ name: 'b', story })
    bad.failing = 1
    const children = [puppet({ name: 'a', story }), bad, puppet({ name: 'c', story })].map(({ machine }, i) =>
      supervisor.spawn(machine, { id: `child-${i}` }),
    )
    expect(await errorOf(supervisor.start())).toMatchObject({
      code: 'ERR_SUPERVISOR_START_FAILED',
      cause: { code: 'ERR_CHILD_START_FAILED', child: 'child-1' },
    })
    expect(story).toEqual(['+a', '-a'])
    expect(supervisor.state).toBe('failed')
    expect(children.map(({ state }) => state)).toEqual(['stopped', 'failed', 'stopped'])
  })
})

describe('a group', () => {
  test('one-for-all takes all siblings along', async () => {
    const { supervisor, clock } = await startedSupervisor({ random: () => 0 })
    const story: string[] = []
    const group = supervisor.group('g', { strategy: 'one-for-all' })
    const [, b] = ['a', 'b', 'c'].map((id) => group.spawn(puppet({ name: id, story }).machine, { id }))
    b!.actor!.send({ type: 'crash' })
    expect(story.splice(0)).toEqual(['+a', '+b', '+c', '!b', '-c', '-a'])
    expect(group.which().map(({ state }) => state)).toEqual(['backingOff', 'backingOff', 'backingOff'])
    await clock.advance(50)
    expect(story.splice(0)).toEqual(['+a', '+b', '+c'])
    expect(group.state).toBe('running')
  })
})

describe('at run time', () => {
  test('children are added, found, stopped, started, restarted and removed', async () => {
    const { supervisor, of } = await startedSupervisor()
    const group = supervisor.group('g')
    const child = group.spawn(puppet().machine, { id: 'one' })
    expect(supervisor.child('g/one')).toBe(child)
    expect(group.child('one')).toBe(child)
    expect([
      supervisor.child('g'),
      supervisor.child('one'),
      supervisor.child('g/one/x'),
      supervisor.child(''),
    ]).toEqual([group, undefined, undefined, undefined])
    expect(child.path).toBe('g/one')
    await child.stop()
    expect([child.state, child.actor, child.startedAt]).toEqual(['stopped', undefined, undefined])
    await child.start()
    await child.restart()
    expect([child.state, child.restarts]).toEqual(['running', 1])
    await child.remove()
    await child.remove()
    expect([child.state, group.which()]).toEqual(['removed', []])
    expect(await errorOf(child.start())).toMatchObject({ name: 'OptionError', code: 'ERR_CHILD_UNKNOWN' })
    expect(await errorOf(child.restart())).toMatchObject({ code: 'ERR_CHILD_UNKNOWN' })
    expect(of('child.stopped').map(({ child: path }) => path)).toEqual(['g/one', 'g/one', 'g/one'])
    // The id is free again.
    group.spawn(puppet().machine, { id: 'one' })
  })

  test.each([
    ['in a final state', 'end'],
    ['by a failure', 'crash'],
  ])('restart() that a stop overtakes says so, also when the child ends %s', async (_, type) => {
    const { supervisor } = await startedSupervisor()
    const child = supervisor.spawn(puppet({ manner: 'deaf' }).machine, { id: 'one' })
    const restarted = errorOf(child.restart())
    const stopped = child.stop()
    child.actor?.send({ type })
    expect(await restarted).toMatchObject({
      name: 'SupervisionError',
      code: 'ERR_CHILD_START_FAILED',
      message: 'Child "one" could not start: it was stopped',
      causes: [],
    })
    await stopped
    expect(child.state).toBe('stopped')
  })

  test('a group that was removed takes nobody in, and what was in it is removed, too', async () => {
    const { supervisor } = await startedSupervisor()
    const { machine } = puppet()
    const group = supervisor.group('g')
    const inner = group.group('inner')
    const child = inner.spawn(machine, { id: 'one' })
    await group.remove()
    expect([group.state, inner.state, child.state]).toEqual(['removed', 'removed', 'removed'])
    expect([group.which(), await child.ended]).toEqual([[], { kind: 'done', output: 'output' }])
    for (const owner of [group, inner]) {
      expect(thrownBy(() => owner.spawn(machine, { id: 'two' }))).toMatchObject({
        name: 'OptionError',
        code: 'ERR_CHILD_UNKNOWN',
      })
      expect(thrownBy(() => owner.group('more')).code).toBe('ERR_CHILD_UNKNOWN')
    }
    expect((await errorOf(child.start())).code).toBe('ERR_CHILD_UNKNOWN')
    // The path is free again.
    expect(supervisor.group('g').spawn(machine, { id: 'one' }).state).toBe('running')
  })

  test('a group that is removed before the start, or ends for good, takes nobody in either', async () => {
    const { supervisor } = testSupervisor()
    const { machine } = puppet()
    const early = supervisor.group('early')
    const never = early.spawn(machine, { id: 'one' })
    await early.remove()
    expect([never.state, thrownBy(() => early.spawn(machine, { id: 'two' })).code]).toEqual([
      'removed',
      'ERR_CHILD_UNKNOWN',
    ])
    await supervisor.start()
    const brief = supervisor.group('brief', { restart: 'temporary', intensity: 0 })
    brief.spawn(machine, { id: 'one' }).actor?.send({ type: 'crash' })
    expect(brief.state).toBe('removed')
    expect(thrownBy(() => brief.spawn(machine, { id: 'two' })).code).toBe('ERR_CHILD_UNKNOWN')
  })

  test('which() and count() show all, groups before what is in them', async () => {
    const { supervisor, clock } = await startedSupervisor()
    supervisor.spawn(puppet().machine, { id: 'a' })
    const inner = supervisor.group('g').group('h', { restart: 'transient' })
    inner.spawn(puppet().machine, { id: 'b', restart: 'temporary' })
    await inner.spawn(puppet().machine, { id: 'c' }).stop()
    const at = clock.now()
    expect(supervisor.which()).toEqual([
      {
        path: 'a',
        id: 'a',
        kind: 'actor',
        state: 'running',
        restart: 'permanent',
        restarts: 0,
        startedAt: at,
      },
      {
        path: 'g',
        id: 'g',
        kind: 'group',
        state: 'running',
        restart: 'permanent',
        restarts: 0,
        startedAt: at,
      },
      {
        path: 'g/h',
        id: 'h',
        kind: 'group',
        state: 'running',
        restart: 'transient',
        restarts: 0,
        startedAt: at,
      },
      {
        path: 'g/h/b',
        id: 'b',
        kind: 'actor',
        state: 'running',
        restart: 'temporary',
        restarts: 0,
        startedAt: at,
      },
      {
        path: 'g/h/c',
        id: 'c',
        kind: 'actor',
        state: 'stopped',
        restart: 'permanent',
        restarts: 0,
        startedAt: undefined,
      },
    ])
    expect(supervisor.count()).toEqual({ specs: 5, active: 4, kinds: { actor: 3, group: 2 } })
    expect(inner.count()).toEqual({ specs: 2, active: 1, kinds: { actor: 2 } })
  })

  test('a group is stopped and started as one child', async () => {
    const { supervisor } = await startedSupervisor()
    const story: string[] = []
    const group = supervisor.group('g')
    for (const id of ['a', 'b']) group.spawn(puppet({ name: id, story }).machine, { id })
    await group.stop()
    expect([group.state, story.splice(0)]).toEqual(['stopped', ['+a', '+b', '-b', '-a']])
    group.spawn(puppet({ name: 'c', story }).machine, { id: 'c' })
    await group.restart()
    expect([group.state, story]).toEqual(['running', ['+a', '+b', '+c']])
  })

  test('ended says how, once nothing follows', async () => {
    const { supervisor } = await startedSupervisor()
    const child = supervisor.spawn(puppet().machine, { id: 'one', restart: 'temporary' })
    const { ended } = child
    child.actor!.send({ type: 'end' })
    expect(await ended).toEqual({ kind: 'done', output: 'output' })
    expect(child.state).toBe('removed')
  })
})

describe('any logic', () => {
  test('may be supervised: promises, callbacks, transitions', async () => {
    const { supervisor, stop } = await startedSupervisor()
    const gate = deferred<string>()
    const promised = supervisor.spawn(
      fromPromise<string, { n: number }>(async ({ input }) => (await gate.promise) + input.n),
      { id: 'promise', input: { n: 1 }, restart: 'transient' },
    )
    const counting = supervisor.spawn(
      fromTransition((n: number, _: { type: 'more' }) => n + 1, 0),
      { id: 'count' },
    )
    const story: string[] = []
    supervisor.spawn(
      fromCallback(() => () => void story.push('disposed')),
      { id: 'callback' },
    )
    counting.actor!.send({ type: 'more' })
    expect(counting.actor!.getSnapshot().context).toBe(1)
    gate.resolve('v')
    expect(await promised.ended).toEqual({ kind: 'done', output: 'v1' })
    await stop({ wait: true })
    expect(story).toEqual(['disposed'])
  })

  test('that ends as soon as it is started is done', async () => {
    const { supervisor, clock } = await startedSupervisor({ supervision: { intensity: 2 }, random: () => 0 })
    const machine = setup({}).createMachine({ initial: 'a', states: { a: { type: 'final' } }, output: 1 })
    const child = supervisor.spawn(machine, { id: 'one', restart: 'transient' })
    expect([child.state, await child.ended]).toEqual(['done', { kind: 'done', output: 1 }])
    expect(supervisor.spawn(machine, { id: 'gone', restart: 'temporary' }).state).toBe('removed')
    // A permanent one that cannot live ends in an escalation, not in a loop.
    supervisor.spawn(machine, { id: 'never' })
    await clock.advance(1_000)
    expect(supervisor.state).toBe('failed')
  })

  test('reaches its siblings by systemId, also after a restart', async () => {
    const { supervisor, clock } = await startedSupervisor({ random: () => 0 })
    const child = supervisor.spawn(puppet().machine, { id: 'one', systemId: 'mail' })
    expect(supervisor.actor.system.get('mail')).toBe(child.actor)
    child.actor!.send({ type: 'crash' })
    await clock.advance(50)
    expect(supervisor.actor.system.get('mail')).toBe(child.actor)
    expect(thrownBy(() => supervisor.spawn(puppet().machine, { id: 'two', systemId: 'mail' }))).toMatchObject(
      {
        code: 'ERR_CHILD_START_FAILED',
      },
    )
  })

  test('errors reach nobody but its supervisor', async () => {
    const { supervisor } = await startedSupervisor()
    const child = supervisor.spawn(puppet().machine, { id: 'one' })
    const seen: unknown[] = []
    child.actor!.subscribe({ error: (error) => seen.push(error) })
    child.actor!.send({ type: 'crash' })
    await turns(3)
    expect(seen).toMatchObject([{ message: 'puppet crashed' }])
    expect(supervisor.actor.getSnapshot().status).toBe('active')
  })
})

describe('inspection', () => {
  test('shows supervisor → children → group → actor', async () => {
    const seen: string[] = []
    const { supervisor } = await startedSupervisor({
      inspect: (event) => {
        if (event.type !== '@xstate.actor') return
        const actorRef = event.actorRef as AnyActorRef
        seen.push(`${actorRef._parent?.id}/${actorRef.id}`)
      },
    })
    supervisor.group('g').spawn(puppet().machine, { id: 'one' })
    expect(seen).toEqual([
      'undefined/test',
      'test/tasks',
      'test/loops',
      'test/children',
      'children/g',
      'g/one',
    ])
  })

  test('that begins later sees what lives already', async () => {
    const { supervisor } = await startedSupervisor()
    const group = supervisor.group('g')
    group.spawn(puppet().machine, { id: 'one' })
    const seen = new Set<unknown>()
    supervisor.actor.system.inspect((event) => void seen.add((event.actorRef as AnyActorRef).id))
    expect(group.actor?.getSnapshot().value).toBe('running')
    await group.stop()
    expect([...seen]).toEqual(['g', 'one'])
  })
})

describe('bad input is refused, and nothing is listed', () => {
  const machine = puppet().machine
  test.each([
    ['no logic', (s: Supervisor) => s.spawn({} as AnyActorLogic, { id: 'x' }), /actor logic/],
    ['no id', (s: Supervisor) => s.spawn(machine, {} as never), /id/],
    ['an empty id', (s: Supervisor) => s.spawn(machine, { id: '' }), /id/],
    ['an id with a slash', (s: Supervisor) => s.spawn(machine, { id: 'a/b' }), /free of/],
    [
      'a wrong restart type',
      (s: Supervisor) => s.spawn(machine, { id: 'x', restart: 'always' as never }),
      /'permanent'/,
    ],
    ['a negative shutdownMs', (s: Supervisor) => s.spawn(machine, { id: 'x', shutdownMs: -1 }), /shutdownMs/],
    [
      'an unknown option',
      (s: Supervisor) => s.spawn(machine, { id: 'x', retsart: 'permanent' } as never),
      /Did you mean "restart"/,
    ],
    [
      'an event without a type',
      (s: Supervisor) => s.spawn(machine, { id: 'x', shutdownEvent: {} as never }),
      /type/,
    ],
    [
      'a wrong strategy',
      (s: Supervisor) => s.group('x', { strategy: 'all-for-one' as never }),
      /one-for-all/,
    ],
    ['a broken intensity', (s: Supervisor) => s.group('x', { intensity: 1.5 }), /intensity/],
    ['a period of 0', (s: Supervisor) => s.group('x', { periodMs: 0 }), /periodMs/],
    ['a wrong backoff', (s: Supervisor) => s.group('x', { backoff: { jitter: 2 } }), /jitter/],
    ['a group without an id', (s: Supervisor) => s.group(undefined as never), /id/],
  ])('%s', async (_, call, message) => {
    const { supervisor } = await startedSupervisor()
    expect(thrownBy(() => call(supervisor))).toMatchObject({
      name: 'OptionError',
      message: expect.stringMatching(message),
    })
    expect(supervisor.count().specs).toBe(0)
  })

  test('a wrong supervision option of the supervisor itself', () => {
    expect(thrownBy(() => testSupervisor({ supervision: { intensity: -1 } })).code).toBe('ERR_OPTION_INVALID')
  })
})
