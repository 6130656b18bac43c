/**
 * The times of a day at which a recurrence rule occurs, where they are the same on every day that it allows. So
 * what lies in many days is counted at once, and a rule whose times no step reaches is found out.
 */
import { allowsDay, DAY_MS, weekdayOfDay } from './rrule-days.ts'
import type { RuleParts } from './rrule-parts.ts'
import type { Frequency } from './rrule-text.ts'

const SECOND = 1_000
const MINUTE = 60_000
const HOUR = 3_600_000
/** Dates and weekdays repeat after 400 years. */
const CYCLE_DAYS = 146_097

/** What lies in a stretch of local time. */
export interface Counted {
  readonly count: number
  /** How far it was counted, included. */
  readonly until: number
}

export class DayPattern {
  readonly #parts: RuleParts
  /** Within a day, ms, rising. */
  readonly #times: readonly number[]

  private constructor(parts: RuleParts, times: readonly number[]) {
    this.#parts = parts
    this.#times = times
  }

  /**
   * @param start the local time at which the rule begins
   * @returns `undefined` when not all its days are alike
   */
  static of(parts: RuleParts, start: number): DayPattern | undefined {
    if (parts.positions !== undefined) return undefined
    const stepMs = stepOf(parts)
    if (stepMs !== undefined) {
      return DAY_MS % stepMs === 0
        ? new DayPattern(parts, steppedTimes(parts, start - Math.floor(start / DAY_MS) * DAY_MS, stepMs))
        : undefined
    }
    return parts.frequency === 'DAILY' && parts.interval === 1
      ? new DayPattern(parts, timesOfDay(parts, start))
      : undefined
  }

  /**
   * Counts the occurrences after a local time and not after another, day by day, and stops before there would be more
   * than `most`.
   * @param from not before the rule begins
   */
  count(from: number, until: number, most: number): Counted {
    let count = 0
    let counted = from
    let day = Math.floor((from + 1) / DAY_MS) * DAY_MS
    while (counted < until) {
      const end = Math.min(day + DAY_MS - 1, until)
      const found = allowsDay(this.#parts, day) ? this.#upTo(end - day) - this.#upTo(counted - day) : 0
      if (count + found > most) break
      count += found
      counted = end
      day += DAY_MS
    }
    return { count, until: counted }
  }

  /** How many times of a day are not after this one. */
  #upTo(time: number): number {
    let low = 0
    let high = this.#times.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#times[middle] as number) > time) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** The length of a rule's step, where it is elapsed time. */
export function stepOf({ frequency, interval }: RuleParts): number | undefined {
  const unit = unitOf(frequency)
  return unit === undefined ? undefined : unit * interval
}

function unitOf(frequency: Frequency): number | undefined {
  if (frequency === 'HOURLY') return HOUR
  if (frequency === 'MINUTELY') return MINUTE
  return frequency === 'SECONDLY' ? SECOND : undefined
}

/** Every time of a day that a rule of days and longer names, ms from its first moment. */
export function timesOfDay({ hours, minutes, seconds }: RuleParts, start: number): number[] {
  const date = new Date(start)
  const times: number[] = []
  for (const hour of hours ?? [date.getUTCHours()]) {
    for (const minute of minutes ?? [date.getUTCMinutes()]) {
      for (const second of seconds ?? [date.getUTCSeconds()])
        times.push(hour * HOUR + minute * MINUTE + second * SECOND)
    }
  }
  return times
}

/**
 * The times of a day that steps reach, and the smaller parts that the rule names within each step.
 * @param start within its day, ms
 * @param stepMs a divisor of a day
 */
function steppedTimes(parts: RuleParts, start: number, stepMs: number): number[] {
  const unit = unitOf(parts.frequency) as number
  const { minutes, seconds } = parts
  const within: number[] = []
  for (const minute of unit > MINUTE ? (minutes ?? [Math.floor(start / MINUTE) % 60]) : [0]) {
    for (const second of unit > SECOND ? (seconds ?? [Math.floor(start / SECOND) % 60]) : [0])
      within.push(minute * MINUTE + second * SECOND)
  }
  const times: number[] = []
  const first = Math.floor((start % stepMs) / unit) * unit
  for (let at = first; at < DAY_MS; at += stepMs) {
    if (allowsTime(parts, unit, at)) for (const time of within) times.push(at + time)
  }
  return times
}

/** Whether parts as large as the unit or larger allow a time of a day. */
function allowsTime({ hours, minutes, seconds }: RuleParts, unit: number, time: number): boolean {
  return (
    (hours === undefined || hours.includes(Math.floor(time / HOUR))) &&
    (unit > MINUTE || minutes === undefined || minutes.includes(Math.floor(time / MINUTE) % 60)) &&
    (unit > SECOND || seconds === undefined || seconds.includes(Math.floor(time / SECOND) % 60))
  )
}

/** Finds out at once most rules whose parts never meet; the others are told by looking for their first occurrence. */
export function canMeet(parts: RuleParts, start: number): boolean {
  return picksSome(parts) && allowsSomeDay(parts) && reachesSomeTime(parts, start)
}

/** `BYSETPOS` may ask for more than there are in one period. */
function picksSome({ frequency, positions, weekdays, hours, minutes, seconds }: RuleParts): boolean {
  if (positions === undefined || frequency === 'YEARLY' || frequency === 'MONTHLY') return true
  const unit = unitOf(frequency) ?? DAY_MS
  const most =
    (frequency === 'WEEKLY' ? (weekdays?.length ?? 1) : 1) *
    (unit > HOUR ? (hours?.length ?? 1) : 1) *
    (unit > MINUTE ? (minutes?.length ?? 1) : 1) *
    (unit > SECOND ? (seconds?.length ?? 1) : 1)
  return positions.some((position) => Math.abs(position) <= most)
}

function allowsSomeDay(parts: RuleParts): boolean {
  const { months, monthDays, yearDays, weekdays } = parts
  if ([months, monthDays, yearDays, weekdays].every((part) => part === undefined)) return true
  for (let day = 0; day < CYCLE_DAYS; day++) if (allowsDay(parts, day * DAY_MS)) return true
  return false
}

/** Weekdays and times of a day come round every week. */
function reachesSomeTime(parts: RuleParts, start: number): boolean {
  const stepMs = stepOf(parts)
  if (stepMs === undefined) return true
  const unit = unitOf(parts.frequency) as number
  const { weekdays } = parts
  const week = 7 * DAY_MS
  const reached = divisor(stepMs, week)
  for (let at = Math.floor(start / unit) * unit, end = at + week; at < end; at += reached) {
    const day = Math.floor(at / DAY_MS) * DAY_MS
    const onDay = weekdays === undefined || weekdays.some(({ weekday }) => weekday === weekdayOfDay(day))
    if (onDay && allowsTime(parts, unit, at - day)) return true
  }
  return false
}

/** The greatest common one. */
function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b)
}
