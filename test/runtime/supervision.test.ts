import { describe, expect, test } from 'vitest'
import { errorOf, startedSupervisor, testSupervisor, thrownBy, turns } from '../support/harness.ts'
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
    expect(children.map(({ state }) => state)).toEqual(['stopped', 'failed', 'waiting'])
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
