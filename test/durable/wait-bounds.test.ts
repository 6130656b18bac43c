/** Until when a stored task may wait, as whoever stores it knows it. */
import { expect, test } from 'vitest'
import type { StoredCall } from '../../src/actors/store/task-record.ts'
import { chain, defineTask, type TaskCall } from '../../src/index.ts'
import { advance } from '../../src/runtime/durable/chain-levels.ts'
import { toStoredCall, toStoredStep } from '../../src/runtime/durable/stored-call.ts'
import { optionsFromJson } from '../../src/runtime/durable/stored-options.ts'

const plain = defineTask({ name: 'plain' }, () => {})
const limited = defineTask({ name: 'limited', queueTimeoutMs: 30, deadlineMs: 500.5 }, () => {})
const boundsOf = (call: TaskCall): StoredCall['bounds'] => toStoredCall(call, 1_000).bounds
const bounds = (given: Partial<NonNullable<StoredCall['bounds']>>) => ({
  queueTimeoutMs: null,
  deadlineMs: null,
  expiresAt: null,
  ...given,
})

test.each<[string, TaskCall, StoredCall['bounds']]>([
  ['no limit', plain.call(), undefined],
  [
    'those of the definition, as whole milliseconds',
    limited.call(),
    bounds({ queueTimeoutMs: 30, deadlineMs: 501 }),
  ],
  [
    'those of the call before them',
    limited.call(undefined, { queueTimeoutMs: 0 }),
    bounds({ queueTimeoutMs: 0, deadlineMs: 501 }),
  ],
  [
    'none any more by the call',
    limited.call(undefined, {
      queueTimeoutMs: Number.POSITIVE_INFINITY,
      deadlineMs: Number.POSITIVE_INFINITY,
    }),
    undefined,
  ],
  ['an instant', plain.call(undefined, { expiresAt: 77 }), bounds({ expiresAt: 77 })],
  ['an instant as a Date', plain.call(undefined, { expiresAt: new Date(77) }), bounds({ expiresAt: 77 })],
  ['beyond all instants', plain.call(undefined, { deadlineMs: 1e300 }), undefined],
  [
    'the first step of a chain',
    chain([limited.call(), plain.call()]),
    bounds({ queueTimeoutMs: 30, deadlineMs: 501 }),
  ],
  [
    'that step within the deadline of the chain',
    { ...chain([limited.call(), plain.call()]), options: { deadlineMs: 200 } },
    bounds({ queueTimeoutMs: 30, deadlineMs: 200 }),
  ],
])('%s', (_, call, expected) => {
  expect(boundsOf(call)).toEqual(expected)
})

test('a later step counts its deadline from when it is due, within that of the chain from its beginning', () => {
  const never = { queueTimeoutMs: Number.POSITIVE_INFINITY }
  const call = chain([plain.call(), limited.call(undefined, never)])
  const find = (name: string) => (name === 'limited' ? limited : undefined)
  const stepOf = (options: object, stepAgeMs: number, known = find) => {
    const first = toStoredCall({ ...call, options }, 1_000)
    const { chain: stored } = optionsFromJson(first.options)
    if (stored === undefined) throw new Error('no chain')
    const due = advance(stored.levels, JSON.parse(first.after?.[0] as string))
    return toStoredStep(due, { ...stored, stepAgeMs }, known, 1_000).bounds
  }
  expect(stepOf({}, 40)).toEqual(bounds({ deadlineMs: 541 }))
  expect(stepOf({ deadlineMs: 100 }, 40)).toEqual(bounds({ deadlineMs: 100 }))
  // Who stores it does not know its definition: what was said when the chain was stored, holds.
  expect(stepOf({ deadlineMs: 100 }, 40, () => undefined)).toEqual(bounds({ deadlineMs: 100 }))
  expect(stepOf({}, 40, () => undefined)).toBeUndefined()
})
