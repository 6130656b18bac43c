/**
 * Minutes, hours, days, weeks, months and years as the clocks of a time zone divide time.
 *
 * Days and what is longer begin at the first instant at which the clock shows their first moment or a later one
 * (the rule of `time-zone.ts`), so each has exactly one beginning: a day may have 23 or 25 hours, and the day
 * that Apia skipped none. Minutes and hours are elapsed time: where the clock is changed, one ends and the next
 * begins, and an hour that the clock shows twice is two.
 */
import { TimeZone } from './time-zone.ts'

export type PeriodUnit = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year'

/** From `startAt` until just before `endAt`, epoch ms. */
export interface Period {
  readonly startAt: number
  readonly endAt: number
}

export const MINUTE_MS: number = 60_000
export const HOUR_MS: number = 3_600_000
export const DAY_MS: number = 86_400_000

/**
 * The period that an instant is in. Weeks begin on Monday.
 * @param timezone an IANA name; without it the zone of this machine
 * @throws CalendarError when the time zone is unknown
 */
export function periodOf(unit: PeriodUnit, at: number, timezone?: string): Period {
  const zone = TimeZone.of(timezone)
  if (unit === 'minute') return elapsedPeriod(zone, at, MINUTE_MS)
  if (unit === 'hour') return elapsedPeriod(zone, at, HOUR_MS)
  const start = startOfUnit(unit, zone.reachedAt(at))
  return { startAt: zone.instantOf(start), endAt: zone.instantOf(moveUnit(unit, start, 1)) }
}

function elapsedPeriod(zone: TimeZone, at: number, lengthMs: number): Period {
  const span = zone.spanAt(at)
  const start = Math.floor((at + span.offsetMs) / lengthMs) * lengthMs - span.offsetMs
  return { startAt: Math.max(start, span.startAt), endAt: Math.min(start + lengthMs, span.endAt) }
}

/** Units whose beginning is a local time of its own. */
export type NamedUnit = Exclude<PeriodUnit, 'minute' | 'hour'>

/** The local time at which the unit around a local time begins. */
export function startOfUnit(unit: NamedUnit, local: number): number {
  const day = Math.floor(local / DAY_MS) * DAY_MS
  if (unit === 'day') return day
  const date = new Date(day)
  if (unit === 'week') return day - ((date.getUTCDay() + 6) % 7) * DAY_MS
  return Date.UTC(date.getUTCFullYear(), unit === 'month' ? date.getUTCMonth() : 0, 1)
}

/** The local start of the unit that is `count` units after the one that starts at `start`. */
export function moveUnit(unit: NamedUnit, start: number, count: number): number {
  if (unit === 'day') return start + count * DAY_MS
  if (unit === 'week') return start + count * 7 * DAY_MS
  const date = new Date(start)
  return unit === 'month'
    ? Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + count, 1)
    : Date.UTC(date.getUTCFullYear() + count, 0, 1)
}
