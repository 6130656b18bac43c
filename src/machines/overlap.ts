/** What becomes of an occurrence that comes while a run of the same worker is live. */

/**
 * - `skip`: it is dropped.
 * - `bufferOne`: it waits for the live run to end; at most one waits.
 * - `allow`: it runs beside it.
 * - `cancelOther`: the live run is cancelled, and this one begins when that has ended.
 * - `terminateOther`: the same, with termination (`replaced`, no grace).
 */
export type Overlap = 'skip' | 'bufferOne' | 'allow' | 'cancelOther' | 'terminateOther'

export const OVERLAPS: readonly Overlap[] = ['skip', 'bufferOne', 'allow', 'cancelOther', 'terminateOther']

/** What to do with the occurrence. `buffer`, `cancel` and `terminate` let it begin when the live run has ended. */
export type OverlapAct = 'run' | 'skip' | 'buffer' | 'cancel' | 'terminate'

/**
 * @param live - live runs of the worker
 * @param hasNext - whether an occurrence waits already: it stands for this one, too
 */
export function onOverlap(policy: Overlap, live: number, hasNext: boolean): OverlapAct {
  if (live === 0 || policy === 'allow') return 'run'
  if (policy === 'skip' || hasNext) return 'skip'
  if (policy === 'bufferOne') return 'buffer'
  return policy === 'cancelOther' ? 'cancel' : 'terminate'
}
