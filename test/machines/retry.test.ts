import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AttemptEnd, mayRetry } from '../../src/machines/retry.ts'

const REPEATABLE: Readonly<Record<AttemptEnd, boolean>> = {
  threw: true,
  crashed: true,
  runTimeout: true,
  unserializable: false,
  unknownTask: false,
  invalidInput: false,
  expired: false,
}

test.each(Object.entries(REPEATABLE) as [AttemptEnd, boolean][])(
  'an attempt that ended as %s: repeatable %s, and only while attempts are left',
  (end, repeatable) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 }), (attempt, attempts) => {
        expect(mayRetry(end, attempt, attempts)).toBe(repeatable && attempt < attempts)
      }),
    )
    expect(mayRetry(end, 1_000_000, Number.POSITIVE_INFINITY)).toBe(repeatable)
    expect(mayRetry(end, 1, 1)).toBe(false)
  },
)
