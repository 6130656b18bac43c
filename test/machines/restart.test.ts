/** The restart policies against what OTP says, and against plain counting. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  admitsRestart,
  affectedRange,
  type ChildExit,
  decide,
  nextStreak,
  noteRestart,
  RESTART_TYPES,
  STRATEGIES,
} from '../../src/machines/restart.ts'

const EXITS: Record<string, ChildExit> = {
  done: { kind: 'done', output: 1 },
  failed: { kind: 'failed', error: new Error('x') },
  stopped: { kind: 'stopped' },
}

describe('decide', () => {
  test.each([
    ['permanent', 'done', 'restart'],
    ['permanent', 'failed', 'restart'],
    ['permanent', 'stopped', 'leave'],
    ['transient', 'done', 'leave'],
    ['transient', 'failed', 'restart'],
    ['transient', 'stopped', 'leave'],
    ['temporary', 'done', 'remove'],
    ['temporary', 'failed', 'remove'],
    ['temporary', 'stopped', 'remove'],
  ] as const)('%s and %s: %s', (restart, exit, decision) => {
    expect(decide(EXITS[exit]!, restart)).toBe(decision)
  })

  test('knows every restart type', () => {
    expect(RESTART_TYPES).toEqual(['permanent', 'transient', 'temporary'])
  })
})

describe('the restart window', () => {
  test('allows exactly `intensity` restarts within any period', () => {
    const input = fc.record({
      gaps: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 60 }),
      intensity: fc.integer({ min: 0, max: 6 }),
      periodMs: fc.integer({ min: 1, max: 100 }),
    })
    fc.assert(
      fc.property(input, ({ gaps, ...limits }) => {
        let now = 0
        let times: readonly number[] = []
        const admitted: number[] = []
        for (const gap of gaps) {
          now += gap
          const recent = admitted.filter((at) => now - at < limits.periodMs)
          const admits = admitsRestart(times, now, limits)
          expect(admits).toBe(recent.length < limits.intensity)
          if (!admits) continue
          times = noteRestart(times, now, limits)
          admitted.push(now)
          expect(times.length).toBeLessThanOrEqual(Math.max(1, limits.intensity))
          expect(times.at(-1)).toBe(now)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('forgets a restart when its period is over, not before', () => {
    const limits = { intensity: 1, periodMs: 100 }
    const times = noteRestart([], 0, limits)
    expect([admitsRestart(times, 99, limits), admitsRestart(times, 100, limits)]).toEqual([false, true])
  })

  test('of intensity 0 allows none, of infinite intensity all', () => {
    expect(admitsRestart([], 0, { intensity: 0, periodMs: 1 })).toBe(false)
    let times: readonly number[] = []
    for (let i = 0; i < 50; i += 1) {
      const limits = { intensity: Number.POSITIVE_INFINITY, periodMs: 10 }
      expect(admitsRestart(times, i, limits)).toBe(true)
      times = noteRestart(times, i, limits)
    }
    // Only what counts is kept.
    expect(times.length).toBeLessThanOrEqual(10)
  })

  test('changes no list that it is given', () => {
    const times = Object.freeze([1, 2, 3])
    expect(noteRestart(times, 4, { intensity: 3, periodMs: 100 })).toEqual([2, 3, 4])
  })
})

describe('affected siblings', () => {
  test.each(STRATEGIES)('%s: a range that holds the one that ended', (strategy) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(8), (count, at) => {
        const position = at % count
        const [from, to] = affectedRange(strategy, position, count)
        const expected = {
          'one-for-one': [position, position + 1],
          'one-for-all': [0, count],
          'rest-for-one': [position, count],
        }[strategy]
        expect([from, to]).toEqual(expected)
      }),
    )
  })
})

test('restarts are in a row until a life lasted a period', () => {
  expect(nextStreak(0, 0, 100)).toBe(1)
  expect(nextStreak(1, 99, 100)).toBe(2)
  expect(nextStreak(5, 100, 100)).toBe(1)
})
