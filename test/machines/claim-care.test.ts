import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type ClaimCare,
  type ClaimedShare,
  isGrave,
  isOnLastLife,
  nextCare,
  type Suspect,
  sortClaimed,
} from '../../src/machines/claim-care.ts'
import { PRIORITIES } from '../../src/machines/model.ts'

const LIMIT = 3
const facts = { lostLimit: LIMIT, holdsLast: false }
const room = (places: number) => ({ critical: places, high: places, normal: places, low: places })
const tasks = (...lost: number[]) => lost.map((count) => ({ priority: 'normal' as const, lost: count }))
const lostOf = (list: readonly Suspect[]): number[] => list.map(({ lost }) => lost)

const sorted = (shares: ClaimedShare<Suspect>[], given = facts) => {
  const { care, begin, back, later } = sortClaimed(shares, given)
  return { care, begin: lostOf(begin), back: lostOf(back), later: lostOf(later) }
}

test('one that has lost a lease: no more begin than there are places for', () => {
  expect(sorted([{ tasks: tasks(0, 1, 0, 0), places: room(2) }])).toEqual({
    care: 'careful',
    begin: [0, 1],
    back: [0, 0],
    later: [],
  })
})

test('one that has lost two begins alone, whatever pool the others are for', () => {
  const shares = [
    { tasks: tasks(0, 2, 1), places: room(8) },
    { tasks: tasks(0, 3), places: room(8) },
  ]
  expect(sorted(shares)).toEqual({ care: 'alone', begin: [2], back: [0, 1, 0, 3], later: [] })
})

test('two that may not lose another lease are never held together', () => {
  const shares = [{ tasks: tasks(3, 0, 2, 3), places: room(8) }]
  expect(sorted(shares, { ...facts, holdsLast: true })).toEqual({
    care: 'alone',
    begin: [2],
    back: [0],
    later: [3, 3],
  })
  expect(sorted([{ tasks: tasks(3, 0), places: room(8) }], { ...facts, holdsLast: true })).toEqual({
    care: 'careful',
    begin: [0],
    back: [],
    later: [3],
  })
})

test('where fewer losses are allowed, the last life begins sooner', () => {
  const graves = (limit: number) => [0, 1, 2, 3].filter((lost) => isGrave({ priority: 'low', lost }, limit))
  const last = (limit: number) =>
    [0, 1, 2, 3].filter((lost) => isOnLastLife({ priority: 'low', lost }, limit))
  expect([graves(3), last(3)]).toEqual([[2, 3], [3]])
  expect([graves(1), last(1)]).toEqual([
    [1, 2, 3],
    [1, 2, 3],
  ])
  expect([graves(0), last(0)]).toEqual([
    [1, 2, 3],
    [1, 2, 3],
  ])
})

test('bands begin with their reserves, the highest first', () => {
  const given: Suspect[] = [
    { priority: 'critical', lost: 0 },
    { priority: 'high', lost: 1 },
    { priority: 'normal', lost: 0 },
    { priority: 'low', lost: 0 },
  ]
  const places = { critical: Number.POSITIVE_INFINITY, high: 3, normal: 2, low: 2 }
  const { begin, back } = sortClaimed([{ tasks: given, places }], facts)
  expect(begin.map(({ priority }) => priority)).toEqual(['critical', 'high'])
  expect(back.map(({ priority }) => priority)).toEqual(['normal', 'low'])
})

test('each task that came begins, goes back or waits, once; and never two suspects of weight at a time', () => {
  const task = fc.record({ priority: fc.constantFrom(...PRIORITIES), lost: fc.nat(4) })
  const share = fc.record({ tasks: fc.array(task, { maxLength: 20 }), places: fc.nat(10).map(room) })
  fc.assert(
    fc.property(
      fc.array(share, { minLength: 1, maxLength: 3 }),
      fc.nat(4),
      fc.boolean(),
      (shares, lostLimit, holdsLast) => {
        const { care, begin, back, later } = sortClaimed(shares, { lostLimit, holdsLast })
        const all = shares.flatMap((one) => one.tasks)
        expect([...begin, ...back, ...later]).toHaveLength(all.length)
        expect(new Set([...begin, ...back, ...later])).toEqual(new Set(all))
        if (begin.some((one) => isGrave(one, lostLimit))) expect([care, begin.length]).toEqual(['alone', 1])
        if (holdsLast) expect(begin.some((one) => isOnLastLife(one, lostLimit))).toBe(false)
        // Somebody begins wherever there is a place, or has to wait for one that is held: nothing is claimed and returned in vain.
        const hasPlace = shares.every(({ places }) => places.low > 0)
        if (hasPlace && all.length > later.length) expect(begin.length).toBeGreaterThan(0)
      },
    ),
  )
})

test('care follows what claims bring; one that is alone stays so until it is cleared', () => {
  const cares: readonly ClaimCare[] = ['normal', 'careful', 'alone']
  for (const care of cares) {
    expect(nextCare('normal', { type: 'claim.sorted', care })).toBe(care)
    expect(nextCare('careful', { type: 'claim.sorted', care })).toBe(care)
    expect(nextCare('alone', { type: 'claim.sorted', care })).toBe('alone')
  }
  const cleared = cares.map((care) => nextCare(care, { type: 'suspect.cleared' }))
  expect(cleared).toEqual(['normal', 'careful', 'careful'])
})
