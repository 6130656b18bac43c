/**
 * When the next frame is due. Pure.
 *
 * - something happens: at most ten a second;
 * - nothing does: twice a second, for what no step tells of: progress, clocks, states of the user's own actors;
 * - making one takes long, because there is much to look at: so seldom that frames take a twentieth of the time. Time that
 *   other processes had meanwhile does not count: on a busy machine frames are not rarer.
 */
const SOONEST_MS = 100
const IDLE_MS = 500
const SHARE = 20
/** Of one frame, however long it took: the next one comes. */
const MOST_COST_MS = 1_000

/** What one frame of many costs, whatever the last one did (ms): a slow one says little. */
export function costOf(before: number, last: number): number {
  return (before + Math.min(last, MOST_COST_MS)) / 2
}

/** @param costMs - what a frame takes of the processor */
export function nextFrameMs(isBusy: boolean, costMs: number): number {
  return Math.max(isBusy ? SOONEST_MS : IDLE_MS, costMs * SHARE)
}

/** What becomes of a frame for a page that may not keep up. */
export type Backlog = 'send' | 'skip' | 'close'

/** Not read yet, of one page: what is more waits until it has read. */
const MOST_BYTES = 1_048_576
/** A page that reads nothing for so long is gone, or might as well be. */
const PATIENCE_MS = 10_000

/**
 * @param bytes - written and not yet read
 * @param sinceMs - for how long there have been too many; 0 if there were not
 */
export function onBacklog(bytes: number, sinceMs: number): Backlog {
  if (bytes <= MOST_BYTES) return 'send'
  return sinceMs > PATIENCE_MS ? 'close' : 'skip'
}
