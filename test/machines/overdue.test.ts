import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NO_BOUNDS, overdueOf, type Wait } from '../../src/machines/overdue.ts'

const wait = (given: Partial<Wait>): Wait => ({
  ...NO_BOUNDS,
  runAt: 100,
  createdAt: 50,
  attempt: 0,
  step: 0,
  ...given,
})

test.each<[string, Partial<Wait>, ReturnType<typeof overdueOf>]>([
  ['nothing bounds it', {}, undefined],
  ['the deadline counts from when it was stored', { deadlineMs: 7 }, { at: 57, reason: 'deadline' }],
  ['the wait from when it was due', { queueTimeoutMs: 7 }, { at: 107, reason: 'queueTimeout' }],
  ['no time is a bound, too', { queueTimeoutMs: 0 }, { at: 100, reason: 'queueTimeout' }],
  ['an instant is an instant', { expiresAt: 7 }, { at: 7, reason: 'expired' }],
  ['what has been tried expires no more', { expiresAt: 7, attempt: 1 }, undefined],
  ['nor does a later step', { expiresAt: 7, step: 1 }, undefined],
  [
    'the first one counts',
    { deadlineMs: 90, queueTimeoutMs: 39, expiresAt: 140 },
    { at: 139, reason: 'queueTimeout' },
  ],
  [
    'on a tie the deadline',
    { deadlineMs: 90, queueTimeoutMs: 40, expiresAt: 140 },
    { at: 140, reason: 'deadline' },
  ],
  ['beyond all instants is never', { deadlineMs: 8.64e15, queueTimeoutMs: 8.64e15 }, undefined],
])('%s', (_, given, expected) => {
  expect(overdueOf(wait(given))).toEqual(expected)
})

test('it is the first of what its bounds say each for itself', () => {
  const ms = fc.option(fc.integer({ min: 0, max: 50 }))
  const waits = fc.record({
    runAt: fc.nat({ max: 50 }),
    createdAt: fc.nat({ max: 50 }),
    attempt: fc.nat({ max: 1 }),
    step: fc.nat({ max: 1 }),
    queueTimeoutMs: ms,
    deadlineMs: ms,
    expiresAt: ms,
  })
  fc.assert(
    fc.property(waits, (given) => {
      const each = (['queueTimeoutMs', 'deadlineMs', 'expiresAt'] as const).flatMap(
        (bound) => overdueOf({ ...given, ...NO_BOUNDS, [bound]: given[bound] }) ?? [],
      )
      const first = Math.min(...each.map(({ at }) => at))
      const found = overdueOf(given)
      expect(found?.at).toBe(each.length === 0 ? undefined : first)
      if (found !== undefined) expect(each).toContainEqual(found)
    }),
  )
})
