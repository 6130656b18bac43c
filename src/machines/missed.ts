/**
 * Which occurrences of a schedule a worker still gets to, and what it owes for those that it missed.
 *
 * An occurrence is *on time* when the worker gets to it before its successor is due and not later than
 * `missedAfterMs`. Every other one is missed: the loop was blocked, the machine slept, the worker was paused.
 */

/** `skip` forgets missed occurrences, `once` owes one run for all of them, `all` one for each. */
export type Missed = 'skip' | 'once' | 'all'

export const MISSED: readonly Missed[] = ['skip', 'once', 'all']

/** What is owed after `count` more were missed. */
export function owedFor(policy: Missed, owed: number, count: number): number {
  if (policy === 'all') return owed + count
  return policy === 'once' && count > 0 ? Math.max(owed, 1) : owed
}

/** How many of them nobody makes up for. */
export function forgottenOf(policy: Missed, owed: number, count: number): number {
  return count - (owedFor(policy, owed, count) - owed)
}

/** Instants `anchor + n × stepMs`, n from 0. No drift: each is computed from the anchor. */
export interface Grid {
  readonly anchor: number
  readonly stepMs: number
}

/** What a look at a schedule found. */
export interface Look {
  /** Whether the last occurrence is still on time. */
  readonly onTime: boolean
  readonly missed: number
  /** The first occurrence that has not come: a number on a grid, an instant on a calendar. */
  readonly next: number
}

export function dueOf(grid: Grid, index: number): number {
  return grid.anchor + index * grid.stepMs
}

/**
 * @param next - number of the first occurrence that has not been looked at
 * @param now - on the clock of the anchor
 */
export function lookAtGrid(grid: Grid, next: number, now: number, missedAfterMs: number): Look {
  if (now < dueOf(grid, next)) return { onTime: false, missed: 0, next }
  let last = Math.max(next, Math.floor((now - grid.anchor) / grid.stepMs))
  // A quotient is rounded; the instants themselves decide.
  while (last > next && dueOf(grid, last) > now) last -= 1
  while (dueOf(grid, last + 1) <= now) last += 1
  const onTime = now - dueOf(grid, last) <= missedAfterMs
  return { onTime, missed: last - next + (onTime ? 0 : 1), next: last + 1 }
}
