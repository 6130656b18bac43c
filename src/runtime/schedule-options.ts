/** Checks what users say about schedules, and makes calendars of it. What is wrong is an `OptionError`. */
import type { Calendar } from '../actors/calendar.ts'
import { cronCalendar } from '../actors/cron-calendar.ts'
import { rruleCalendar } from '../actors/rrule-calendar.ts'
import { type Checks, check, checkOptions } from './check.ts'
import { checked } from './schedule-error.ts'

/** When something happens, as a cron expression. */
export interface CronSchedule {
  /**
   * Five fields (minute, hour, day of month, month, day of week), six with seconds before them, or seven with
   * a year behind them; or a nickname such as `@daily`.
   */
  readonly cron: string
  /** An IANA name such as `Europe/Berlin`. Default: the time zone of this machine. */
  readonly timezone?: string | undefined
  /** Nothing happens before it. */
  readonly startAt?: number | Date | undefined
  /** Nothing happens after it. */
  readonly endAt?: number | Date | undefined
}

/** When something happens, as a recurrence rule of RFC 5545. */
export interface RruleSchedule {
  /** A rule (`FREQ=DAILY;COUNT=3`), or lines with `DTSTART`, `RRULE`, `RDATE` and `EXDATE`. */
  readonly rrule: string
  /** An IANA name. Default: that of `DTSTART`, else the time zone of this machine. */
  readonly timezone?: string | undefined
  /** When the rule begins, unless its text has a `DTSTART`. Default: the next whole second. */
  readonly startAt?: number | Date | undefined
}

export const CRON_CHECKS: Checks = {
  cron: check.text,
  timezone: check.text,
  startAt: check.instant,
  endAt: check.instant,
}

export const RRULE_CHECKS: Checks = {
  rrule: check.text,
  timezone: check.text,
  startAt: check.instant,
}

/**
 * @param where names the options in error sentences
 * @throws OptionError
 */
export function cronCalendarOf(where: string, schedule: CronSchedule): Calendar {
  checkOptions(where, schedule, CRON_CHECKS)
  check.text(`${where}.cron`, schedule.cron)
  const { cron, timezone, startAt, endAt } = schedule
  return checked(where, () => cronCalendar(cron, { timezone, startAt: ms(startAt), endAt: ms(endAt) }))
}

/**
 * @param where names the options in error sentences
 * @param now epoch ms: a rule that says no start begins with the next whole second
 * @throws OptionError
 */
export function rruleCalendarOf(where: string, schedule: RruleSchedule, now: number): Calendar {
  checkOptions(where, schedule, RRULE_CHECKS)
  check.text(`${where}.rrule`, schedule.rrule)
  const { rrule, timezone } = schedule
  const hasStart = /^DTSTART\b/im.test(rrule)
  const startAt = ms(schedule.startAt) ?? (hasStart ? undefined : nextSecond(now))
  return checked(where, () => rruleCalendar(rrule, { timezone, startAt }))
}

function nextSecond(now: number): number {
  return (Math.floor(now / 1_000) + 1) * 1_000
}

function ms(at: number | Date | undefined): number | undefined {
  return at instanceof Date ? at.getTime() : at
}
