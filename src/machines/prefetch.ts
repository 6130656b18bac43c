/**
 * How many tasks a daemon claims beyond the free places of its pools, so that short ones need not wait for a claim each.
 * What is claimed ahead cannot be run by another daemon meanwhile, so it is no more than what ends here within
 * {@link AHEAD_MS}: hundreds of tasks that take no time, none of those that take a minute. Where the store takes longer to
 * answer, it is what ends until two claims are answered: else the places would be empty most of the time.
 */

/** How far ahead tasks are claimed, in ms. */
export const AHEAD_MS = 20

/** Weight of the newest measurement. */
const NEWEST = 0.5

export interface Pace {
  /** Tasks that end per ms, smoothed. */
  readonly perMs: number
  /** How many may be claimed ahead. */
  readonly ahead: number
}

export const NO_PACE: Pace = { perMs: 0, ahead: 0 }

/** What the pace is taken from. */
export interface PaceSample {
  /** Tasks that have ended since the pace was last taken. */
  readonly ended: number
  /** Time since then. */
  readonly elapsedMs: number
  /** How long the store took to answer the last claim. */
  readonly answerMs: number
  /** Upper bound of what is claimed ahead. */
  readonly most: number
}

export function nextPace(pace: Pace, { ended, elapsedMs, answerMs, most }: PaceSample): Pace {
  const measured = ended / Math.max(elapsedMs, 0.1)
  const perMs = pace.perMs * (1 - NEWEST) + measured * NEWEST
  return { perMs, ahead: Math.min(most, Math.floor(perMs * Math.max(AHEAD_MS, 2 * answerMs))) }
}
