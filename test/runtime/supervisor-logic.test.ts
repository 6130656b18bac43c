/** Whole supervisors as children of another one. */
import { describe, expect, test } from 'vitest'
import { createActor, setup } from 'xstate'
import { createSupervisor, type Supervisor, supervisorLogic } from '../../src/index.ts'
import type { ManualClock } from '../../src/runtime/testing/index.ts'
import {
  echoTask,
  errorOf,
  heldTask,
  memoryLogger,
  startedSupervisor,
  testSupervisor,
  thrownBy,
  turns,
} from '../support/harness.ts'
import { puppet } from '../support/puppet.ts'

function nested(clock: ManualClock, id = 'inner', options: Parameters<typeof createSupervisor>[0] = {}) {
  const made: Supervisor[] = []
  const logic = supervisorLogic(() => {
    const supervisor = createSupervisor({ id, clock, daemon: true, logger: memoryLogger([]), ...options })
    made.push(supervisor)
    return supervisor
  })
  return { logic, made, last: () => made.at(-1) as Supervisor }
}

describe('a supervisor under another one', () => {
  test('is up when it has started, works, and is stopped with the other', async () => {
    const outer = testSupervisor()
    const inner = nested(outer.clock)
    const child = outer.supervisor.spawn(inner.logic, { id: 'inner' })
    expect([child.kind, child.state]).toEqual(['supervisor', 'waiting'])
    await outer.supervisor.start()
    expect([child.state, inner.last().state]).toEqual(['running', 'running'])
    expect(child.actor?.getSnapshot().supervisor).toBe(inner.last())
    expect(await inner.last().submit(echoTask<number>(), 1).result).toBe(1)
    await outer.stop({ wait: true })
    expect([child.state, inner.last().state]).toEqual(['stopped', 'stopped'])
    await outer.supervisor.start()
    expect([inner.made.length, inner.last().state]).toEqual([2, 'running'])
  })

  test('that gives up is a failed child, restarted as another supervisor', async () => {
    const outer = await startedSupervisor()
    const inner = nested(outer.clock, 'inner', { supervision: { intensity: 0 } })
    const child = outer.supervisor.spawn(inner.logic, { id: 'inner' })
    await turns(3)
    inner.last().spawn(puppet().machine, { id: 'one' }).actor!.send({ type: 'crash' })
    await turns(3)
    expect(child.state).toBe('backingOff')
    expect(outer.of('child.failed')).toMatchObject([
      { child: 'inner', error: { code: 'ERR_RESTART_INTENSITY' } },
    ])
    await outer.clock.advance(100)
    await turns(3)
    expect([child.state, inner.made.length, inner.last().state]).toEqual(['running', 2, 'running'])
  })

  test('escalates to the root when it fails too often', async () => {
    const outer = await startedSupervisor({ supervision: { intensity: 0 } })
    const inner = nested(outer.clock, 'inner', { supervision: { intensity: 0 } })
    outer.supervisor.spawn(inner.logic, { id: 'inner' })
    await turns(3)
    inner.last().spawn(puppet().machine, { id: 'one' }).actor!.send({ type: 'crash' })
    await turns(6)
    expect(outer.supervisor.state).toBe('failed')
    expect(await errorOf(outer.supervisor.closed)).toMatchObject({
      code: 'ERR_RESTART_INTENSITY',
      cause: { code: 'ERR_RESTART_INTENSITY', cause: { message: 'puppet crashed' } },
    })
  })

  test('that stops by itself is done', async () => {
    const outer = await startedSupervisor()
    const inner = nested(outer.clock)
    const child = outer.supervisor.spawn(inner.logic, { id: 'inner', restart: 'transient' })
    await turns(3)
    await inner.last().stop()
    await turns(2)
    expect(child.state).toBe('done')
  })

  test('that cannot start fails the start of the other', async () => {
    const outer = testSupervisor()
    const store = { load: () => Promise.reject(new Error('no disk')), append() {} }
    const inner = nested(outer.clock, 'inner', { taskLog: { store } })
    outer.supervisor.spawn(inner.logic, { id: 'inner' })
    expect(await errorOf(outer.supervisor.start())).toMatchObject({
      cause: { code: 'ERR_CHILD_START_FAILED', cause: { code: 'ERR_SUPERVISOR_START_FAILED' } },
    })
    expect(inner.last().state).toBe('failed')
  })

  test('has its own time to drain, is hurried with the signal, and killed at the bound', async () => {
    const outer = await startedSupervisor({ defaults: { graceMs: 400 } })
    const inner = nested(outer.clock)
    const child = outer.supervisor.spawn(inner.logic, { id: 'inner' })
    await turns(3)
    const run = inner.last().submit(heldTask({ deaf: true }).task)
    await turns()
    const stopped = outer.supervisor.stop({ wait: 1_000 })
    await outer.clock.advance(599)
    expect([child.state, inner.last().state]).toEqual(['stopping', 'draining'])
    await outer.clock.advance(1)
    expect(inner.last().state).toBe('stopping')
    await outer.clock.advance(399)
    expect(run.state).toBe('running')
    await outer.clock.advance(1)
    await turns(5)
    expect([run.state, inner.last().state, outer.supervisor.state]).toEqual([
      'terminated',
      'stopped',
      'stopped',
    ])
    expect((await stopped).children).toMatchObject([{ id: 'inner', kind: 'supervisor', step: 'kill' }])
  })

  test('is killed when its own time is over', async () => {
    const outer = await startedSupervisor()
    const inner = nested(outer.clock)
    const child = outer.supervisor.spawn(inner.logic, { id: 'inner', shutdownMs: 100 })
    await turns(3)
    inner.last().submit(heldTask({ deaf: true }).task)
    await turns()
    const stopped = child.stop()
    await outer.clock.advance(100)
    await stopped
    expect(inner.last().state).toBe('stopped')
  })
})

