/**
 * The local times of a recurrence rule of years, without end.
 *
 * Ours, because rrule-temporal joins the parts that name days where RFC 5545 lets them limit each other (`BYYEARDAY`
 * with `BYDAY`, `BYWEEKNO` with `BYMONTHDAY`), and takes any weekday for `BYWEEKNO` alone.
 *
 * With `BYWEEKNO` the years are those that weeks belong to: week 1 of 2026 begins on the 29th of December 2025.
 */
import type { LocalTimes } from './local-times.ts'
import { allowsDay, DAY_MS, startOfWeeks, startOfYear, weekdayOfDay, yearOfWeek } from './rrule-days.ts'
import type { RuleParts } from './rrule-parts.ts'
import { timesOfDay } from './rrule-pattern.ts'

/** Dates and weekdays repeat after so many years. */
const CYCLE = 400
const LAST_YEAR = 9_999

export class YearTimes implements LocalTimes {
  readonly #parts: RuleParts
  readonly #start: number
  readonly #firstYear: number
  /** Within a day, rising. */
  readonly #times: readonly number[]
  #last: YearOfTimes | undefined = undefined

  /** @param start the local time at which it begins, a whole second */
  constructor(given: RuleParts, start: number) {
    const day = Math.floor(start / DAY_MS) * DAY_MS
    this.#parts = { ...given, ...daysOfStart(given, day) }
    this.#start = start
    this.#firstYear = this.#yearOf(day)
    this.#times = timesOfDay(given, start)
  }

  next(after: number): number | undefined {
    const { interval } = this.#parts
    const from = Math.max(after, this.#start - 1)
    const past = this.#yearOf(Math.floor(from / DAY_MS) * DAY_MS) - this.#firstYear
    let year = this.#firstYear + Math.ceil(past / interval) * interval
    for (let tried = 0; tried <= CYCLE && year <= LAST_YEAR; tried++) {
      const found = this.#year(year).firstAfter(from)
      if (found !== undefined) return found
      year += interval
    }
    return undefined
  }

  #yearOf(day: number): number {
    const { weeks, weekStart } = this.#parts
    return weeks === undefined ? new Date(day).getUTCFullYear() : yearOfWeek(day, weekStart)
  }

  #year(year: number): YearOfTimes {
    if (this.#last?.year === year) return this.#last
    const { weeks, weekStart, positions } = this.#parts
    const first = weeks === undefined ? startOfYear(year) : startOfWeeks(year, weekStart)
    const end = weeks === undefined ? startOfYear(year + 1) : startOfWeeks(year + 1, weekStart)
    const days: number[] = []
    for (let day = first; day < end; day += DAY_MS) if (allowsDay(this.#parts, day)) days.push(day)
    this.#last = new YearOfTimes(year, days, this.#times, positions)
    return this.#last
  }
}

/** What a rule leaves unsaid about its days is that of its start. */
function daysOfStart(parts: RuleParts, day: number): Partial<RuleParts> {
  const { months, weeks, yearDays, monthDays, weekdays } = parts
  if (yearDays !== undefined || monthDays !== undefined || weekdays !== undefined) return {}
  if (weeks !== undefined) return { weekdays: [{ weekday: weekdayOfDay(day), nth: undefined }] }
  const date = new Date(day)
  return { months: months ?? [date.getUTCMonth() + 1], monthDays: [date.getUTCDate()] }
}

/** The times of one year: every time of every day, or those of them that `BYSETPOS` picks. */
class YearOfTimes {
  readonly year: number
  readonly #days: readonly number[]
  readonly #times: readonly number[]
  /** Places among all times, rising; `undefined`: all of them. */
  readonly #picked: readonly number[] | undefined
  readonly #count: number

  constructor(
    year: number,
    days: readonly number[],
    times: readonly number[],
    positions: readonly number[] | undefined,
  ) {
    this.year = year
    this.#days = days
    this.#times = times
    const all = days.length * times.length
    this.#picked = positions === undefined ? undefined : placesOf(positions, all)
    this.#count = this.#picked?.length ?? all
  }

  firstAfter(after: number): number | undefined {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#at(middle) > after) high = middle
      else low = middle + 1
    }
    return low < this.#count ? this.#at(low) : undefined
  }

  #at(index: number): number {
    const place = this.#picked?.[index] ?? index
    const times = this.#times.length
    return (this.#days[Math.floor(place / times)] as number) + (this.#times[place % times] as number)
  }
}

function placesOf(positions: readonly number[], count: number): number[] {
  const places = positions.map((position) => (position > 0 ? position - 1 : count + position))
  return [...new Set(places)].filter((place) => place >= 0 && place < count).sort((a, b) => a - b)
}
