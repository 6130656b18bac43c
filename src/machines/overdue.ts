/**
 * Until when a stored task may wait, and what becomes of one that has waited for longer. Pure: whoever keeps the row knows
 * its instants. Stores find the rows by a column that they compute in the same way.
 */

/** What bounds a wait; `null`: nothing. Whole ms. */
export interface WaitBounds {
  /** Since it was due. */
  readonly queueTimeoutMs: number | null
  /** Since it was stored. */
  readonly deadlineMs: number | null
  /** Epoch ms. Holds until its first attempt begins. */
  readonly expiresAt: number | null
}

export const NO_BOUNDS: WaitBounds = { queueTimeoutMs: null, deadlineMs: null, expiresAt: null }

/** Why a wait has to end: what bounds it. */
export type OverdueReason = 'deadline' | 'queueTimeout' | 'expired'

/** A task that waits. */
export interface Wait extends WaitBounds {
  /** Epoch ms. */
  readonly runAt: number
  readonly createdAt: number
  /** Attempts begun, and steps made. */
  readonly attempt: number
  readonly step: number
}

/** The last instant there is. */
const LAST_AT = 8.64e15

/** When a wait has to end at the latest, epoch ms, and why; `undefined`: it may last for ever. The deadline goes first on a tie. */
export function overdueOf(wait: Wait): { readonly at: number; readonly reason: OverdueReason } | undefined {
  const { runAt, createdAt, attempt, step, queueTimeoutMs, deadlineMs, expiresAt } = wait
  let at = LAST_AT
  let reason: OverdueReason | undefined
  const bound = (instant: number, why: OverdueReason): void => {
    if (instant >= at) return
    at = instant
    reason = why
  }
  if (deadlineMs !== null) bound(createdAt + deadlineMs, 'deadline')
  if (queueTimeoutMs !== null) bound(runAt + queueTimeoutMs, 'queueTimeout')
  if (expiresAt !== null && attempt === 0 && step === 0) bound(expiresAt, 'expired')
  return reason === undefined ? undefined : { at, reason }
}
