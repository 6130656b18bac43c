import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BACKOFF_DEFAULTS, type Backoff, backoffMs } from '../../src/machines/backoff.ts'

const ms = fc.oneof(
  fc.constantFrom(0, 1, 100, 60_000, 1e308),
  fc.double({ min: 0, max: Number.MAX_VALUE, noNaN: true }),
)
const random01 = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const attempt = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 1_000_000 }))
const kind = fc.constantFrom('fixed' as const, 'linear' as const, 'exponential' as const)
const factor = fc.double({ min: 1, max: 1000, noNaN: true })
const jitter = fc.oneof(
  fc.constantFrom('none' as const, 'full' as const, 'equal' as const),
  fc.double({ min: 0, max: 1, noNaN: true }),
)
const options: fc.Arbitrary<Backoff> = fc.record(
  { kind, initialMs: ms, factor, maxMs: ms, jitter },
  { requiredKeys: [] },
)
const without = (backoff: Backoff): Backoff => ({ ...backoff, jitter: 'none' })

test('each kind grows as it says', () => {
  const waits = (backoff: Backoff): number[] =>
    [1, 2, 3, 4].map((one) => backoffMs({ initialMs: 100, jitter: 'none', ...backoff }, one, 0.5))
  expect(waits({ kind: 'fixed' })).toEqual([100, 100, 100, 100])
  expect(waits({ kind: 'linear' })).toEqual([100, 200, 300, 400])
  expect(waits({ kind: 'exponential' })).toEqual([100, 200, 400, 800])
  expect(waits({ kind: 'exponential', factor: 3, maxMs: 1_000 })).toEqual([100, 300, 900, 1_000])
})

test('the wait is a finite number from 0 on, for any option and any attempt', () => {
  fc.assert(
    fc.property(options, attempt, random01, (backoff, failed, chance) => {
      const wait = backoffMs(backoff, failed, chance)
      expect(Number.isFinite(wait)).toBe(true)
      expect(wait).toBeGreaterThanOrEqual(0)
    }),
    { numRuns: 2_000 },
  )
})

test.each(['fixed', 'linear', 'exponential'] as const)('a %s wait of 0 stays 0 at any attempt', (one) => {
  for (const failed of [1, 2, 1_025, 1_000_000]) {
    expect(backoffMs({ kind: one, initialMs: 0, jitter: 'none' }, failed, 0.5)).toBe(0)
  }
})

test('without jitter the wait never falls, never exceeds maxMs, and chance has no say', () => {
  fc.assert(
    fc.property(options, attempt, random01, (backoff, failed, chance) => {
      const wait = backoffMs(without(backoff), failed, chance)
      expect(wait).toBeLessThanOrEqual(backoff.maxMs ?? BACKOFF_DEFAULTS.maxMs)
      expect(backoffMs(without(backoff), failed + 1, chance)).toBeGreaterThanOrEqual(wait)
      expect(backoffMs(without(backoff), failed, 0)).toBe(wait)
    }),
    { numRuns: 1_000 },
  )
})

test('jitter spreads the wait over its range and nowhere else', () => {
  fc.assert(
    fc.property(options, attempt, random01, (backoff, failed, chance) => {
      const wait = backoffMs(without(backoff), failed, chance)
      const jittered = backoffMs(backoff, failed, chance)
      const { jitter: spread = BACKOFF_DEFAULTS.jitter } = backoff
      const [low, high] =
        spread === 'none'
          ? [wait, wait]
          : spread === 'full'
            ? [0, wait]
            : spread === 'equal'
              ? [wait / 2, wait]
              : [wait * (1 - spread), Math.min(Number.MAX_VALUE, wait * (1 + spread))]
      // A rounding error at the ends of the range is none, also where a number has only a few bits left.
      expect(jittered).toBeGreaterThanOrEqual(low * (1 - 1e-12) - 1e-300)
      expect(jittered).toBeLessThanOrEqual(Math.min(Number.MAX_VALUE, high * (1 + 1e-12) + 1e-300))
    }),
    { numRuns: 2_000 },
  )
})

test.each([
  ['full', 0, 500],
  ['equal', 500, 750],
  [0.2, 800, 1_000],
  [1, 0, 1_000],
] as const)('jitter %s reaches from the start of its range, its middle at 0.5', (spread, start, middle) => {
  const at = (chance: number): number =>
    backoffMs({ kind: 'fixed', initialMs: 1_000, jitter: spread }, 1, chance)
  expect(at(0)).toBeCloseTo(start)
  expect(at(0.5)).toBeCloseTo(middle)
})

test('an option that is undefined counts as not given', () => {
  const given = {
    kind: undefined,
    initialMs: undefined,
    factor: undefined,
    maxMs: undefined,
    jitter: undefined,
  }
  fc.assert(
    fc.property(attempt, random01, (failed, chance) => {
      expect(backoffMs(given as never, failed, chance)).toBe(backoffMs({}, failed, chance))
      expect(backoffMs({}, failed, chance)).toBe(backoffMs(BACKOFF_DEFAULTS, failed, chance))
    }),
  )
})
