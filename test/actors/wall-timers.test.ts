import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Timer, TimerKind, TimerOwner } from '../../src/actors/armed-timers.ts'
import { TimerQueue } from '../../src/actors/timer-queue.ts'
import { MAX_SLEEP_MS, WallTimers } from '../../src/actors/wall-timers.ts'
import { ManualClock } from '../../src/runtime/testing/manual-clock.ts'

const DAY = 86_400_000

class Log implements TimerOwner {
  /** Kind, wall clock and monotonic clock of each. */
  readonly fired: [kind: TimerKind, at: number, mono: number][] = []
  readonly clock: ManualClock

  constructor(clock: ManualClock) {
    this.clock = clock
  }

  onTimer(kind: TimerKind): void {
    this.fired.push([kind, this.clock.now(), this.clock.monotonic()])
  }
}

function setUp(onError?: (error: unknown) => void) {
  const clock = new ManualClock({ startAt: 1_000_000 })
  const queue = new TimerQueue(clock)
  return { clock, queue, timers: new WallTimers(clock, queue, onError), log: new Log(clock) }
}

describe('firing', () => {
  test('at the instant, in due order, ties in arming order, behind one timer', () => {
    const { clock, queue, timers, log } = setUp()
    timers.arm(1_000_200, log, 'c')
    timers.arm(1_000_100, log, 'a')
    timers.arm(1_000_100, log, 'b')
    expect(queue.size).toBe(1)
    clock.advanceSync(99)
    expect(log.fired).toEqual([])
    clock.advanceSync(200)
    expect(log.fired).toEqual([
      ['a', 1_000_100, 100],
      ['b', 1_000_100, 100],
      ['c', 1_000_200, 200],
    ])
    expect([timers.size, queue.size, clock.pending]).toEqual([0, 0, 0])
  })

  test('what is due already fires at the next turn, not within the call', () => {
    const { clock, timers, log } = setUp()
    timers.arm(5, log, 'late')
    expect(log.fired).toEqual([])
    clock.advanceSync(0)
    expect(log.fired).toEqual([['late', 1_000_000, 0]])
  })

  test('100 days away, further than a clock timer holds, by looking every 30 s', () => {
    const { clock, timers, log } = setUp()
    timers.arm(1_000_000 + 100 * DAY, log, 'far')
    clock.advanceSync(100 * DAY - 1)
    expect(log.fired).toEqual([])
    clock.advanceSync(1)
    expect(log.fired).toEqual([['far', 1_000_000 + 100 * DAY, 100 * DAY]])
  })

  test('a callback that throws stops no other, and one that arms waits for the next turn', () => {
    const errors: unknown[] = []
    const { clock, timers, log } = setUp((error) => errors.push(error))
    timers.arm(1_000_010, { onTimer: () => throwing() }, 'bad')
    timers.arm(1_000_010, { onTimer: () => timers.arm(1_000_010, log, 'armed inside') }, 'arming')
    timers.arm(1_000_010, log, 'good')
    clock.advanceSync(10)
    expect(errors).toEqual([new Error('no')])
    expect(log.fired.map(([kind]) => kind)).toEqual(['good', 'armed inside'])
  })
})

describe('a wall clock that jumps', () => {
  test('set forward past the instant: noticed within 30 s', () => {
    const { clock, timers, log } = setUp()
    timers.arm(1_000_000 + DAY, log, 'tomorrow')
    clock.advanceSync(10_000)
    clock.jumpWall(2 * DAY)
    clock.advanceSync(MAX_SLEEP_MS)
    expect(log.fired).toEqual([['tomorrow', 1_000_000 + 2 * DAY + MAX_SLEEP_MS, MAX_SLEEP_MS]])
  })

  test('set forward before the instant: then exactly at it', () => {
    const { clock, timers, log } = setUp()
    timers.arm(1_000_000 + DAY, log, 'tomorrow')
    clock.jumpWall(DAY - 50_000)
    clock.advanceSync(50_000)
    expect(log.fired).toEqual([['tomorrow', 1_000_000 + DAY, 50_000]])
  })

  test('set back: it waits until the clock is there again', () => {
    const { clock, timers, log } = setUp()
    timers.arm(1_005_000, log, 'soon')
    clock.advanceSync(4_000)
    clock.jumpWall(-3_600_000)
    clock.advanceSync(3_600_999)
    expect(log.fired).toEqual([])
    clock.advanceSync(1)
    expect(log.fired).toEqual([['soon', 1_005_000, 3_605_000]])
  })

  test('never early, and never later than the longest sleep, whatever the clock does', () => {
    const step = fc.record({
      advance: fc.integer({ min: 0, max: 100_000 }),
      jump: fc.oneof(fc.constant(0), fc.integer({ min: -200_000, max: 200_000 })),
      arm: fc.integer({ min: -100_000, max: 300_000 }),
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
        const { clock, queue, timers, log } = setUp()
        const due = new Map<TimerKind, number>()
        for (const [index, { advance, jump, arm }] of steps.entries()) {
          const at = clock.now() + arm
          due.set(index, at)
          timers.arm(at, log, index)
          clock.jumpWall(jump)
          clock.advanceSync(advance)
        }
        for (const [kind, at] of log.fired) expect(at).toBeGreaterThanOrEqual(due.get(kind) as number)
        clock.advanceSync(MAX_SLEEP_MS)
        const fired = new Set(log.fired.map(([kind]) => kind))
        for (const [kind, at] of due) {
          if (at <= clock.now() - MAX_SLEEP_MS) expect(fired).toContain(kind)
        }
        clock.advanceSync(1_000_000)
        expect(log.fired).toHaveLength(steps.length)
        expect([timers.size, queue.size, clock.pending]).toEqual([0, 0, 0])
      }),
      { numRuns: 200 },
    )
  })
})

describe('cancelling', () => {
  test('the last one cancelled: no timer is held', () => {
    const { clock, queue, timers, log } = setUp()
    const armed = [10, 20, 30].map((ms) => timers.arm(1_000_000 + ms, log, ms))
    expect(armed.map((timer) => timers.cancel(timer))).toEqual([true, true, true])
    expect(timers.cancel(armed[0] as Timer)).toBe(false)
    expect([timers.size, queue.size, clock.pending]).toEqual([0, 0, 0])
    timers.arm(1_000_040, log, 'again')
    clock.advanceSync(40)
    expect(log.fired.map(([kind]) => kind)).toEqual(['again'])
  })

  test('of several due at once, one cancels another', () => {
    const { clock, timers, log } = setUp()
    timers.arm(1_000_010, { onTimer: () => timers.cancel(second) }, 'first')
    const second = timers.arm(1_000_010, log, 'second')
    clock.advanceSync(10)
    expect(log.fired).toEqual([])
  })

  test('closing cancels all and refuses more', () => {
    const { clock, queue, timers, log } = setUp()
    const timer = timers.arm(1_000_010, log, 'never')
    timers.close()
    expect([timer.live, timers.size, queue.size, clock.pending]).toEqual([false, 0, 0, 0])
    expect(() => timers.arm(1_000_010, log, 'more')).toThrow('closed')
  })

  test('an instant that is not finite is refused', () => {
    const { timers, log } = setUp()
    expect(() => timers.arm(Number.POSITIVE_INFINITY, log, 'never')).toThrow(RangeError)
    expect(() => timers.arm(Number.NaN, log, 'never')).toThrow('finite instant')
  })
})

function throwing(): never {
  throw new Error('no')
}
