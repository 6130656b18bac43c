import { describe, expect, test, vi } from 'vitest'
import type { Timer, TimerKind, TimerOwner } from '../../src/actors/armed-timers.ts'
import { type Clock, MAX_DELAY_MS, systemClock } from '../../src/actors/clock.ts'
import { TimerQueue } from '../../src/actors/timer-queue.ts'
import { ManualClock } from '../../src/runtime/testing/manual-clock.ts'

/** Writes down what fired and when. */
class Log implements TimerOwner {
  readonly fired: [kind: TimerKind, at: number][] = []
  readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  onTimer(kind: TimerKind): void {
    this.fired.push([kind, this.clock.monotonic()])
  }

  get kinds(): TimerKind[] {
    return this.fired.map(([kind]) => kind)
  }
}

function setUp(onError?: (error: unknown) => void) {
  const clock = new ManualClock()
  const queue = new TimerQueue(clock, onError)
  return { clock, queue, log: new Log(clock) }
}

/** An owner that does something when its timer fires. */
function doing(act: (kind: TimerKind) => void): TimerOwner {
  return { onTimer: act }
}

describe('firing', () => {
  test('timers fire at their own due time, in due order', () => {
    const { clock, queue, log } = setUp()
    for (const due of [30, 10, 20]) queue.arm(due, log, `at ${due}`)
    clock.advanceSync(25)
    expect(log.fired).toEqual([
      ['at 10', 10],
      ['at 20', 20],
    ])
    expect(queue.size).toBe(1)
    expect(queue.nextDue).toBe(30)
    clock.advanceSync(5)
    expect(log.fired.at(-1)).toEqual(['at 30', 30])
  })

  test('timers with the same due time fire in arming order', () => {
    const { clock, queue, log } = setUp()
    for (let kind = 0; kind < 50; kind++) queue.arm(10, log, kind)
    clock.advanceSync(10)
    expect(log.kinds).toEqual(Array.from({ length: 50 }, (_, kind) => kind))
  })

  test('a timer never fires before its due time, also when that has a fraction', () => {
    const { clock, queue, log } = setUp()
    queue.arm(10.25, log, 'fraction')
    clock.advanceSync(10)
    expect(log.fired).toEqual([])
    clock.advanceSync(1)
    expect(log.fired).toEqual([['fraction', 11]])
  })

  test('a clock timer that comes early is set again', () => {
    const wakes: { fn: () => void; ms: number }[] = []
    let now = 0
    const early: Clock = {
      now: () => now,
      monotonic: () => now,
      setTimeout: (fn, ms) => wakes.push({ fn, ms }),
      clearTimeout: () => {},
    }
    const queue = new TimerQueue(early)
    const log = new Log(early)
    queue.arm(10, log, 'due')
    now = 9.4
    wakes[0]!.fn()
    expect(log.fired).toEqual([])
    expect(wakes.map(({ ms }) => ms)).toEqual([10, 1])
    now = 10.1
    wakes[1]!.fn()
    expect(log.kinds).toEqual(['due'])
  })

  test('a timer that is due already fires at the next turn of the clock, not within arm', () => {
    const { clock, queue, log } = setUp()
    clock.advanceSync(100)
    queue.arm(40, log, 'second')
    queue.arm(-5, log, 'first')
    expect(log.fired).toEqual([])
    clock.advanceSync(0)
    expect(log.fired).toEqual([
      ['first', 100],
      ['second', 100],
    ])
  })

  test('when the clock jumps past many deadlines, all fire, in due order', () => {
    const wakes: (() => void)[] = []
    let now = 0
    const suspended: Clock = {
      now: () => now,
      monotonic: () => now,
      setTimeout: (fn) => wakes.push(fn),
      clearTimeout: () => {},
    }
    const queue = new TimerQueue(suspended)
    const log = new Log(suspended)
    for (const due of [500, 3, 90, 7_000, 12]) queue.arm(due, log, due)
    now = 6_000
    wakes.at(-1)!()
    expect(log.kinds).toEqual([3, 12, 90, 500])
    expect(queue.size).toBe(1)
  })

  test('delays longer than a clock timer holds are armed in steps', () => {
    const { clock, queue, log } = setUp()
    const due = 3 * MAX_DELAY_MS + 17
    queue.arm(due, log, 'far')
    clock.advanceSync(due - 1)
    expect(log.fired).toEqual([])
    expect(clock.pending).toBe(1)
    clock.advanceSync(1)
    expect(log.fired).toEqual([['far', due]])
  })
})

