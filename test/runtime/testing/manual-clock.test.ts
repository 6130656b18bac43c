import { describe, expect, test, vi } from 'vitest'
import { createActor, createMachine } from 'xstate'
import { MAX_DELAY_MS } from '../../../src/actors/clock.ts'
import { ManualClock } from '../../../src/runtime/testing/manual-clock.ts'
import { turns } from '../../support/turns.ts'

/** Makes a rejection of a throw, as `Promise.try` does (Node 22 has none). */
const attempt = async (act: () => void | Promise<void>): Promise<void> => await act()

describe('time', () => {
  test('stands still until it is moved', async () => {
    const clock = new ManualClock({ startAt: 1_000 })
    await turns(3)
    expect([clock.now(), clock.monotonic()]).toEqual([1_000, 0])
    await clock.advance(250)
    expect([clock.now(), clock.monotonic()]).toEqual([1_250, 250])
    clock.advanceSync(0.5)
    expect([clock.now(), clock.monotonic()]).toEqual([1_250.5, 250.5])
  })

  test('starts in 2025 unless told otherwise, and at 0 when told so', () => {
    expect(new Date(new ManualClock().now()).toISOString()).toBe('2025-01-01T00:00:00.000Z')
    expect(new ManualClock({ startAt: 0 }).now()).toBe(0)
  })

  test('jumpWall moves the wall clock alone, both ways, and fires nothing', () => {
    const clock = new ManualClock({ startAt: 10_000 })
    const fn = vi.fn()
    clock.setTimeout(fn, 100)
    clock.jumpWall(5_000)
    expect([clock.now(), clock.monotonic(), clock.nextDueAt]).toEqual([15_000, 0, 15_100])
    clock.jumpWall(-12_000)
    expect([clock.now(), clock.nextDueAt]).toEqual([3_000, 3_100])
    expect(fn).not.toHaveBeenCalled()
    clock.advanceSync(100)
    expect(fn).toHaveBeenCalledOnce()
  })

  test('advanceTo goes to a wall-clock instant and fires on the way', async () => {
    const clock = new ManualClock({ startAt: 1_000 })
    const at: number[] = []
    clock.setTimeout(() => at.push(clock.now()), 40)
    clock.jumpWall(500)
    await clock.advanceTo(1_600)
    expect([at, clock.now(), clock.monotonic()]).toEqual([[1_540], 1_600, 100])
    await clock.advanceTo(1_600)
    expect(clock.now()).toBe(1_600)
  })
})

