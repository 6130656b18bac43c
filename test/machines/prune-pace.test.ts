import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LEAST_BATCH, nextBatch } from '../../src/machines/prune-pace.ts'

test('a batch that was not full was the last one', () => {
  expect(nextBatch({ limit: 500, removed: 499, tookMs: 1 })).toBeUndefined()
})

test('after a full one three quarters of the time are left to others, whatever it took', () => {
  const took = fc.double({ min: 0, max: 60_000, noNaN: true })
  fc.assert(
    fc.property(took, fc.integer({ min: LEAST_BATCH, max: 4_000 }), (tookMs, limit) => {
      const next = nextBatch({ limit, removed: limit, tookMs })
      expect(next?.pauseMs).toBeGreaterThanOrEqual(3 * tookMs)
      expect(next?.limit).toBeGreaterThanOrEqual(LEAST_BATCH)
      expect(next?.limit).toBeLessThanOrEqual(4_000)
    }),
  )
})

test('batches grow while the store is fast, and shrink when it is slow', () => {
  const limitAfter = (limit: number, tookMs: number) => nextBatch({ limit, removed: limit, tookMs })?.limit
  expect([limitAfter(500, 5), limitAfter(4_000, 5)]).toEqual([1_000, 4_000])
  expect(limitAfter(1_000, 50)).toBe(1_000)
  expect([limitAfter(2_000, 200), limitAfter(600, 200)]).toEqual([1_000, 500])
})
