/**
 * Which days the parts of a recurrence rule allow: those that ALL its parts name, as RFC 5545 has it wherever two
 * of them meet (3.3.10, the table and its notes).
 *
 * A day is written as the local time of its first moment (see `time-zone.ts`).
 */
import type { RuleParts, RuleWeekday } from './rrule-parts.ts'

export const DAY_MS = 86_400_000

/** Where a day lies in its month and year. */
interface Place {
  readonly month: number
  readonly dayOfMonth: number
  readonly monthLength: number
  readonly dayOfYear: number
  readonly yearLength: number
  readonly weekday: number
}

export function weekdayOfDay(day: number): number {
  // The first of January 1970 was a Thursday.
  return modulo(day / DAY_MS + 3, 7)
}

/** The first moment of the year; `Date.UTC` alone takes the years to 99 for those of a century. */
export function startOfYear(year: number): number {
  return new Date(0).setUTCFullYear(year, 0, 1)
}

/** The first day of week 1, the first week with four days or more in the year. */
export function startOfWeeks(year: number, weekStart: number): number {
  const first = startOfYear(year)
  const past = modulo(weekdayOfDay(first) - weekStart, 7)
  return first + (past <= 3 ? -past : 7 - past) * DAY_MS
}

/** The year that a day's week belongs to: not that of its date in some of the days round New Year. */
export function yearOfWeek(day: number, weekStart: number): number {
  const year = new Date(day).getUTCFullYear()
  if (day < startOfWeeks(year, weekStart)) return year - 1
  return day < startOfWeeks(year + 1, weekStart) ? year : year + 1
}

/** Whether the rule's parts allow a day. */
export function allowsDay(parts: RuleParts, day: number): boolean {
  const { months, weeks, yearDays, monthDays, weekdays } = parts
  const place = placeOf(day)
  return (
    (months === undefined || months.includes(place.month)) &&
    (yearDays === undefined || names(yearDays, place.dayOfYear, place.yearLength)) &&
    (monthDays === undefined || names(monthDays, place.dayOfMonth, place.monthLength)) &&
    (weekdays === undefined || namesWeekday(parts, weekdays, place)) &&
    (weeks === undefined || namesWeek(weeks, day, parts.weekStart))
  )
}

function placeOf(day: number): Place {
  const date = new Date(day)
  const year = date.getUTCFullYear()
  const month = date.getUTCMonth() + 1
  const start = startOfYear(year)
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return {
    month,
    dayOfMonth: date.getUTCDate(),
    monthLength: month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31,
    dayOfYear: (day - start) / DAY_MS + 1,
    yearLength: isLeap ? 366 : 365,
    weekday: weekdayOfDay(day),
  }
}

/** Numbers from 1 on, or from -1 back. */
function names(numbers: readonly number[], place: number, length: number): boolean {
  return numbers.includes(place) || numbers.includes(place - length - 1)
}

/** Numbered ones count within the month in rules of months and of years with months, else within the year. */
function namesWeekday(parts: RuleParts, weekdays: readonly RuleWeekday[], place: Place): boolean {
  const inMonth = parts.frequency === 'MONTHLY' || parts.months !== undefined
  const at = inMonth ? place.dayOfMonth : place.dayOfYear
  const length = inMonth ? place.monthLength : place.yearLength
  const nth = Math.floor((at - 1) / 7) + 1
  const nthLast = -Math.floor((length - at) / 7) - 1
  return weekdays.some(
    (one) =>
      one.weekday === place.weekday && (one.nth === undefined || one.nth === nth || one.nth === nthLast),
  )
}

function namesWeek(weeks: readonly number[], day: number, weekStart: number): boolean {
  const year = yearOfWeek(day, weekStart)
  const start = startOfWeeks(year, weekStart)
  const length = (startOfWeeks(year + 1, weekStart) - start) / DAY_MS / 7
  return names(weeks, Math.floor((day - start) / DAY_MS / 7) + 1, length)
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by
}
