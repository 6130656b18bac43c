import fc from 'fast-check'
import { expect, test } from 'vitest'
import { admits, type Limits, laneLimits, openBands, threshold } from '../../src/machines/admission.ts'
import { PRIORITIES, type Priority } from '../../src/machines/model.ts'

const BANDS = ['low', 'normal', 'high'] as const
const slots = fc.nat(40)
const bounded: fc.Arbitrary<Limits> = fc.record({
  size: fc.integer({ min: 1, max: 40 }),
  reserveNormal: slots,
  reserveHigh: slots,
})
const unbounded: fc.Arbitrary<Limits> = fc.record({
  size: fc.constant(0),
  reserveNormal: slots,
  reserveHigh: slots,
})
const band = fc.constantFrom(...PRIORITIES)

test('each band may fill the slots of those below and its own reserve', () => {
  const limits = { size: 10, reserveNormal: 3, reserveHigh: 2 }
  expect(BANDS.map((one) => threshold(limits, one))).toEqual([10, 13, 15])
  expect(threshold(limits, 'critical')).toBe(Number.POSITIVE_INFINITY)
})

test('a task is admitted exactly while fewer are active than its threshold', () => {
  fc.assert(
    fc.property(fc.oneof(bounded, unbounded), fc.nat(150), band, (limits, active, one) => {
      expect(admits(limits, active, one)).toBe(active < threshold(limits, one))
    }),
  )
})

test('thresholds never fall towards the more urgent band', () => {
  fc.assert(
    fc.property(fc.oneof(bounded, unbounded), (limits) => {
      const thresholds = [...PRIORITIES].reverse().map((one) => threshold(limits, one))
      expect(thresholds).toEqual([...thresholds].sort((a, b) => a - b))
    }),
  )
})

test('reserves are room on top: one slot more of a reserve is one slot more for its band and above', () => {
  const higher = (one: Priority): readonly Priority[] => PRIORITIES.slice(0, PRIORITIES.indexOf(one) + 1)
  fc.assert(
    fc.property(bounded, (limits) => {
      const grown = {
        low: { ...limits, size: limits.size + 1 },
        normal: { ...limits, reserveNormal: limits.reserveNormal + 1 },
        high: { ...limits, reserveHigh: limits.reserveHigh + 1 },
      }
      for (const one of BANDS) {
        for (const other of BANDS) {
          const more = higher(one).includes(other) ? 1 : 0
          expect(threshold(grown[one], other)).toBe(threshold(limits, other) + more)
        }
      }
    }),
  )
})

test('size 0 is unlimited for every band, whatever the reserves', () => {
  fc.assert(
    fc.property(unbounded, fc.nat(1_000_000), band, (limits, active, one) => {
      expect(admits(limits, active, one)).toBe(true)
    }),
  )
})

test('the open bands are the most urgent ones, without a gap', () => {
  fc.assert(
    fc.property(fc.oneof(bounded, unbounded), fc.nat(150), (limits, active) => {
      const open = openBands(limits, active)
      expect(open).toEqual(PRIORITIES.slice(0, open.length))
      expect(open[0]).toBe('critical')
      for (const one of PRIORITIES) expect(open.includes(one)).toBe(admits(limits, active, one))
    }),
  )
})

test('with fewer threads than slots the lane gives out all of them, at least one to each band', () => {
  const unlimited = fc.tuple(unbounded, fc.integer({ min: 1, max: 200 }))
  const scarce = bounded.chain((limits) =>
    fc.tuple(fc.constant(limits), fc.integer({ min: 1, max: Math.max(1, threshold(limits, 'high') - 1) })),
  )
  fc.assert(
    fc.property(fc.oneof(scarce, unlimited), ([limits, max]) => {
      fc.pre(max < threshold(limits, 'high'))
      const lane = laneLimits(limits, max)
      expect(lane.size + lane.reserveNormal + lane.reserveHigh).toBe(max)
      expect(threshold(lane, 'high')).toBe(max)
      for (const one of BANDS) expect(threshold(lane, one)).toBeGreaterThanOrEqual(1)
      expect(threshold(lane, 'low')).toBeLessThanOrEqual(threshold(lane, 'normal'))
    }),
  )
})

test('the reserves stay at the top of the lane, the higher band keeping its own longest', () => {
  fc.assert(
    fc.property(bounded, fc.integer({ min: 1, max: 120 }), (limits, max) => {
      const { size, reserveNormal, reserveHigh } = laneLimits(limits, max)
      expect(Math.min(size, reserveNormal, reserveHigh)).toBeGreaterThanOrEqual(0)
      expect(reserveNormal).toBeLessThanOrEqual(limits.reserveNormal)
      expect(reserveHigh).toBeLessThanOrEqual(limits.reserveHigh)
      expect(size).toBeLessThanOrEqual(limits.size)
      // Both reserves are whole as long as one thread is left below them.
      if (max > limits.reserveNormal + limits.reserveHigh) {
        expect([reserveNormal, reserveHigh]).toEqual([limits.reserveNormal, limits.reserveHigh])
      }
    }),
  )
})

test('a lane with a thread for every slot is bounded by the pool alone', () => {
  fc.assert(
    fc.property(bounded, fc.nat(20), (limits, spare) => {
      expect(laneLimits(limits, threshold(limits, 'high') + spare)).toEqual(limits)
    }),
  )
})