describe('supervisorLogic elsewhere', () => {
  test('is invoked by a machine of the user, and stopped when its state is left', async () => {
    const { clock } = testSupervisor()
    const inner = nested(clock)
    const machine = setup({ actors: { inner: inner.logic } }).createMachine({
      initial: 'with',
      states: { with: { invoke: { src: 'inner' }, on: { leave: 'without' } }, without: {} },
    })
    const actor = createActor(machine).start()
    await turns(3)
    expect(inner.last().state).toBe('running')
    actor.send({ type: 'leave' })
    await inner.last().block()
    expect(inner.last().state).toBe('stopped')
  })

  test('that is stopped while it starts leaves nothing', async () => {
    const { clock } = testSupervisor()
    const inner = nested(clock)
    const actor = createActor(inner.logic).start()
    actor.stop()
    await inner.last().block()
    expect(inner.last().state).toBe('stopped')
    expect(() => actor.getPersistedSnapshot()).toThrow('cannot be persisted')
  })

  test('says so when its supervisor cannot be made', async () => {
    const { supervisor } = await startedSupervisor()
    const logic = supervisorLogic(() => createSupervisor({ keep: -1 }))
    expect(() => supervisor.spawn(logic, { id: 'inner' })).toThrow(/keep/)
  })
})

test.each([5, undefined, createSupervisor])('%s makes no supervisor: it is refused', async (create) => {
  const { supervisor } = await startedSupervisor()
  if (create !== createSupervisor) {
    expect(thrownBy(() => supervisorLogic(create as never))).toMatchObject({ code: 'ERR_OPTION_INVALID' })
  }
  const logic = supervisorLogic((() => create) as never)
  expect(thrownBy(() => supervisor.spawn(logic, { id: 'inner' }))).toMatchObject({
    code: 'ERR_CHILD_START_FAILED',
    cause: {
      name: 'OptionError',
      code: 'ERR_OPTION_INVALID',
      message: expect.stringContaining('Expected what supervisorLogic(create) makes to be a supervisor'),
    },
  })
  expect(supervisor.which()).toEqual([])
})
