/** Interval workers on the manual clock. */
import { describe, expect, test } from 'vitest'
import type { IntervalWorkerOptions } from '../../../src/index.ts'
import { heldTask, slots, startedSupervisor, thrownBy, turns } from '../../support/harness.ts'
import { StallingClock } from '../../support/stalling-clock.ts'

type Options = Partial<IntervalWorkerOptions<void, unknown>>

/** A started supervisor with one worker whose handler notes when it begins. */
async function ticking(options: Options) {
  const clock = new StallingClock()
  const test = await startedSupervisor({ clock })
  const origin = clock.monotonic()
  const begun: number[] = []
  const worker = test.supervisor.workers.interval({
    name: 'tick',
    handler: () => void begun.push(clock.monotonic() - origin),
    ...options,
  } as IntervalWorkerOptions<void>)
  return { ...test, clock, worker, begun, skips: () => skipsOf(test) }
}

/** The same every 10 ms, with a handler that does not end before the test says so. */
async function holding(options: Options = {}) {
  const clock = new StallingClock()
  const test = await startedSupervisor({ clock, ...slots(0) })
  const held = heldTask()
  const worker = test.supervisor.workers.interval({
    name: 'tick',
    task: held.task,
    intervalMs: 10,
    ...options,
  } as IntervalWorkerOptions<void>)
  const causes = (): string[] => test.of('worker.triggered').map(({ by }) => by)
  const end = async (call: number, value?: unknown): Promise<void> => {
    held.calls[call]!.resolve(value)
    await turns()
  }
  return { ...test, clock, worker, calls: held.calls, causes, end, skips: () => skipsOf(test) }
}

const skipsOf = (test: Pick<Awaited<ReturnType<typeof startedSupervisor>>, 'of'>): string[] =>
  test.of('worker.skipped').map(({ reason, count }) => `${reason} ${count}`)

describe('an interval worker', () => {
  test('runs at once and then on a fixed grid, from start to start', async () => {
    const { clock, begun, worker } = await ticking({ intervalMs: 10 })
    await clock.advance(35)
    expect(begun).toEqual([0, 10, 20, 30])
    expect(worker.info()).toEqual({
      name: 'tick',
      kind: 'interval',
      state: 'waiting',
      live: 0,
      owed: 0,
      nextAt: clock.now() + 5,
      lives: 1,
      runs: 4,
      failures: 0,
      skipped: 0,
    })
  })

  test('does not drift: occurrences four thirds of a ms apart are all where the grid is', async () => {
    const { clock, begun } = await ticking({ intervalMs: 4 / 3, missed: 'all' })
    await clock.advance(1_336)
    expect(begun.length).toBe(1_003)
    for (const [n, at] of begun.entries()) expect(Math.abs(at - (n * 4) / 3)).toBeLessThan(0.7)
  })

  test('waits before its first run with delayBeforeMs, and the grid begins there', async () => {
    const { clock, begun } = await ticking({ intervalMs: 10, delayBeforeMs: 4 })
    await clock.advance(30)
    expect(begun).toEqual([4, 14, 24])
  })

  test('with delayAfterMs runs a delay after the end of the run before', async () => {
    const { clock, calls, worker, causes } = await holding({
      intervalMs: undefined,
      delayAfterMs: 10,
    } as never)
    await clock.advance(100)
    expect(calls).toHaveLength(1)
    calls[0]!.resolve()
    await clock.advance(9)
    expect(worker.state).toBe('waiting')
    await clock.advance(1)
    expect(causes()).toEqual(['schedule', 'schedule'])
  })

  test('with delayAfterMs: 0 runs again in the next turn', async () => {
    const { clock, begun } = await ticking({ delayAfterMs: 0, times: 5 })
    await clock.advance(0)
    expect(begun).toEqual([0, 0, 0, 0, 0])
  })

  test('with delayBeforeMs waits before every run, and nothing is added', async () => {
    const { clock, begun } = await ticking({ delayBeforeMs: 7 })
    await clock.advance(30)
    expect(begun).toEqual([7, 14, 21, 28])
  })

  test('ends after its times, as done, and never runs more', async () => {
    const { clock, begun, worker, of } = await ticking({ intervalMs: 10, times: 3 })
    await clock.advance(100)
    expect(begun).toEqual([0, 10, 20])
    expect(worker.state).toBe('stopped')
    await expect(worker.ended).resolves.toEqual({ kind: 'done', output: undefined })
    expect(of('worker.stopped')).toMatchObject([{ worker: 'tick', kind: 'interval', reason: 'done' }])
    await worker.start()
    await clock.advance(100)
    expect(begun).toHaveLength(6)
  })

  test('waits longer than a clock timer can: an interval of 60 days', async () => {
    const day = 86_400_000
    const { clock, begun } = await ticking({ intervalMs: 60 * day })
    await clock.advance(59 * day)
    expect(begun).toHaveLength(1)
    await clock.advance(day)
    expect(begun).toEqual([0, 60 * day])
  })

  test('does not notice a wall clock that jumps', async () => {
    const { clock, begun } = await ticking({ intervalMs: 10 })
    clock.jumpWall(3_600_000)
    await clock.advance(10)
    clock.jumpWall(-7_200_000)
    await clock.advance(10)
    expect(begun).toEqual([0, 10, 20])
  })
})

