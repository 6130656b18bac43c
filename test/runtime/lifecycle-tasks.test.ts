import { describe, expect, test } from 'vitest'
import {
  echoTask,
  errorOf,
  heldTask,
  slots,
  startedSupervisor,
  taskOf,
  testSupervisor,
  thrownBy,
  turns,
} from '../support/harness.ts'
import { puppet } from '../support/puppet.ts'

describe('onStartup', () => {
  test('is awaited band by band before children start and anything else is admitted', async () => {
    const order: string[] = []
    const high = heldTask({ name: 'migrate', priority: 'high' })
    const low = heldTask<string>({ name: 'warm', priority: 'low' })
    const test = testSupervisor({ ...slots(1), onStartup: [low.task.call('cache'), high.task] })
    const { supervisor, recorder } = test
    supervisor.spawn(puppet().machine, { id: 'child' })
    const waiting = supervisor.submit(
      taskOf(() => void order.push('submitted')),
      undefined,
      { priority: 'critical' },
    )
    const started = supervisor.start().then(() => order.push('started'))
    await turns(20)
    expect([supervisor.state, high.calls.length, low.calls.length]).toEqual(['starting', 1, 0])
    expect([waiting.state, supervisor.which()]).toMatchObject(['queued', [{ id: 'child' }]])
    order.push('first')
    high.calls[0]!.resolve()
    await turns(20)
    expect(low.inputs()).toEqual(['cache'])
    order.push('second')
    low.calls[0]!.resolve()
    await started
    await waiting.result
    expect(order.slice(0, 2)).toEqual(['first', 'second'])
    const at = (type: string, name?: string): number =>
      recorder.events.findIndex(
        (event) =>
          event.type === type && (name === undefined || (event.payload as { name?: string }).name === name),
      )
    expect(at('task.finished', 'warm')).toBeLessThan(at('child.started'))
    expect(at('child.started')).toBeLessThan(at('supervisor.started'))
  })

  test('runs those of one band together', async () => {
    const both = [heldTask(), heldTask()]
    const { supervisor } = testSupervisor({ onStartup: both.map(({ task }) => task) })
    const started = supervisor.start()
    await turns(20)
    for (const { calls } of both) calls[0]!.resolve()
    await started
    expect(supervisor.state).toBe('running')
  })

  test('that fails makes the start fail, and leaves nothing running; what waits goes on waiting', async () => {
    const other = heldTask()
    const never = heldTask({ priority: 'low' })
    let broken = true
    const flaky = taskOf(
      async () => {
        if (broken) throw new Error('no database')
      },
      { name: 'connect' },
    )
    const { supervisor, clock } = testSupervisor({ onStartup: [other.task, flaky, never.task] })
    const waiting = supervisor.submit(echoTask<number>(), 5)
    const error = await errorOf(supervisor.start())
    expect(error).toMatchObject({ code: 'ERR_SUPERVISOR_START_FAILED', cause: { taskName: 'connect' } })
    expect(error.message).toMatch(/no database/)
    expect([supervisor.state, never.calls.length]).toEqual(['failed', 0])
    expect(supervisor.list().map(({ name, state }) => [name, state])).toEqual([
      ['connect', 'failed'],
      [other.task.name, 'terminated'],
      [waiting.name, 'queued'],
    ])
    broken = false
    const again = supervisor.start()
    await clock.advance(0)
    other.calls[1]!.resolve()
    await clock.advance(0)
    never.calls[0]!.resolve()
    await again
    await expect(waiting.result).resolves.toBe(5)
  })

  test('whose submission is refused makes the start fail', async () => {
    const name = 'twice'
    const { supervisor } = testSupervisor({ onStartup: [echoTask({ name }), echoTask({ name })] })
    const error = await errorOf(supervisor.start())
    expect(error).toMatchObject({
      code: 'ERR_SUPERVISOR_START_FAILED',
      cause: { code: 'ERR_TASK_NAME_TAKEN' },
    })
  })

  test('may be stopped at any moment', async () => {
    const { task, calls } = heldTask()
    const { supervisor, stop } = testSupervisor({ onStartup: [task], onShutdown: [task] })
    const started = supervisor.start()
    started.catch(() => {})
    await turns(20)
    expect(calls).toHaveLength(1)
    await stop({ wait: 1_000 })
    await expect(started).rejects.toMatchObject({ code: 'ERR_SUPERVISOR_STOPPED' })
    // It has never run: there is nothing to finish.
    expect([supervisor.state, calls.length]).toEqual(['stopped', 1])
  })

  test('may await children of its own, in the other pool, too', async () => {
    const child = heldTask()
    const parent = taskOf(async (_: undefined, ctx) => ctx.submit(child.task as never).result)
    const { supervisor } = testSupervisor({ ...slots(1), onStartup: [parent] })
    const started = supervisor.start()
    await turns(20)
    child.calls[0]!.resolve()
    await started
  })

  test('takes along the run that it would wait for, where one at a time is allowed', async () => {
    const { task, calls } = heldTask<string>({ multilaunch: false })
    const { supervisor } = testSupervisor({ onStartup: [task.call('startup')] })
    supervisor.submit(task, 'before')
    const started = supervisor.start()
    await turns(20)
    calls[0]!.resolve()
    await turns(20)
    calls[1]!.resolve()
    await started
    expect(calls.map(({ input }) => input)).toEqual(['before', 'startup'])
  })
})

