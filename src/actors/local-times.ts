/** From local times, which libraries find, to the instants of a time zone: both halves of the rule of `calendar.ts`. */
import type { TimeZone } from './time-zone.ts'

/** Local times (see `time-zone.ts`) in rising order. */
export interface LocalTimes {
  /** The first one strictly after a local time. */
  next(after: number): number | undefined
}

/** What names its hours: each local time once, at the first instant at which the clock shows it or a later one. */
export function nextNamed(zone: TimeZone, times: LocalTimes, after: number): number | undefined {
  const local = times.next(zone.reachedAt(after))
  return local === undefined ? undefined : zone.instantOf(local)
}

/**
 * What runs in every hour: each time the clock shows a local time.
 * @param timesAt the local times while the clock has an offset
 */
export function nextElapsed(
  zone: TimeZone,
  timesAt: (offsetMs: number) => LocalTimes,
  after: number,
): number | undefined {
  let span = zone.spanAt(after)
  // Strictly after, then from the very instant of a change on: local times are whole milliseconds.
  let local = timesAt(span.offsetMs).next(after + span.offsetMs)
  while (local !== undefined && local - span.offsetMs >= span.endAt) {
    const changedAt = span.endAt
    span = zone.spanAt(changedAt)
    local = timesAt(span.offsetMs).next(changedAt + span.offsetMs - 1)
  }
  return local === undefined ? undefined : local - span.offsetMs
}