describe.each(['advance', 'advanceSync'] as const)('%s', (move) => {
  test('fires every timer at its own due time, ties in arming order', async () => {
    const clock = new ManualClock({ startAt: 0 })
    const fired: [string, number][] = []
    const arm = (name: string, ms: number) => clock.setTimeout(() => fired.push([name, clock.now()]), ms)
    arm('c', 30)
    arm('a1', 10)
    arm('a2', 10)
    arm('b', 20)
    const late = arm('late', 31)
    expect([clock.pending, clock.nextDueAt]).toEqual([5, 10])
    await clock[move](30)
    expect(fired).toEqual([
      ['a1', 10],
      ['a2', 10],
      ['b', 20],
      ['c', 30],
    ])
    expect([clock.pending, clock.nextDueAt, clock.now()]).toEqual([1, 31, 30])
    clock.clearTimeout(late)
    expect([clock.pending, clock.nextDueAt]).toEqual([0, undefined])
  })

  test('counts a nested timer from the due time of the one that armed it', async () => {
    const clock = new ManualClock({ startAt: 0 })
    const fired: number[] = []
    const again = (): void => {
      fired.push(clock.now())
      if (fired.length < 5) clock.setTimeout(again, 10)
    }
    clock.setTimeout(again, 10)
    await clock[move](45)
    expect(fired).toEqual([10, 20, 30, 40])
    expect(clock.now()).toBe(45)
    await clock[move](5)
    expect(fired).toEqual([10, 20, 30, 40, 50])
  })

  test('by 0 fires what is due now, timers of delay 0 among them', async () => {
    const clock = new ManualClock()
    const fired: string[] = []
    clock.setTimeout(() => {
      fired.push('zero')
      clock.setTimeout(() => fired.push('nested zero'), 0)
    }, 0)
    clock.setTimeout(() => fired.push('negative'), -7)
    clock.setTimeout(() => fired.push('one'), 1)
    await clock[move](0)
    expect(fired).toEqual(['zero', 'negative', 'nested zero'])
    expect(clock.monotonic()).toBe(0)
    await clock[move](1)
    expect(fired.at(-1)).toBe('one')
  })

  test('does not fire what a callback cancelled, and ignores unknown and spent handles', async () => {
    const clock = new ManualClock()
    const fired: string[] = []
    const spent = clock.setTimeout(() => fired.push('first'), 1)
    const victim = clock.setTimeout(() => fired.push('victim'), 5)
    clock.setTimeout(() => {
      clock.clearTimeout(victim)
      clock.clearTimeout(victim)
      clock.clearTimeout(spent)
      clock.clearTimeout(undefined)
      clock.clearTimeout(42)
    }, 5)
    const early = clock.setTimeout(() => fired.push('early'), 3)
    clock.setTimeout(() => clock.clearTimeout(early), 2)
    clock.setTimeout(() => clock.clearTimeout(tie), 6)
    const tie = clock.setTimeout(() => fired.push('tie'), 6)
    await clock[move](10)
    expect(fired).toEqual(['first', 'victim'])
    expect(clock.pending).toBe(0)
  })

  test('fires the others when callbacks throw, reaches its time, and then throws the first error', async () => {
    const clock = new ManualClock({ startAt: 0 })
    const fired: number[] = []
    const fail = (value: unknown) => () => {
      throw value
    }
    clock.setTimeout(fail(undefined), 10)
    clock.setTimeout(fail(new Error('second')), 20)
    clock.setTimeout(() => fired.push(clock.now()), 20)
    const outcome = await attempt(() => clock[move](30)).then(
      () => 'no error',
      (error: unknown) => ({ error }),
    )
    expect(outcome).toEqual({ error: undefined })
    expect([fired, clock.now(), clock.pending]).toEqual([[20], 30, 0])
    await clock[move](1)
    expect(clock.now()).toBe(31)
  })

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])(
    'by %s is a RangeError that moves nothing',
    async (ms) => {
      const clock = new ManualClock()
      await expect(attempt(() => clock[move](ms))).rejects.toThrow(
        new RangeError(`The clock can be advanced by 0 ms or more, not by ${ms}.`),
      )
      expect(clock.monotonic()).toBe(0)
    },
  )

  test('ends with an error when callbacks arm each other at one instant without end', async () => {
    const clock = new ManualClock()
    const again = (): void => void clock.setTimeout(again, 0)
    clock.setTimeout(again, 0)
    await expect(attempt(() => clock[move](1))).rejects.toThrow('re-arms itself at once')
    expect(clock.pending).toBe(0)
  })
})