describe('onShutdown', () => {
  test('runs when work and children have ended, before the supervisor has stopped', async () => {
    const shutdown = heldTask()
    const work = heldTask()
    const { supervisor, recorder } = await startedSupervisor({ onShutdown: [shutdown.task] })
    supervisor.spawn(puppet().machine, { id: 'child' })
    supervisor.submit(work.task)
    await turns(5)
    const stopped = supervisor.stop()
    await turns(20)
    expect(shutdown.calls).toHaveLength(0)
    work.calls[0]!.resolve()
    await turns(20)
    expect([shutdown.calls.length, supervisor.state, supervisor.which()]).toMatchObject([
      1,
      'stopping',
      [{ id: 'child', state: 'stopped' }],
    ])
    expect(thrownBy(() => supervisor.submit(echoTask())).code).toBe('ERR_SUPERVISOR_STOPPED')
    shutdown.calls[0]!.resolve()
    await stopped
    expect(recorder.events.at(-1)!.type).toBe('supervisor.stopped')
  })

  test('has the rest of the bound: it is signalled and killed as the stop says', async () => {
    const deaf = heldTask({ deaf: true })
    const { supervisor, clock } = await startedSupervisor({ onShutdown: [deaf.task] })
    const stopped = supervisor.stop({ wait: 10_000, graceMs: 4_000 })
    await clock.advance(5_999)
    expect(deaf.calls[0]!.ctx.aborted).toBe(false)
    await clock.advance(1)
    expect([deaf.calls[0]!.ctx.aborted, supervisor.state]).toEqual([true, 'stopping'])
    await clock.advance(4_000)
    await clock.advance(250)
    await stopped
    expect(supervisor.list()[0]).toMatchObject({ state: 'terminated' })
    deaf.calls[0]!.resolve()
  })

  test('ends sooner when a second stop says so', async () => {
    const polite = heldTask()
    const { supervisor, clock } = await startedSupervisor({ onShutdown: [polite.task] })
    const stopped = supervisor.stop({ wait: true })
    await clock.advance(60_000)
    expect(polite.calls[0]!.ctx.aborted).toBe(false)
    const sooner = supervisor.stop({ wait: false })
    await clock.advance(1)
    await Promise.all([stopped, sooner])
    expect(supervisor.list()[0]).toMatchObject({ state: 'terminated' })
  })

  test('that fails is told as every failure is, and holds up nobody', async () => {
    const broken = taskOf(() => Promise.reject(new Error('x')), { priority: 'high' })
    const ran = heldTask()
    const { supervisor, of } = await startedSupervisor({ onShutdown: [ran.task, broken] })
    const stopped = supervisor.stop()
    await turns(20)
    ran.calls[0]!.resolve()
    await stopped
    expect([supervisor.state, of('task.failed').length]).toEqual(['stopped', 1])
  })

  test('is left out when the bound has come before, and the log says so', async () => {
    const stubborn = heldTask({ deaf: true })
    const shutdown = heldTask()
    const { supervisor, clock, lines } = await startedSupervisor({ onShutdown: [shutdown.task] })
    supervisor.submit(stubborn.task)
    await clock.advance(0)
    const stopped = supervisor.stop({ wait: 100, graceMs: 50 })
    await clock.advance(500)
    await stopped
    expect(shutdown.calls).toHaveLength(0)
    expect(lines.some(({ msg }) => /onShutdown tasks were not run/.test(msg))).toBe(true)
    stubborn.calls[0]!.resolve()
  })

  test('is left out when the supervisor never ran', async () => {
    const shutdown = heldTask()
    const { supervisor } = testSupervisor({ onShutdown: [shutdown.task] })
    await supervisor.stop()
    expect(shutdown.calls).toHaveLength(0)
  })

  test('may await children', async () => {
    const child = heldTask()
    const parent = taskOf(async (_: undefined, ctx) => ctx.submit(child.task as never).result)
    const { supervisor } = await startedSupervisor({ onShutdown: [parent] })
    const stopped = supervisor.stop()
    await turns(20)
    child.calls[0]!.resolve()
    await stopped
    expect(supervisor.list().map(({ state }) => state)).toEqual(['finished', 'finished'])
  })
})

test.each([
  ['onStartup', 'a task', /an array/],
  ['onStartup', [echoTask(), 'x'], /onStartup\[1\].*a definition/],
  ['onShutdown', [{ definition: 3 }], /onShutdown\[0\]/],
])('%s: %j is refused', (option, value, message) => {
  expect(thrownBy(() => testSupervisor({ [option]: value })).message).toMatch(message)
})
