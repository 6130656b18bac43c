/**
 * When a schedule comes, and its policies: as a user says it, as JSON text in the store, and as a calendar. What depends on
 * the moment and the machine (the start of a rule that says none, the time zone) is fixed when it is said first, so that
 * every daemon sees the same occurrences.
 */
import type { Calendar } from '../../actors/calendar.ts'
import { MISSED, type Missed } from '../../machines/missed.ts'
import {
  SCHEDULE_ORIGINS,
  SCHEDULE_OVERLAPS,
  type ScheduleOrigin,
  type ScheduleOverlap,
  type SchedulePolicy,
} from '../../machines/schedule-policy.ts'
import { type Checks, check, refuse } from '../check.ts'
import { OptionError } from '../errors.ts'
import { cronCalendarOf, rruleCalendarOf } from '../schedule-options.ts'
import { checkStoredInstant, toInstant } from './enqueue-options.ts'

/** When a schedule comes, and what becomes of occurrences that come at a bad time. Exactly one of the first three. */
export interface ScheduleTimes {
  /** A cron expression of five to seven fields, or a nickname such as `@daily`. */
  readonly cron?: string
  /** A recurrence rule of RFC 5545, alone or with lines of `DTSTART`, `RDATE` and `EXDATE`. */
  readonly rrule?: string
  /** So often, the first time at once or at `startAt`. */
  readonly everyMs?: number
  /** An IANA name, for `cron` and `rrule`. @defaultValue that of `DTSTART`, else the zone of the machine that says it */
  readonly timezone?: string
  /** Nothing happens before it; a recurrence rule begins with it. @defaultValue at once */
  readonly startAt?: number | Date
  /** Nothing happens after it. @defaultValue never */
  readonly endAt?: number | Date
  /**
   * What is owed for occurrences that nobody was there to see: nothing, one run for all of them, or one for each. The last
   * one is none of them as long as it is on time. @defaultValue 'skip'
   */
  readonly missed?: Missed
  /** How late an occurrence still is on time, if its successor is not due. @defaultValue Infinity */
  readonly missedAfterMs?: number
  /** What an occurrence does while a run of the schedule is live. @defaultValue 'skip' */
  readonly overlap?: ScheduleOverlap
  /**
   * `due`: the next occurrence follows the last. `end`: it is computed when the run has ended, `everyMs` after that.
   * @defaultValue 'due'
   */
  readonly from?: ScheduleOrigin
  /** `false`: it is kept, and nothing happens. @defaultValue true */
  readonly enabled?: boolean
}

export const SCHEDULE_TIME_CHECKS: Checks = {
  cron: check.text,
  rrule: check.text,
  everyMs: (where, value) => {
    check.finiteDuration(where, value)
    if (!Number.isInteger(value) || value === 0)
      refuse(where, 'a whole number of milliseconds from 1 on', value)
  },
  timezone: check.text,
  startAt: checkStoredInstant,
  endAt: checkStoredInstant,
  missed: check.oneOf(...MISSED),
  missedAfterMs: check.duration,
  overlap: check.oneOf(...SCHEDULE_OVERLAPS),
  from: check.oneOf(...SCHEDULE_ORIGINS),
  enabled: check.boolean,
}

/** What the text of a rule says. Keys are written in this order, so that equal rules have equal texts. */
export interface ScheduleRule {
  readonly cron?: string
  readonly rrule?: string
  readonly everyMs?: number
  readonly timezone?: string
  readonly startAt?: number
  readonly endAt?: number
  readonly missed: Missed
  /** Without it, never too late. */
  readonly missedAfterMs?: number
  readonly overlap: ScheduleOverlap
  readonly from: ScheduleOrigin
  readonly enabled: boolean
  /** The start of one that says none. */
  readonly anchorAt?: number
}

/** A rule that can be asked. */
export interface ReadRule {
  readonly rule: ScheduleRule
  readonly policy: SchedulePolicy
  readonly calendar: Calendar
}

/** A rule and its first occurrence. */
export interface NewRule {
  readonly text: string
  /** `null` when it is not enabled. */
  readonly nextAt: number | null
}

/**
 * @param stored - text of the rule that the schedule has by now: one that says the same keeps its start
 * @throws OptionError (`ERR_SCHEDULE_INVALID`, `ERR_TIMEZONE_UNKNOWN`) for one that is wrong, or never comes
 */
