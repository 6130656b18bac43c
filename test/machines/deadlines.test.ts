import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  inheritDeadline,
  nextQueueTimer,
  nextRunTimer,
  nextWaitTimer,
  type QueueClocks,
  type TaskTimer,
} from '../../src/machines/deadlines.ts'

const never = Number.POSITIVE_INFINITY
// Few values, so that clocks often run out together.
const instant = fc.oneof({ weight: 5, arbitrary: fc.nat(6) }, { weight: 2, arbitrary: fc.constant(never) })
const clocks: fc.Arbitrary<QueueClocks> = fc.record({
  queueWarningMs: instant,
  queueCriticalMs: instant,
  queueTimeoutMs: instant,
  ageAfterMs: instant,
})
const alarms = fc.integer({ min: 0, max: 2 })
const queuedAt = fc.nat(5)

/** On a tie the first one of the list; `undefined` when none is ever due. */
function earliest(due: readonly (readonly [TaskTimer, number])[]): unknown {
  const dueAt = Math.min(...due.map(([, at]) => at))
  const first = due.find(([, at]) => at === dueAt)
  return first === undefined || dueAt === never ? undefined : { dueAt, timer: first[0] }
}

test('a queued run waits for the earliest clock; what ends it comes last on a tie', () => {
  fc.assert(
    fc.property(
      clocks,
      queuedAt,
      queuedAt,
      alarms,
      instant,
      instant,
      (given, queued, waited, raised, expiryAt, deadlineAt) => {
        const bandSince = queued + waited
        const expected = earliest([
          ['timer.queueWarning', raised < 1 ? queued + given.queueWarningMs : never],
          ['timer.queueCritical', raised < 2 ? queued + given.queueCriticalMs : never],
          ['timer.aged', bandSince + given.ageAfterMs],
          ['timer.queueTimeout', queued + given.queueTimeoutMs],
          ['timer.expiry', expiryAt],
          ['timer.deadline', deadlineAt],
        ])
        expect(nextQueueTimer(given, queued, bandSince, raised, expiryAt, deadlineAt)).toEqual(expected)
      },
    ),
    { numRuns: 3_000 },
  )
})

test('an alarm that was given is not due again', () => {
  const all = { queueWarningMs: 1, queueCriticalMs: 2, queueTimeoutMs: 3, ageAfterMs: never }
  const timers = [0, 1, 2].map((raised) => nextQueueTimer(all, 0, 0, raised, never, never)?.timer)
  expect(timers).toEqual(['timer.queueWarning', 'timer.queueCritical', 'timer.queueTimeout'])
})

test('a delay of 0 is a real value for every queue clock', () => {
  const zero = { queueWarningMs: 0, queueCriticalMs: 0, queueTimeoutMs: 0, ageAfterMs: never }
  const timers = [0, 1, 2].map((raised) => nextQueueTimer(zero, 7, 7, raised, never, never))
  expect(timers).toEqual([
    { dueAt: 7, timer: 'timer.queueWarning' },
    { dueAt: 7, timer: 'timer.queueCritical' },
    { dueAt: 7, timer: 'timer.queueTimeout' },
  ])
})

test('outside the queue what ends a run comes before its waking up, and the deadline before the expiry', () => {
  fc.assert(
    fc.property(instant, instant, instant, (wakeAt, expiryAt, deadlineAt) => {
      expect(nextWaitTimer(wakeAt, expiryAt, deadlineAt)).toEqual(
        earliest([
          ['timer.deadline', deadlineAt],
          ['timer.expiry', expiryAt],
          ['timer.wakeUp', wakeAt],
        ]),
      )
    }),
  )
})

test('a running attempt has its own clock from the start of the handler; the deadline wins a tie', () => {
  const startedAt = fc.oneof(fc.nat(5), fc.constant(undefined))
  fc.assert(
    fc.property(startedAt, instant, instant, (started, runTimeoutMs, deadlineAt) => {
      expect(nextRunTimer(started, runTimeoutMs, deadlineAt)).toEqual(
        earliest([
          ['timer.deadline', deadlineAt],
          ['timer.runTimeout', started === undefined ? never : started + runTimeoutMs],
        ]),
      )
    }),
  )
})

test('what never runs out is never armed', () => {
  const endless = { queueWarningMs: never, queueCriticalMs: never, queueTimeoutMs: never, ageAfterMs: never }
  for (const raised of [0, 1, 2]) {
    expect(nextQueueTimer(endless, 1, 1, raised, never, never)).toBeUndefined()
  }
  expect(nextWaitTimer(never, never, never)).toBeUndefined()
  expect(nextRunTimer(1, never, never)).toBeUndefined()
  expect(nextRunTimer(undefined, 5, never)).toBeUndefined()
})

test('a child has the sooner deadline of its own and its parent', () => {
  fc.assert(
    fc.property(instant, instant, (own, parent) => {
      expect(inheritDeadline(own, parent)).toBe(Math.min(own, parent))
      expect(inheritDeadline(own, undefined)).toBe(own)
    }),
  )
})
