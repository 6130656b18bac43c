import { describe, expect, test } from 'vitest'
import type { Priority } from '../../src/index.ts'
import { echoTask, heldTask, slots, startedSupervisor, testSupervisor, turns } from '../support/harness.ts'

const LIMITS = { size: 2, reserveNormal: 1, reserveHigh: 1 }

describe('admission', () => {
  test('lets a band in up to its threshold on one counter, and critical always', async () => {
    const { supervisor } = await startedSupervisor({ pool: LIMITS })
    const { task } = heldTask<string>()
    const state = (priority: Priority) => supervisor.submit(task, priority, { priority }).state
    expect(['low', 'low', 'low'].map((p) => state(p as Priority))).toEqual(['running', 'running', 'queued'])
    expect([state('normal'), state('normal')]).toEqual(['running', 'queued'])
    expect([state('high'), state('high')]).toEqual(['running', 'queued'])
    expect([state('critical'), state('critical')]).toEqual(['running', 'running'])
    expect(supervisor.info().pool).toEqual({
      ...LIMITS,
      active: 6,
      waiting: { critical: 0, high: 1, normal: 1, low: 1 },
    })
  })

  test('counts every admitted task against every threshold: reserves are no partitions', async () => {
    const { supervisor } = await startedSupervisor({ pool: LIMITS })
    const { task } = heldTask()
    for (let i = 0; i < 2; i += 1) supervisor.submit(task, undefined, { priority: 'high' })
    expect(supervisor.submit(task, undefined, { priority: 'low' }).state).toBe('queued')
    expect(supervisor.submit(task).state).toBe('running')
    expect(supervisor.submit(task).state).toBe('queued')
  })

  test('takes the higher band first and keeps the order inside a band', async () => {
    const { supervisor } = testSupervisor(slots(1))
    const { task, calls, inputs } = heldTask<string>()
    const order: [string, Priority][] = [
      ['l1', 'low'],
      ['n1', 'normal'],
      ['h1', 'high'],
      ['l2', 'low'],
      ['h2', 'high'],
      ['n2', 'normal'],
    ]
    for (const [input, priority] of order) supervisor.submit(task, input, { priority })
    await supervisor.start()
    for (let i = 0; i < order.length; i += 1) {
      await turns()
      calls[i]?.resolve()
    }
    await turns()
    expect(inputs()).toEqual(['h1', 'h2', 'n1', 'n2', 'l1', 'l2'])
  })

  test('admits within submit and begins the handler in a microtask, in order of admission', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls, inputs } = heldTask<number>()
    const runs = [1, 2, 3].map((input) => supervisor.submit(task, input))
    expect(runs.map((run) => run.state)).toEqual(['running', 'running', 'running'])
    expect(calls).toEqual([])
    await Promise.resolve()
    expect(inputs()).toEqual([1, 2, 3])
  })

  test('admits the next one in the same turn in which a task ends, throws or is skipped', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const { task, calls } = heldTask<number>()
    const runs = [0, 1, 2].map((input) => supervisor.submit(task, input))
    await turns()
    calls[0]!.reject(new Error('no'))
    await expect(runs[0]!.result).rejects.toThrow('no')
    expect(runs[1]!.state).toBe('running')
    await turns()
    calls[1]!.resolve(calls[1]!.ctx.skip('nothing to do'))
    await runs[1]!.result
    expect(runs[2]!.state).toBe('running')
  })

  test('sees the tasks behind a cancelled head, and behind one in the middle', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const { task, calls, inputs } = heldTask<number>()
    const runs = [0, 1, 2, 3].map((input) => supervisor.submit(task, input))
    runs[1]!.cancel()
    runs[2]!.cancel()
    await turns()
    calls[0]!.resolve()
    await turns()
    expect(inputs()).toEqual([0, 3])
  })

  test('size 0 is unlimited', async () => {
    const { supervisor } = await startedSupervisor({ pool: { size: 0 } })
    const { task } = heldTask()
    const runs = Array.from({ length: 500 }, () => supervisor.submit(task, undefined, { priority: 'low' }))
    expect(runs.every((run) => run.state === 'running')).toBe(true)
    expect(supervisor.info().pool.active).toBe(500)
  })

  test('gives back every slot, whatever ended the task', async () => {
    const { supervisor, clock } = await startedSupervisor({ pool: { size: 10 } })
    const { task, calls } = heldTask<number>({ runTimeoutMs: 100 })
    const deaf = heldTask({ deaf: true, graceMs: 10 })
    const runs = [0, 1, 2, 3].map((input) => supervisor.submit(task, input))
    const abandoned = supervisor.submit(deaf.task)
    await turns()
    calls[0]!.resolve()
    calls[1]!.reject(undefined)
    runs[2]!.cancel()
    abandoned.cancel()
    await clock.advance(100)
    expect(runs.map((run) => run.state)).toEqual(['finished', 'failed', 'cancelled', 'terminated'])
    expect(abandoned.state).toBe('cancelled')
    expect(supervisor.info().pool.active).toBe(0)
  })

  test('runs thousands of waiting tasks, each once and in order', async () => {
    const { supervisor } = await startedSupervisor(slots(7))
    const seen: number[] = []
    const task = echoTask<number>()
    const runs = Array.from({ length: 3_000 }, (_, input) => supervisor.submit(task, input))
    for (const run of runs) seen.push((await run.result) as number)
    expect(seen).toEqual(seen.map((_, index) => index))
    expect(supervisor.info().pool.active).toBe(0)
  })
})

