/**
 * Many settlements and the claims after them, side by side on two connections: the server works on a transaction with
 * one core only, and they touch different rows.
 *
 * - whole: few settlements, or a commit in which one operation may depend on the one before. One transaction.
 * - halves: tasks that have ended for good, then claims. Each half is a transaction of its own; one that fails leaves the
 *   other one, and its operations are answered `failed`.
 *
 * Two things a claim would have seen of the settlements before it. A parent that is due since its last child has ended
 * wakes the daemons, this one as well. When an ended occurrence has its schedule looked at is asked once more.
 */
import type { SettleOperation, StoreAnswer, StoreOperation } from './operations.ts'
import type { StoreError } from './store-error.ts'

/** Fewer are not worth a second connection. */
const MANY = 64

export interface Halves {
  readonly ends: readonly StoreOperation[]
  readonly claims: readonly StoreOperation[]
}

/** @returns `undefined` for what has to be one transaction */
export function halvesOf(operations: readonly StoreOperation[]): Halves | undefined {
  const from = operations.findIndex(({ type }) => type !== 'settle')
  const [ends, claims] = [operations.slice(0, from), operations.slice(from)]
  const isMany = (ends as SettleOperation[]).reduce((sum, one) => sum + one.settlements.length, 0) >= MANY
  if (from < 1 || !isMany || !(ends as SettleOperation[]).every(areEnds)) return undefined
  return claims.every(isClaim) ? { ends, claims } : undefined
}

/** None of them waits again, which the claim would have to bring. */
function areEnds({ settlements }: SettleOperation): boolean {
  return settlements.every(({ verdict: { kind } }) => !WAITS.has(kind))
}

const WAITS: ReadonlySet<string> = new Set(['retry', 'snooze', 'step', 'fork', 'returned'])

/** One by ids may be for the parent of what ends. */
function isClaim(operation: StoreOperation): boolean {
  return operation.type === 'claim' && operation.ids === undefined
}

export interface HalvesPorts {
  commit(operations: readonly StoreOperation[]): Promise<readonly StoreAnswer[]>
  /** When the next schedule is to be looked at. */
  scheduleAt(): Promise<number | null>
}

/** Rejects only when both halves did. */
export async function commitHalves(
  { ends, claims }: Halves,
  ports: HalvesPorts,
): Promise<readonly StoreAnswer[]> {
  const ending = ports.commit(ends)
  const [ended, claimed, looked] = await Promise.allSettled([
    ending,
    ports.commit(claims),
    ending.then(() => ports.scheduleAt()),
  ])
  if (ended.status === 'rejected' && claimed.status === 'rejected') throw ended.reason
  return [
    ...answersOf(ended, ends),
    ...answersOf(claimed, claims).map((said, index) => seen(said, claims[index], looked)),
  ]
}

function answersOf(
  half: PromiseSettledResult<readonly StoreAnswer[]>,
  operations: readonly StoreOperation[],
): readonly StoreAnswer[] {
  if (half.status === 'fulfilled') return half.value
  return operations.map(() => ({ type: 'failed', error: half.reason as StoreError }))
}

/** Where nobody knows when to look at schedules, it is now. */
function seen(
  said: StoreAnswer,
  operation: StoreOperation | undefined,
  looked: PromiseSettledResult<number | null>,
): StoreAnswer {
  if (said.type !== 'claim' || operation?.type !== 'claim') return said
  const also = looked.status === 'fulfilled' ? looked.value : operation.at
  const { scheduleAt } = said.answer
  const sooner = also === null || scheduleAt === null ? (also ?? scheduleAt) : Math.min(also, scheduleAt)
  return { ...said, answer: { ...said.answer, scheduleAt: sooner } }
}
