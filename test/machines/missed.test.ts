import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dueOf, forgottenOf, lookAtGrid, MISSED, owedFor } from '../../src/machines/index.ts'

const never = Number.POSITIVE_INFINITY

describe('a look at a grid', () => {
  test.each([
    // next, now, found
    [0, -1, { onTime: false, missed: 0, next: 0 }],
    [0, 0, { onTime: true, missed: 0, next: 1 }],
    [1, 9.9, { onTime: false, missed: 0, next: 1 }],
    [1, 10, { onTime: true, missed: 0, next: 2 }],
    [1, 19, { onTime: true, missed: 0, next: 2 }],
    [1, 20, { onTime: true, missed: 1, next: 3 }],
    [1, 45, { onTime: true, missed: 3, next: 5 }],
  ])('from occurrence %d at %d', (next, now, found) => {
    expect(lookAtGrid({ anchor: 0, stepMs: 10 }, next, now, never)).toEqual(found)
  })

  test('an occurrence is late beyond missedAfterMs', () => {
    const grid = { anchor: 0, stepMs: 10 }
    expect(lookAtGrid(grid, 1, 12, 2)).toEqual({ onTime: true, missed: 0, next: 2 })
    expect(lookAtGrid(grid, 1, 12.1, 2)).toEqual({ onTime: false, missed: 1, next: 2 })
  })

  const grids = fc.record({
    anchor: fc.double({ min: 0, max: 1e9, noNaN: true }),
    stepMs: fc.double({ min: 0.01, max: 1e6, noNaN: true }),
  })

  test('looks in any rhythm find every occurrence once, and none before it is due', () => {
    fc.assert(
      fc.property(grids, fc.array(fc.double({ min: 0, max: 20, noNaN: true })), (grid, waits) => {
        let now = grid.anchor
        let next = 0
        for (const wait of waits) {
          now += wait * grid.stepMs
          const look = lookAtGrid(grid, next, now, never)
          expect(look.missed + Number(look.onTime)).toBe(look.next - next)
          if (look.next > next) expect(dueOf(grid, look.next - 1)).toBeLessThanOrEqual(now)
          expect(dueOf(grid, look.next)).toBeGreaterThan(now)
          expect(look.onTime).toBe(look.next > next)
          next = look.next
        }
      }),
    )
  })
})

test.each(MISSED)('what is missed (%s) is owed or forgotten, nothing else', (policy) => {
  fc.assert(
    fc.property(fc.nat(1_000), fc.nat(1_000), (owed, count) => {
      const then = owedFor(policy, owed, count)
      expect(then - owed + forgottenOf(policy, owed, count)).toBe(count)
      if (policy === 'skip') expect(then).toBe(owed)
      if (policy === 'once') expect(then).toBe(count === 0 ? owed : Math.max(1, owed))
      if (policy === 'all') expect(then).toBe(owed + count)
    }),
  )
})
