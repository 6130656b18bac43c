/**
 * How many tasks a daemon claims beyond the free places of its pools, so that short ones need not wait for a claim each.
 * What is claimed ahead cannot be run by another daemon meanwhile, so it is no more than what ends here within
 * {@link AHEAD_MS}: hundreds of tasks that take no time, none of those that take a minute. Where the store takes longer to
 * answer, it is what ends until two claims are answered: else the places would be empty most of the time. Where the next
 * claim is under way while the tasks of the last one run, it is three: with two the pace rises slowly, since no more can end than was
 * claimed.
 */

/** How far ahead tasks are claimed, in ms. */
export const AHEAD_MS = 20

/** Weight of the newest measurement; the first one is all there is. */
const NEWEST = 0.5
/** A few tasks say little of many: no more are claimed ahead than so many for each that has ended. */
const RISE = 10

export interface Pace {
  /** Tasks that end per ms in which some run, smoothed. */
  readonly perMs: number
  /** How many that was seen from. */
  readonly seen: number
  /** For how long none has ended since, ms: too short to say anything. */
  readonly silentMs: number
  /** How many may be claimed ahead. */
  readonly ahead: number
}

export const NO_PACE: Pace = { perMs: 0, seen: 0, silentMs: 0, ahead: 0 }

/** What the pace is taken from. */
export interface PaceSample {
  /** Tasks that have ended since the pace was last taken. */
  readonly ended: number
  /** For how long since then there were tasks to run. */
  readonly busyMs: number
  /** How long the store took to answer the last claim. */
  readonly answerMs: number
  /** Until so many are answered there should be tasks to run. */
  readonly claims: 2 | 3
  /** Upper bound of what is claimed ahead. */
  readonly most: number
}

export function nextPace(pace: Pace, { ended, busyMs, answerMs, claims, most }: PaceSample): Pace {
  const silentMs = pace.silentMs + busyMs
  // A claim may follow the last one before anything of that can have ended.
  if (ended === 0 && silentMs < AHEAD_MS) return { ...pace, silentMs }
  const measured = ended / Math.max(silentMs, 0.1)
  const weight = pace.seen === 0 ? 1 : NEWEST
  const perMs = pace.perMs * (1 - weight) + measured * weight
  const seen = Math.max(ended, pace.seen * (1 - NEWEST))
  const ahead = Math.floor(Math.min(perMs * Math.max(AHEAD_MS, claims * answerMs), seen * RISE))
  return { perMs, seen, silentMs: 0, ahead: Math.min(most, ahead) }
}
