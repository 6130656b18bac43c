import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkStopOptions, planStop, type StopOptions } from '../../src/runtime/stop-options.ts'

const never = Number.POSITIVE_INFINITY
const duration = fc.oneof(fc.nat(60_000), fc.constantFrom(0, never))
const now = fc.double({ min: 0, max: 1e9, noNaN: true })
const options: fc.Arbitrary<StopOptions> = fc.record(
  { wait: fc.oneof(fc.boolean(), duration), cancelTasks: fc.boolean(), graceMs: duration },
  { requiredKeys: [] },
)
/** Instants are floating-point numbers. */
const DRIFT = 1e-5

test('every plan is in order: asked for, signalled, killed', () => {
  fc.assert(
    fc.property(options, now, duration, (given, at, grace) => {
      expect(() => checkStopOptions(given)).not.toThrow()
      const plan = planStop(given, at, grace)
      expect(plan.at).toBe(at)
      expect(plan.signalAt).toBeGreaterThanOrEqual(at)
      expect(plan.killAt).toBeGreaterThanOrEqual(plan.signalAt)
    }),
    { numRuns: 1_000 },
  )
})

test('a wait in ms is a hard bound: kills at wait, signals a grace before or at once', () => {
  fc.assert(
    fc.property(fc.nat(60_000), now, duration, (wait, at, grace) => {
      const { signalAt, killAt } = planStop({ wait }, at, grace)
      expect(killAt).toBe(at + wait)
      expect(Math.abs(signalAt - (at + Math.max(0, wait - grace)))).toBeLessThan(DRIFT)
    }),
  )
})

test('cancelTasks signals now and kills after the grace, or at the bound if that is sooner', () => {
  fc.assert(
    fc.property(options, now, duration, (given, at, grace) => {
      const { wait = 30_000, graceMs = grace } = given
      const waitMs = wait === true ? never : Number(wait)
      const { signalAt, killAt } = planStop({ ...given, cancelTasks: true }, at, grace)
      expect(signalAt).toBe(at)
      expect(killAt).toBe(at + Math.min(waitMs, graceMs))
    }),
  )
})

test('wait true never signals, wait false is 0, nothing is 30 s', () => {
  expect(planStop({ wait: true }, 5, 100)).toEqual({
    at: 5,
    signalAt: never,
    killAt: never,
    endQueued: false,
  })
  expect(planStop({ wait: never }, 5, 100)).toEqual({
    at: 5,
    signalAt: never,
    killAt: never,
    endQueued: false,
  })
  expect(planStop({ wait: false }, 5, 100)).toEqual({ at: 5, signalAt: 5, killAt: 5, endQueued: false })
  expect(planStop({}, 5, 100)).toEqual({ at: 5, signalAt: 29_905, killAt: 30_005, endQueued: false })
  expect(planStop({ graceMs: 40_000 }, 5, 100)).toEqual({
    at: 5,
    signalAt: 5,
    killAt: 30_005,
    endQueued: false,
  })
})
