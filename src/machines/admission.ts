/**
 * Who may take a slot: the trunk-reservation rule on one counter per pool.
 *
 * `low` is admitted while `active < size`, `normal` while `active < size + reserveNormal`, `high` while
 * `active < size + reserveNormal + reserveHigh`, `critical` always. The reserves are thresholds on one
 * counter, not partitions: a high task may stand anywhere. `size: 0` means unlimited.
 */
import { PRIORITIES, type Priority } from './model.ts'

/** Sizes of one pool, in slots. */
export interface Limits {
  /** Slots for every band; 0 = unlimited. */
  readonly size: number
  /** Extra slots for `normal` and above. */
  readonly reserveNormal: number
  /** Extra slots for `high` and above, on top. */
  readonly reserveHigh: number
}

/** How many admitted tasks a pool may hold for a task of `band` to be admitted next: it needs fewer. */
export function threshold(limits: Limits, band: Priority): number {
  if (band === 'critical' || limits.size === 0) return Number.POSITIVE_INFINITY
  if (band === 'low') return limits.size
  if (band === 'normal') return limits.size + limits.reserveNormal
  return limits.size + limits.reserveNormal + limits.reserveHigh
}

/** Whether a task of `band` may be admitted beside `active` admitted ones. */
export function admits(limits: Limits, active: number, band: Priority): boolean {
  return active < threshold(limits, band)
}

/**
 * The limits of the thread lane inside its pool when fewer threads than slots exist: the reserves stay
 * at its top, and every band keeps at least one thread so that none starves by construction.
 */
export function laneLimits(limits: Limits, max: number): Limits {
  const total = threshold(limits, 'high')
  if (max >= total) return limits
  const size = Math.max(1, max - limits.reserveNormal - limits.reserveHigh)
  const reserveNormal = Math.min(limits.reserveNormal, Math.max(0, max - size))
  return { size, reserveNormal, reserveHigh: Math.max(0, max - size - reserveNormal) }
}

/** The bands in which a task may be admitted at `active`, most urgent first. */
export function openBands(limits: Limits, active: number): readonly Priority[] {
  return PRIORITIES.filter((band) => admits(limits, active, band))
}