describe('ageing', () => {
  test('moves a waiting task up a band at a time, behind those who wait there, never above high', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const { task, calls, inputs } = heldTask<string>()
    supervisor.submit(task, 'first')
    const low = supervisor.submit(task, 'low', { priority: 'low', ageAfterMs: 100 })
    const other = supervisor.submit(task, 'other low', { priority: 'low', ageAfterMs: 100 })
    supervisor.submit(task, 'normal')
    await clock.advance(99)
    expect(low.priority).toBe('low')
    await clock.advance(1)
    expect([low.priority, other.priority]).toEqual(['normal', 'normal'])
    expect(supervisor.info().pool.waiting).toEqual({ critical: 0, high: 0, normal: 3, low: 0 })
    await clock.advance(100)
    expect(low.priority).toBe('high')
    await clock.advance(1_000)
    expect(low.priority).toBe('high')
    for (let i = 0; i < 4; i += 1) {
      calls[i]!.resolve()
      await turns()
    }
    expect(inputs()).toEqual(['first', 'low', 'other low', 'normal'])
  })

  test('leaves the other clocks of a task alone that cannot age any more', async () => {
    const { supervisor, clock, story } = await startedSupervisor(slots(1))
    const { task } = heldTask()
    supervisor.submit(task)
    const run = supervisor.submit(task, undefined, {
      priority: 'high',
      ageAfterMs: 100,
      queueWarningMs: 200,
      queueTimeoutMs: 300,
    })
    await clock.advance(300)
    expect(story(run)).toEqual(['created', 'queued', 'queueWarning', 'terminated'])
  })

  test('a task whose definition allows one run at a time ages while it waits for the other', async () => {
    const { supervisor, clock } = await startedSupervisor(slots(1))
    const { task, calls } = heldTask({ multilaunch: false, priority: 'low', ageAfterMs: 100 })
    supervisor.submit(task)
    const second = supervisor.submit(task)
    await clock.advance(100)
    expect(second.priority).toBe('normal')
    calls[0]!.resolve()
    await turns()
    expect(second.state).toBe('running')
  })
})