describe('an occurrence while a run is live', () => {
  test('skip: is dropped, and the grid goes on', async () => {
    const { clock, calls, skips, end } = await holding()
    await clock.advance(25)
    expect([calls.length, skips()]).toEqual([1, ['overlap 1', 'overlap 1']])
    await end(0)
    expect(calls).toHaveLength(1)
    await clock.advance(5)
    expect(calls).toHaveLength(2)
  })

  test('bufferOne: waits, and one waits at most', async () => {
    const { clock, calls, skips, end, worker } = await holding({ overlap: 'bufferOne' })
    await clock.advance(35)
    expect([calls.length, skips(), worker.info().owed]).toEqual([1, ['overlap 1', 'overlap 1'], 1])
    await end(0)
    expect([calls.length, worker.info().owed]).toEqual([2, 0])
  })

  test('allow: runs beside it', async () => {
    const { clock, calls, worker, end } = await holding({ overlap: 'allow', times: 3 })
    await clock.advance(25)
    expect([calls.length, worker.info().live]).toEqual([3, 3])
    await end(1)
    await end(0)
    expect(worker.state).toBe('active')
    await end(2)
    expect(worker.state).toBe('stopped')
  })

  test('cancelOther: cancels it and begins when it has ended', async () => {
    const { supervisor, clock, calls, worker } = await holding({ overlap: 'cancelOther' })
    await clock.advance(10)
    await turns()
    expect(calls).toHaveLength(2)
    expect(supervisor.list().map(({ state }) => state)).toEqual(['cancelled', 'running'])
    expect(worker.info()).toMatchObject({ live: 1, failures: 0 })
  })

  test('cancelOther: never begins before the old one has ended, and what comes meanwhile is the same run', async () => {
    const deaf = heldTask({ deaf: true, graceMs: 25 })
    const { clock, worker, skips } = await holding({ overlap: 'cancelOther', task: deaf.task })
    await clock.advance(34)
    expect([deaf.calls.length, worker.info().live, skips()]).toEqual([1, 1, ['overlap 1', 'overlap 1']])
    await clock.advance(1)
    expect([deaf.calls.length, worker.info().live]).toEqual([2, 1])
    for (const call of deaf.calls) call.resolve()
    await turns()
  })

  test('terminateOther: terminates it without grace, and begins', async () => {
    const deaf = heldTask({ deaf: true })
    const { supervisor, clock, worker } = await holding({ overlap: 'terminateOther', task: deaf.task })
    await clock.advance(10)
    expect(deaf.calls).toHaveLength(2)
    expect(supervisor.list()[0]).toMatchObject({ state: 'terminated', outcome: { reason: 'replaced' } })
    expect(worker.info()).toMatchObject({ live: 1, failures: 0 })
    for (const call of deaf.calls) call.resolve()
    await turns()
  })

  test('short, long, short: never two at once', async () => {
    const { clock, calls, end, worker, of } = await holding({ overlap: 'bufferOne' })
    await end(0)
    await clock.advance(10)
    await clock.advance(15)
    await end(1)
    await end(2)
    await clock.advance(5)
    expect(calls).toHaveLength(4)
    expect(worker.info()).toMatchObject({ live: 1, runs: 3 })
    const story = of('worker.triggered').map(({ runId }) => runId)
    expect(new Set(story).size).toBe(4)
  })
})

describe('missed occurrences', () => {
  test('skip: a blocked loop is forgotten, the one that is on time runs', async () => {
    const { clock, begun, skips } = await ticking({ intervalMs: 10 })
    clock.stall(35)
    await clock.advance(10)
    expect(begun).toEqual([0, 45])
    expect(skips()).toEqual(['missed 3'])
    await clock.advance(5)
    expect(begun).toEqual([0, 45, 50])
  })

  test('once: one make-up run for all, after the one that is on time', async () => {
    const { clock, calls, causes, end, skips } = await holding({ missed: 'once' })
    await end(0)
    clock.stall(35)
    await clock.advance(10)
    expect(causes()).toEqual(['schedule', 'schedule'])
    await end(1)
    expect([causes(), skips()]).toEqual([['schedule', 'schedule', 'missed'], ['missed 2']])
    await end(2)
    expect(calls).toHaveLength(3)
  })

  test('all: one make-up run each, one after another, also with overlap: skip', async () => {
    const { clock, causes, end, worker } = await holding({ missed: 'all' })
    await end(0)
    clock.stall(35)
    await clock.advance(10)
    expect(worker.info()).toMatchObject({ live: 1, owed: 3 })
    for (const call of [1, 2, 3, 4]) await end(call)
    expect(causes()).toEqual(['schedule', 'schedule', 'missed', 'missed', 'missed'])
    expect(worker.info()).toMatchObject({ live: 0, owed: 0, state: 'waiting' })
  })

  test('are those of a pause', async () => {
    const { clock, begun, worker, skips, of } = await ticking({ intervalMs: 10, missed: 'once' })
    worker.pause()
    expect(worker.state).toBe('paused')
    await clock.advance(35)
    worker.resume()
    await turns()
    expect([begun, skips()]).toEqual([[0, 35], ['missed 2']])
    await clock.advance(5)
    expect(begun).toEqual([0, 35, 40])
    expect([of('worker.paused').length, of('worker.resumed').length]).toEqual([1, 1])
  })

  test('are those that the worker gets to later than missedAfterMs', async () => {
    const { clock, begun, skips } = await ticking({ intervalMs: 10, missedAfterMs: 2 })
    clock.stall(3)
    await clock.advance(10)
    expect([begun, skips()]).toEqual([[0], ['missed 1']])
    await clock.advance(7)
    expect(begun).toEqual([0, 20])
  })

  test('count for times only when they run', async () => {
    const { clock, causes, end, worker } = await holding({ missed: 'all', times: 3 })
    await end(0)
    clock.stall(45)
    await clock.advance(10)
    await end(1)
    await end(2)
    expect(causes()).toHaveLength(3)
    expect(worker.state).toBe('stopped')
  })
})

