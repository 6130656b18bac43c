/** How long the leases are that a daemon asks for, when its store is slow. */
import { expect, test } from 'vitest'
import { LeaseTerm } from '../../src/actors/daemon/lease-term.ts'

const LEAST = 1_000

/** Asks for a lease at 0 that is granted at `at`. */
function ask(term: LeaseTerm, at: number) {
  const lease = term.ask(0)
  return { isLate: term.granted(lease, at), ms: lease.ms }
}

test('is what the settings say while the store answers in time', () => {
  const term = new LeaseTerm(LEAST)
  for (const at of [0, 10, 600]) expect(ask(term, at)).toEqual({ isLate: false, ms: LEAST })
})

test('a lease holds a little shorter here than in the store, and is late when a third of it is not left', () => {
  const term = new LeaseTerm(LEAST)
  expect(term.ask(50)).toEqual({ ms: LEAST, endMono: 1_000 })
  expect(ask(term, 620).isLate).toBe(true)
})

test.each([700, 5_000, 15_000])(
  'comes to a term in which answers after %i ms are in time, and stays near it',
  (answerMs) => {
    const term = new LeaseTerm(LEAST)
    const said = Array.from({ length: 100 }, () => ask(term, answerMs))
    expect(said.slice(0, 6).some(({ isLate }) => !isLate)).toBe(true)
    expect(said.slice(6).filter(({ isLate }) => isLate).length).toBeLessThan(33)
    expect(Math.max(...said.map(({ ms }) => ms))).toBeLessThan(answerMs * 3.5)
  },
)

test('is never longer than 32 times the settings, and what they say again when the store is quick again', () => {
  const term = new LeaseTerm(LEAST)
  for (let count = 0; count < 20; count += 1) ask(term, 1e9)
  expect(term.ask(0).ms).toBe(LEAST * 32)
  for (let count = 0; count < 40; count += 1) ask(term, 1)
  expect(term.ask(0).ms).toBe(LEAST)
})

test('several that were asked for at once and came too late lengthen it once', () => {
  const term = new LeaseTerm(LEAST)
  const leases = [term.ask(0), term.ask(1), term.ask(2)]
  for (const lease of leases) term.granted(lease, 900)
  expect(term.ask(0).ms).toBe(LEAST * 2)
})
