/**
 * Which operations may be committed side by side: a server works on a transaction with one core only, and the tasks that
 * end are others than those that are claimed.
 *
 * - ends: many tasks that have ended for good.
 * - claims: of what is due, whatever that is.
 * - whole: anything else. One operation may depend on the one before, so nothing is on its way beside it.
 *
 * Two things a claim would see of ends before it. A parent that is due since its last child has ended, and a schedule that
 * is to be looked at since its run has: the answer to the ends says so (`joined`), and daemons are woken, this one as well.
 */
import type { SettleOperation, StoreOperation } from './operations.ts'

export type Lane = 'ends' | 'claims' | 'whole'

/** Fewer are not worth a second connection. */
const MANY = 64

/** Of operations that go together. */
export function laneOf(operations: readonly StoreOperation[]): Lane {
  if (operations.every(isClaim)) return 'claims'
  return areManyEnds(operations) ? 'ends' : 'whole'
}

/** @returns how many of them, at the beginning, are ends of which the claims behind need not know */
export function lanesOf(operations: readonly StoreOperation[]): number | undefined {
  const from = operations.findIndex(({ type }) => type !== 'settle')
  if (from < 1 || !areManyEnds(operations.slice(0, from))) return undefined
  return operations.slice(from).every(isClaim) ? from : undefined
}

function areManyEnds(operations: readonly StoreOperation[]): boolean {
  if (!operations.every(isEnds)) return false
  return operations.reduce((sum, { settlements }) => sum + settlements.length, 0) >= MANY
}

/** None of them waits again, which a claim would have to bring. */
function isEnds(operation: StoreOperation): operation is SettleOperation {
  return (
    operation.type === 'settle' && operation.settlements.every(({ verdict: { kind } }) => !WAITS.has(kind))
  )
}

const WAITS: ReadonlySet<string> = new Set(['retry', 'snooze', 'step', 'fork', 'returned'])

/** One by ids may be for the parent of what ends. */
function isClaim(operation: StoreOperation): boolean {
  return operation.type === 'claim' && operation.ids === undefined
}
