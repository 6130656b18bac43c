/** The parts of a recurrence rule as numbers, read from a text that `rrule-text.ts` has checked. */
import type { Frequency } from './rrule-text.ts'

/** A day of the week, `MO` is 0; with a number the nth one of its month or year, from the end if negative. */
export interface RuleWeekday {
  readonly weekday: number
  readonly nth: number | undefined
}

/** A part that the rule does not have is `undefined`. */
export interface RuleParts {
  readonly frequency: Frequency
  readonly interval: number
  readonly months: readonly number[] | undefined
  readonly weeks: readonly number[] | undefined
  readonly yearDays: readonly number[] | undefined
  readonly monthDays: readonly number[] | undefined
  readonly weekdays: readonly RuleWeekday[] | undefined
  readonly hours: readonly number[] | undefined
  readonly minutes: readonly number[] | undefined
  readonly seconds: readonly number[] | undefined
  readonly positions: readonly number[] | undefined
  /** The first day of a week, as `weekday`. */
  readonly weekStart: number
}

const WEEKDAYS: readonly string[] = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']

/** @param rule right, without blanks, in capitals */
export function partsOf(rule: string): RuleParts {
  const values = new Map(rule.split(';').map((part) => part.split('=') as [string, string]))
  const numbers = (name: string): number[] | undefined => {
    const value = values.get(name)
    return value === undefined ? undefined : rising(value.split(',').map(Number))
  }
  return {
    frequency: values.get('FREQ') as Frequency,
    interval: Number(values.get('INTERVAL') ?? 1),
    months: numbers('BYMONTH'),
    weeks: numbers('BYWEEKNO'),
    yearDays: numbers('BYYEARDAY'),
    monthDays: numbers('BYMONTHDAY'),
    weekdays: values.get('BYDAY')?.split(',').map(weekdayOf),
    hours: numbers('BYHOUR'),
    minutes: numbers('BYMINUTE'),
    seconds: numbers('BYSECOND'),
    positions: numbers('BYSETPOS'),
    weekStart: WEEKDAYS.indexOf(values.get('WKST') ?? 'MO'),
  }
}

/** `-1FR` */
function weekdayOf(text: string): RuleWeekday {
  const nth = text.slice(0, -2)
  return { weekday: WEEKDAYS.indexOf(text.slice(-2)), nth: nth === '' ? undefined : Number(nth) }
}

/** Each once. */
function rising(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b)
}