describe('cancelling', () => {
  test('a cancelled timer does not fire, and cancelling twice is false', () => {
    const { clock, queue, log } = setUp()
    const timer = queue.arm(10, log, 'cancelled')
    queue.arm(10, log, 'kept')
    expect(timer.live).toBe(true)
    expect(queue.cancel(timer)).toBe(true)
    expect(queue.cancel(timer)).toBe(false)
    expect(timer.live).toBe(false)
    expect(queue.size).toBe(1)
    clock.advanceSync(10)
    expect(log.kinds).toEqual(['kept'])
  })

  test('a timer that has fired is not live and cannot be cancelled', () => {
    const { clock, queue, log } = setUp()
    const timer = queue.arm(10, log, 'fired')
    clock.advanceSync(10)
    expect(timer.live).toBe(false)
    expect(queue.cancel(timer)).toBe(false)
    expect(queue.size).toBe(0)
  })

  test('cancelled timers do not pile up', () => {
    const { queue, log } = setUp()
    for (let due = 0; due < 1_000; due++) queue.arm(1e9 + due, log, 'kept')
    for (let due = 0; due < 100_000; due++) {
      queue.cancel(queue.arm(due, log, 'cancelled'))
      if (queue.held > 2 * queue.size + 1) throw new Error(`${queue.held} held, ${queue.size} live`)
    }
    expect(queue.size).toBe(1_000)
    queue.close()
  })

  test('a cancelled or fired timer lets go of its owner', () => {
    const { clock, queue, log } = setUp()
    const cancelled = queue.arm(20, log, 'a')
    const fired = queue.arm(10, log, 'b')
    clock.advanceSync(10)
    queue.cancel(cancelled)
    expect(Object.values(cancelled)).not.toContain(log)
    expect(Object.values(fired)).not.toContain(log)
  })
})

describe('the clock timer', () => {
  test('there is none before the first timer, one while any is live, and none afterwards', () => {
    const { clock, queue, log } = setUp()
    expect(clock.pending).toBe(0)
    const timers = [50, 10, 30, 5, 70].map((due) => queue.arm(due, log, due))
    expect(clock.pending).toBe(1)
    for (const timer of timers) {
      expect(clock.pending).toBe(1)
      queue.cancel(timer)
    }
    expect(clock.pending).toBe(0)
    queue.arm(20, log, 'last')
    expect(clock.pending).toBe(1)
    clock.advanceSync(20)
    expect(clock.pending).toBe(0)
    expect(queue.held).toBe(0)
  })

  test('arming later timers leaves it alone', () => {
    const clock = new ManualClock()
    const set = vi.spyOn(clock, 'setTimeout')
    const queue = new TimerQueue(clock)
    const log = new Log(clock)
    for (let due = 100; due < 1_100; due++) queue.cancel(queue.arm(due, log, due === 100 ? 'head' : 'tail'))
    set.mockClear()
    queue.arm(100, log, 'head')
    for (let due = 101; due < 1_100; due++) queue.cancel(queue.arm(due, log, 'tail'))
    expect(set).toHaveBeenCalledTimes(1)
    queue.close()
  })

  test('it is unref’d on the system clock and really fires', async () => {
    const queue = new TimerQueue(systemClock)
    const kind = await new Promise((resolve) => {
      queue.arm(systemClock.monotonic() + 5, doing(resolve), 'real')
    })
    expect(kind).toBe('real')
    expect((systemClock.setTimeout(() => {}, 0) as NodeJS.Timeout).hasRef()).toBe(false)
  })
})