export function toScheduleRule(
  where: string,
  times: ScheduleTimes,
  now: number,
  stored: string | undefined,
): NewRule {
  const said = saidOf(where, times)
  const own = stored === undefined ? undefined : readRule(stored)?.rule
  const isSame = own !== undefined && JSON.stringify({ ...own, anchorAt: undefined }) === JSON.stringify(said)
  const rule = isSame ? own : anchored(said, now)
  const calendar = calendarOf(where, rule)
  const first = firstOf(rule, calendar, Math.max(now, rule.startAt ?? now))
  if (first === null && !isSame) {
    throw new OptionError(`${where} never comes: it has no occurrence from now on.`, {
      code: 'ERR_SCHEDULE_INVALID',
    })
  }
  return { text: JSON.stringify(rule), nextAt: rule.enabled ? first : null }
}

function firstOf(
  { everyMs, from, endAt = Number.POSITIVE_INFINITY }: ScheduleRule,
  calendar: Calendar,
  begin: number,
) {
  if (everyMs === undefined || from === 'due') return calendar.next(begin - 1) ?? null
  return begin <= endAt ? begin : null
}

/** `undefined` for a text that this version or this machine cannot read: a time zone that it does not know. */
export function readRule(text: string): ReadRule | undefined {
  try {
    const rule = JSON.parse(text) as ScheduleRule
    const { missed, missedAfterMs = Number.POSITIVE_INFINITY, overlap, from } = rule
    return { rule, policy: { missed, missedAfterMs, overlap, from }, calendar: calendarOf('schedule', rule) }
  } catch {
    return undefined
  }
}

function saidOf(where: string, times: ScheduleTimes): ScheduleRule {
  const { cron, rrule, everyMs, timezone, startAt, endAt, missedAfterMs } = times
  const kinds = [cron, rrule, everyMs].filter((kind) => kind !== undefined)
  if (kinds.length !== 1) refuse(where, 'given exactly one of cron, rrule and everyMs', times)
  if (everyMs !== undefined && timezone !== undefined) {
    refuse(`${where}.timezone`, 'absent beside everyMs, which knows no time of day', timezone)
  }
  const { missed = 'skip', overlap = 'skip', from = 'due', enabled = true } = times
  return {
    ...given({ cron, rrule, everyMs, timezone: zoneOf(where, times) }),
    ...given({ startAt: instant(startAt), endAt: instant(endAt) }),
    missed,
    ...(missedAfterMs === undefined || missedAfterMs === Number.POSITIVE_INFINITY ? {} : { missedAfterMs }),
    overlap,
    from,
    enabled,
  }
}

/** The zone that counts; `undefined` where none does. */
function zoneOf(where: string, { cron, rrule, timezone, startAt }: ScheduleTimes): string | undefined {
  if (cron !== undefined) return cronCalendarOf(where, { cron, timezone }).timezone
  return rrule === undefined ? undefined : rruleCalendarOf(where, { rrule, timezone, startAt }, 0).timezone
}

function anchored(rule: ScheduleRule, now: number): ScheduleRule {
  const needsStart =
    rule.everyMs !== undefined || (rule.rrule !== undefined && !/^DTSTART\b/im.test(rule.rrule))
  if (!needsStart || rule.startAt !== undefined) return rule
  return { ...rule, anchorAt: rule.everyMs === undefined ? Math.ceil(now / 1_000) * 1_000 : now }
}

function calendarOf(where: string, rule: ScheduleRule): Calendar {
  const { cron, rrule, everyMs, timezone, endAt, anchorAt } = rule
  const startAt = rule.startAt ?? anchorAt
  if (cron !== undefined) return cronCalendarOf(where, given({ cron, timezone, startAt, endAt }))
  if (rrule !== undefined) return until(rruleCalendarOf(where, given({ rrule, timezone, startAt }), 0), endAt)
  if (everyMs === undefined) throw new TypeError('no kind of calendar')
  return until(every(everyMs, startAt ?? 0, rule.from), endAt)
}

/** A grid; from the end of a run on, the next occurrence is one whole step later. */
function every(everyMs: number, anchorAt: number, from: ScheduleOrigin): Calendar {
  return {
    text: `every ${everyMs} ms`,
    timezone: 'UTC',
    next(after) {
      if (after < anchorAt) return anchorAt
      if (from === 'end') return after + everyMs
      return anchorAt + (Math.floor((after - anchorAt) / everyMs) + 1) * everyMs
    },
  }
}

function until(calendar: Calendar, endAt = Number.POSITIVE_INFINITY): Calendar {
  return {
    ...calendar,
    next(after) {
      const at = calendar.next(after)
      return at === undefined || at > endAt ? undefined : at
    },
  }
}

function instant(at: number | Date | undefined): number | undefined {
  return at === undefined ? undefined : toInstant(at)
}

/** Only what is given. */
function given<Values extends object>(
  values: Values,
): { [Key in keyof Values]: Exclude<Values[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}