describe('asynchronous moves', () => {
  test('let awaited code go on at the time of the timer that it waited for', async () => {
    const clock = new ManualClock({ startAt: 0 })
    const seen: string[] = []
    const sleep = (ms: number) => new Promise<void>((resolve) => clock.setTimeout(resolve, ms))
    const flow = async (name: string, ms: number): Promise<void> => {
      for (let step = 1; step <= 3; step++) {
        await sleep(ms)
        for (let hop = 0; hop < 20; hop++) await undefined
        seen.push(`${name}${step}@${clock.now()}`)
      }
    }
    const flows = Promise.all([flow('a', 10), flow('b', 15)])
    await clock.advance(100)
    expect(seen).toEqual(['a1@10', 'b1@15', 'a2@20', 'b2@30', 'a3@30', 'b3@45'])
    await flows
  })

  test('start with code that is about to arm its first timer', async () => {
    const clock = new ManualClock({ startAt: 0 })
    const fired: number[] = []
    setImmediate(() => clock.setTimeout(() => fired.push(clock.now()), 5))
    await clock.advance(10)
    expect(fired).toEqual([5])
  })

  test('run one after another, also those that a callback asks for', async () => {
    const clock = new ManualClock({ startAt: 0 })
    const fired: number[] = []
    let inner: Promise<void> | undefined
    clock.setTimeout(() => {
      inner = clock.advance(5)
    }, 10)
    clock.setTimeout(() => fired.push(clock.now()), 28)
    const moves = Promise.all([clock.advance(20), clock.advance(4)])
    await moves
    expect(clock.now()).toBeGreaterThanOrEqual(24)
    await inner
    expect([fired, clock.now()]).toEqual([[28], 29])
  })

  test('refuse advanceSync in between', async () => {
    const clock = new ManualClock()
    let error: unknown
    clock.setTimeout(() => {
      try {
        clock.advanceSync(1)
      } catch (thrown) {
        error = thrown
      }
    }, 1)
    await clock.advance(1)
    expect(error).toEqual(expect.objectContaining({ message: expect.stringContaining('already moving') }))
  })

  test('advanceTo the past, or to no time at all, is a RangeError', async () => {
    const clock = new ManualClock({ startAt: 5_000 })
    for (const at of [4_999, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(clock.advanceTo(at)).rejects.toThrow(RangeError)
    }
    await expect(clock.advanceTo(4_999)).rejects.toThrow('not to 4999')
  })
})

describe('runAll', () => {
  test('fires everything, nested timers too, and stays at the last one', async () => {
    const clock = new ManualClock({ startAt: 0 })
    const fired: number[] = []
    clock.setTimeout(() => {
      fired.push(clock.now())
      clock.setTimeout(() => fired.push(clock.now()), 1_000)
    }, 500)
    expect(await clock.runAll()).toBe(2)
    expect([fired, clock.now(), clock.pending]).toEqual([[500, 1_500], 1_500, 0])
    expect(await clock.runAll()).toBe(0)
  })

  test('gives up at the limit with a sentence', async () => {
    const clock = new ManualClock()
    let stop = false
    const again = (): void => {
      if (!stop) clock.setTimeout(again, 10)
    }
    again()
    await expect(clock.runAll(25)).rejects.toThrow('Timers are still pending (1) after 25 have fired')
    expect(clock.monotonic()).toBe(250)
    await expect(clock.runAll(Number.NaN)).rejects.toThrow(RangeError)
    stop = true
    expect(await clock.runAll(1)).toBe(1)
  })

  test('rejects with the first error when everything has fired', async () => {
    const clock = new ManualClock()
    clock.setTimeout(() => {
      throw new Error('first')
    }, 1)
    clock.setTimeout(() => {}, 2)
    await expect(clock.runAll()).rejects.toThrow('first')
    expect(clock.monotonic()).toBe(2)
  })
})

describe('refusals', () => {
  test('a start that is no instant is a RangeError', () => {
    expect(() => new ManualClock({ startAt: Number.NaN })).toThrow(RangeError)
    expect(() => new ManualClock().jumpWall(Number.NaN)).toThrow(RangeError)
  })

  test('a delay that Node’s timers cannot hold is a RangeError', () => {
    const clock = new ManualClock()
    expect(() => clock.setTimeout(() => {}, MAX_DELAY_MS + 1)).toThrow(RangeError)
    expect(() => clock.setTimeout(() => {}, Number.POSITIVE_INFINITY)).toThrow('Arm it in steps')
    const id = clock.setTimeout(() => {}, MAX_DELAY_MS)
    expect(clock.pending).toBe(1)
    clock.clearTimeout(id)
  })
})

describe('with XState', () => {
  const chain = createMachine({
    initial: 'a',
    states: {
      a: { after: { 10: 'b' } },
      b: { after: { 10: 'c' } },
      c: { after: { 1000: 'late' }, on: { leave: 'left' } },
      late: {},
      left: {},
    },
  })

  test('a chain of `after` takes each step at its time', async () => {
    const clock = new ManualClock({ startAt: 0 })
    const actor = createActor(chain, { clock }).start()
    const seen: [unknown, number][] = []
    actor.subscribe((snapshot) => seen.push([snapshot.value, clock.now()]))
    await clock.advance(100)
    expect(seen).toEqual([
      ['b', 10],
      ['c', 20],
    ])
    actor.send({ type: 'leave' })
    expect(clock.pending).toBe(0)
    actor.stop()
  })

  test('stopping an actor leaves no timer', () => {
    const clock = new ManualClock()
    const actor = createActor(chain, { clock }).start()
    expect(clock.pending).toBe(1)
    actor.stop()
    expect(clock.pending).toBe(0)
  })
})