describe('trigger', () => {
  test('runs now, and the grid stays', async () => {
    const { clock, begun, worker } = await ticking({ intervalMs: 10 })
    await clock.advance(5)
    worker.trigger()
    await clock.advance(10)
    expect(begun).toEqual([0, 5, 10])
  })

  test('while a run is live is skipped, with force means exactly one more', async () => {
    const { worker, calls, skips, causes, end } = await holding()
    worker.trigger()
    worker.trigger({ force: true })
    worker.trigger({ force: true })
    expect(skips()).toEqual(['busy 1', 'coalesced 1'])
    await end(0)
    await end(1)
    expect([calls.length, causes()]).toEqual([2, ['schedule', 'trigger']])
  })

  test('with skip lets the next occurrence go by', async () => {
    const { clock, begun, worker, skips } = await ticking({ intervalMs: 10 })
    worker.trigger({ skip: true })
    await clock.advance(20)
    expect([begun, skips()]).toEqual([[0, 20], ['asked 1']])
  })

  test('with delayAfterMs: the delay begins anew at its end', async () => {
    const { clock, begun, worker } = await ticking({ delayAfterMs: 10 })
    await clock.advance(5)
    worker.trigger()
    await clock.advance(14)
    expect(begun).toEqual([0, 5, 15])
  })

  test('while it is paused is skipped, with force it runs when it is resumed', async () => {
    const { worker, begun, skips } = await ticking({ intervalMs: 10 })
    worker.pause()
    worker.trigger()
    worker.trigger({ force: true })
    expect([begun, skips()]).toEqual([[0], ['paused 1']])
    worker.resume()
    await turns()
    expect(begun).toEqual([0, 0])
  })

  test('of a stopped worker is an error', async () => {
    const { worker } = await ticking({ intervalMs: 10 })
    await worker.stop()
    expect(thrownBy(() => worker.trigger())).toMatchObject({
      name: 'WorkerError',
      code: 'ERR_WORKER_STOPPED',
      worker: 'tick',
    })
    expect(thrownBy(() => worker.trigger({ force: true, skip: true }))).toMatchObject({
      code: 'ERR_OPTION_INVALID',
    })
  })
})

describe('reschedule', () => {
  test('moves the next occurrence to one interval from now', async () => {
    const { clock, begun, worker } = await ticking({ intervalMs: 10 })
    await clock.advance(5)
    worker.reschedule({ intervalMs: 3 })
    await clock.advance(7)
    expect(begun).toEqual([0, 8, 11])
    worker.reschedule({ delayAfterMs: 20 })
    await clock.advance(20)
    expect(begun).toEqual([0, 8, 11, 32])
  })

  test('leaves a live run alone', async () => {
    const { clock, calls, worker, end } = await holding()
    worker.reschedule({ intervalMs: 30 })
    await end(0)
    await clock.advance(29)
    expect(calls).toHaveLength(1)
    await clock.advance(1)
    expect(calls).toHaveLength(2)
  })

  test('of a stopped or paused worker holds from its next life or its resumption on', async () => {
    const { clock, begun, worker } = await ticking({ intervalMs: 10, start: false })
    worker.reschedule({ intervalMs: 4 })
    await worker.start()
    worker.pause()
    worker.reschedule({ intervalMs: 6 })
    worker.resume()
    await clock.advance(12)
    expect(begun).toEqual([0, 6, 12])
  })

  test('refuses bad times, and nothing changes', async () => {
    const { clock, begun, worker } = await ticking({ intervalMs: 10 })
    for (const times of [{}, { intervalMs: 0 }, { intervalMs: 1, delayAfterMs: 1 }, { every: 3 }]) {
      expect(thrownBy(() => worker.reschedule(times as never))).toMatchObject({ name: 'OptionError' })
    }
    await clock.advance(10)
    expect(begun).toEqual([0, 10])
  })
})