describe('callbacks', () => {
  test('may arm and cancel', () => {
    const { clock, queue, log } = setUp()
    const victim = queue.arm(10, log, 'victim')
    queue.arm(
      5,
      doing(() => {
        queue.cancel(victim)
        queue.arm(7, log, 'nested')
      }),
      'act',
    )
    clock.advanceSync(20)
    expect(log.fired).toEqual([['nested', 7]])
    expect(clock.pending).toBe(0)
  })

  test('may cancel a timer that is due at the same time', () => {
    const { clock, queue, log } = setUp()
    let victim: Timer | undefined
    queue.arm(
      10,
      doing(() => queue.cancel(victim!)),
      'act',
    )
    victim = queue.arm(10, log, 'victim')
    queue.arm(10, log, 'after')
    clock.advanceSync(10)
    expect(log.kinds).toEqual(['after'])
  })

  test('that re-arm at once yield to the event loop in between', () => {
    const wakes: (() => void)[] = []
    const clock: Clock = {
      now: () => 0,
      monotonic: () => 0,
      setTimeout: (fn) => wakes.push(fn),
      clearTimeout: () => {},
    }
    const queue = new TimerQueue(clock)
    let count = 0
    const again = doing(() => {
      count++
      queue.arm(0, again, 'again')
    })
    queue.arm(0, again, 'again')
    wakes.at(-1)!()
    expect(count).toBe(1)
    wakes.at(-1)!()
    expect(count).toBe(2)
  })

  test('that throw do not stop the others, and are reported to onError', () => {
    const errors: unknown[] = []
    const { clock, queue, log } = setUp((error) => errors.push(error))
    const failing = doing((kind) => {
      throw new Error(`${kind}`)
    })
    queue.arm(10, failing, 'one')
    queue.arm(10, log, 'between')
    queue.arm(10, failing, 'two')
    queue.arm(20, log, 'later')
    clock.advanceSync(20)
    expect(log.kinds).toEqual(['between', 'later'])
    expect(errors).toEqual([new Error('one'), new Error('two')])
  })

  test('that throw without an onError are thrown again from a microtask', () => {
    const microtasks: (() => void)[] = []
    vi.stubGlobal('queueMicrotask', (fn: () => void) => microtasks.push(fn))
    try {
      const { clock, queue, log } = setUp()
      const failing = doing(() => {
        throw new Error('nobody listens')
      })
      queue.arm(10, failing, 'bad')
      queue.arm(10, log, 'good')
      clock.advanceSync(10)
      expect(log.kinds).toEqual(['good'])
      expect(microtasks).toHaveLength(1)
      expect(microtasks[0]).toThrow('nobody listens')
    } finally {
      vi.unstubAllGlobals()
    }
  })

  test('may close the queue, which then fires nothing more', () => {
    const { clock, queue, log } = setUp()
    queue.arm(
      10,
      doing(() => queue.close()),
      'close',
    )
    const rest = queue.arm(10, log, 'rest')
    clock.advanceSync(100)
    expect(log.fired).toEqual([])
    expect(rest.live).toBe(false)
    expect(clock.pending).toBe(0)
  })
})

describe('refusals', () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'arming at %s is refused',
    (due) => {
      const { queue, log } = setUp()
      expect(() => queue.arm(due, log, 'bad')).toThrow(RangeError)
      expect(queue.size).toBe(0)
    },
  )

  test('a closed queue holds nothing and refuses timers; closing twice is fine', () => {
    const { clock, queue, log } = setUp()
    const timer = queue.arm(10, log, 'open')
    queue.close()
    queue.close()
    expect([queue.size, queue.held, clock.pending, timer.live]).toEqual([0, 0, 0, false])
    expect(queue.cancel(timer)).toBe(false)
    expect(() => queue.arm(20, log, 'closed')).toThrow('closed')
  })
})
