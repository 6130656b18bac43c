import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AHEAD_MS, NO_PACE, nextPace, type Pace } from '../../src/machines/prefetch.ts'

/** The pace after `times` looks at tasks that end at a steady rate. */
const steady = (
  perMs: number,
  { times = 20, most = 1_000, answerMs = 1, claims = 2 as 2 | 3 } = {},
): Pace => {
  let pace = NO_PACE
  for (let i = 0; i < times; i += 1)
    pace = nextPace(pace, { ended: perMs * 10, busyMs: 10, answerMs, claims, most })
  return pace
}

test('tasks that take long are not claimed ahead', () => {
  // Eight places, a minute each; then 100 ms each.
  expect(steady(8 / 60_000).ahead).toBe(0)
  expect(steady(8 / 100).ahead).toBe(1)
})

test('tasks that take no time are claimed as far ahead as they last', () => {
  expect(steady(20).ahead).toBeGreaterThan(19 * AHEAD_MS)
  expect(steady(20).ahead).toBeLessThanOrEqual(20 * AHEAD_MS)
})

test('where the store is slow to answer, they are claimed as far ahead as two claims take', () => {
  expect(steady(5, { answerMs: 50 }).ahead).toBeGreaterThan(5 * 95)
  expect(steady(5, { answerMs: 50 }).ahead).toBeLessThanOrEqual(5 * 100)
  expect(steady(8 / 60_000, { answerMs: 50 }).ahead).toBe(0)
})

test('where claims and runs take turns, as three claims take: so the pace rises sooner', () => {
  expect(steady(5, { answerMs: 20, claims: 3 }).ahead).toBeGreaterThan(5 * 58)
  expect(steady(5, { answerMs: 20, claims: 3 }).ahead).toBeLessThanOrEqual(5 * 60)
  // Half of what may be held comes with each claim, and no more than that can end until the next.
  const after = (looks: number, claims: 2 | 3): number => {
    let pace = NO_PACE
    for (let i = 0, ended = 100; i < looks; i += 1) {
      pace = nextPace(pace, { ended, busyMs: 15, answerMs: 15, claims, most: 10_000 })
      ended = Math.ceil((100 + pace.ahead) / 2)
    }
    return pace.ahead
  }
  expect(after(12, 3)).toBeGreaterThan(2 * after(12, 2))
})

test('a claim that follows the last one before anything has ended says nothing about the pace', () => {
  const busy = steady(5)
  const sample = { ended: 0, answerMs: 1, claims: 2, most: 1_000 } as const
  const again = nextPace(nextPace(busy, { ...sample, busyMs: 9 }), { ...sample, busyMs: 9 })
  expect(again).toEqual({ ...busy, silentMs: 18 })
  // The time counts for what ends then.
  expect(nextPace(again, { ...sample, ended: 100, busyMs: 2 }).ahead).toBe(steady(5).ahead)
  expect(nextPace(again, { ...sample, busyMs: 2 }).ahead).toBe(busy.ahead / 2)
})

test('the pace is never above the bound, nor above what was measured', () => {
  const looks = fc.array(fc.tuple(fc.nat(5_000), fc.double({ min: 0, max: 1_000, noNaN: true })), {
    minLength: 1,
  })
  fc.assert(
    fc.property(
      looks,
      fc.nat(2_000),
      fc.nat(1_000),
      fc.constantFrom(2, 3),
      (given, most, answerMs, claims) => {
        const aheadMs = Math.max(AHEAD_MS, claims * answerMs)
        let pace = NO_PACE
        let highest = 0
        for (const [ended, busyMs] of given) {
          pace = nextPace(pace, { ended, busyMs, answerMs, claims, most })
          highest = Math.max(highest, ended / Math.max(busyMs, 0.1))
          expect(pace.ahead).toBeLessThanOrEqual(most)
          expect(pace.ahead).toBeLessThanOrEqual(highest * aheadMs + 1e-6)
          expect(Number.isInteger(pace.ahead)).toBe(true)
        }
      },
    ),
  )
})

test('it falls when the tasks become slow', () => {
  let pace = steady(20)
  for (let i = 0; i < 10; i += 1)
    pace = nextPace(pace, { ended: 1, busyMs: 100, answerMs: 1, claims: 2, most: 1_000 })
  expect(pace.ahead).toBeLessThan(2)
})

test('the first measurement counts as a whole', () => {
  expect(nextPace(NO_PACE, { ended: 100, busyMs: 5, answerMs: 1, claims: 2, most: 1_000 }).ahead).toBe(
    20 * AHEAD_MS,
  )
})

test('a few tasks that took no time do not bring hundreds of others', () => {
  const pace = nextPace(NO_PACE, { ended: 2, busyMs: 0.2, answerMs: 1, claims: 2, most: 1_000 })
  expect(pace.ahead).toBe(20)
  // What many have shown is not forgotten at once.
  const many = nextPace(NO_PACE, { ended: 100, busyMs: 5, answerMs: 1, claims: 2, most: 1_000 })
  expect(nextPace(many, { ended: 1, busyMs: 0.05, answerMs: 1, claims: 2, most: 1_000 }).ahead).toBe(300)
})