describe('resize', () => {
  test('admits at once what fits now, and pre-empts nothing when it shrinks', async () => {
    const { supervisor, of } = await startedSupervisor(slots(1))
    const { task, calls } = heldTask<number>()
    const runs = [0, 1, 2, 3].map((input) => supervisor.submit(task, input))
    supervisor.resize({ pool: { size: 3 } })
    expect(runs.map((run) => run.state)).toEqual(['running', 'running', 'running', 'queued'])
    supervisor.resize({ pool: { size: 1 } })
    await turns()
    calls[0]!.resolve()
    calls[1]!.resolve()
    await turns()
    expect(runs[3]!.state).toBe('queued')
    calls[2]!.resolve()
    await turns()
    expect(runs[3]!.state).toBe('running')
    expect(of('pool.resized').map(({ pool }) => pool.size)).toEqual([3, 1])
  })

  test('keeps what is omitted or undefined', async () => {
    const { supervisor } = await startedSupervisor({
      pool: { size: 2, reserveNormal: 3, reserveHigh: 4 },
      processes: { size: 5, reserveNormal: 6, reserveHigh: 7 },
    })
    supervisor.resize({ pool: { size: 9, reserveHigh: undefined as never } })
    supervisor.resize({ processes: { reserveHigh: 1 } })
    supervisor.resize({})
    const { pool, processes } = supervisor.info()
    expect(pool).toMatchObject({ size: 9, reserveNormal: 3, reserveHigh: 4 })
    expect(processes).toMatchObject({ size: 5, reserveNormal: 6, reserveHigh: 1 })
  })

  test('to size 0 opens the pool', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const { task } = heldTask()
    const runs = [0, 1, 2].map(() => supervisor.submit(task))
    supervisor.resize({ pool: { size: 0 } })
    expect(runs.map((run) => run.state)).toEqual(['running', 'running', 'running'])
  })

  test('works before start and while paused, and admits then nothing yet', async () => {
    const { supervisor } = testSupervisor(slots(1))
    const { task } = heldTask()
    const runs = [supervisor.submit(task), supervisor.submit(task)]
    supervisor.resize({ pool: { size: 2 } })
    expect(runs[1]!.state).toBe('queued')
    await supervisor.start()
    expect(runs[1]!.state).toBe('running')
    supervisor.pause()
    const third = supervisor.submit(task)
    supervisor.resize({ pool: { size: 5 } })
    expect(third.state).toBe('queued')
  })

  test('moves the bounds of threads that were derived from the sizes, and keeps those that were given', async () => {
    const derived = testSupervisor({ id: 'derived', pool: { size: 2, reserveNormal: 1, reserveHigh: 1 } })
    derived.supervisor.resize({ pool: { size: 6 } })
    expect(derived.supervisor.info().threads).toMatchObject({ min: 0, max: 8 })
    const given = testSupervisor({ id: 'given', pool: { size: 2, maxThreads: 3 } })
    given.supervisor.resize({ pool: { size: 6 } })
    expect(given.supervisor.info().threads).toMatchObject({ max: 3 })
  })
})

describe('pause and resume', () => {
  test('hold admission, critical tasks included, and let go on what runs', async () => {
    const { supervisor } = await startedSupervisor(slots(2))
    const { task, calls } = heldTask()
    const running = supervisor.submit(task)
    await turns()
    supervisor.pause()
    supervisor.pause()
    expect(supervisor.state).toBe('paused')
    const critical = supervisor.submit(task, undefined, { priority: 'critical' })
    expect(critical.state).toBe('queued')
    calls[0]!.resolve('value')
    await expect(running.result).resolves.toBe('value')
    supervisor.resume()
    supervisor.resume()
    expect(critical.state).toBe('running')
  })

  test('are announced once each', async () => {
    const { supervisor, recorder } = await startedSupervisor()
    supervisor.pause()
    supervisor.pause()
    supervisor.resume()
    supervisor.resume()
    expect(recorder.types()).toEqual(['supervisor.started', 'supervisor.paused', 'supervisor.resumed'])
  })

  test('let the queue clocks run', async () => {
    const { supervisor, clock } = await startedSupervisor()
    supervisor.pause()
    const run = supervisor.submit(echoTask(), undefined, { queueTimeoutMs: 100 })
    await clock.advance(100)
    expect(run.state).toBe('terminated')
  })
})

describe('pool.starved', () => {
  test('is told when tasks wait and none was admitted for so long, again and again, and never when idle', async () => {
    const { supervisor, clock, of } = await startedSupervisor({ ...slots(1), starvedAfterMs: 1_000 })
    const { task, calls } = heldTask()
    await clock.advance(10_000)
    expect(clock.pending).toBe(0)
    supervisor.submit(task)
    supervisor.submit(task)
    await clock.advance(2_500)
    expect(of('pool.starved').map(({ waiting, idleMs }) => [waiting, idleMs])).toEqual([
      [1, 1_000],
      [1, 2_000],
    ])
    calls[0]!.resolve()
    await clock.advance(10_000)
    expect(of('pool.starved')).toHaveLength(2)
  })
})
