/**
 * How many ended tasks are forgotten at once, and how long others may write before the next batch: pruning takes about a
 * quarter of the time at most, in batches that nobody notices, and larger ones where the store is fast, so that it keeps up
 * with whatever ends.
 */

/** The first batch, and the least. */
export const LEAST_BATCH = 500
const MOST_BATCH = 4_000
/** A batch that took less may be larger the next time, one that took more is smaller. */
const BRISK_MS = 25
const SLOW_MS = 100
/** The pause after a batch, in times of what it took. */
const REST = 3

export interface PrunedBatch {
  /** At most so many were to be forgotten. */
  readonly limit: number
  /** So many were. */
  readonly removed: number
  readonly tookMs: number
}

export interface NextBatch {
  readonly limit: number
  readonly pauseMs: number
}

/** @returns `undefined` when there was nothing more to forget */
export function nextBatch({ limit, removed, tookMs }: PrunedBatch): NextBatch | undefined {
  if (removed < limit) return undefined
  const pauseMs = REST * tookMs
  if (tookMs < BRISK_MS) return { limit: Math.min(MOST_BATCH, limit * 2), pauseMs }
  return { limit: tookMs > SLOW_MS ? Math.max(LEAST_BATCH, Math.floor(limit / 2)) : limit, pauseMs }
}
