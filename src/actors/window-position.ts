/** Where a window begins or ends within its unit. The head of `time-windows.ts` says how positions are written. */
import { CalendarError } from './calendar-error.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, moveUnit } from './periods.ts'

export type WindowUnit = 'hour' | 'day' | 'week' | 'month' | 'year'

export type WindowEdge = 'from' | 'until'

export interface Position {
  /** The local time that it is in the unit that begins at this local time. */
  in(start: number): number
}

const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
const WEEKDAY_NAMES = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']
const DAYS_OF_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

const EXPECTED: { readonly [Unit in WindowUnit]: string } = {
  hour: "a minute of the hour such as '15' or '45:30'",
  day: "a time of day such as '22:00' or '06:30:15'",
  week: "a weekday, with a time if need be, such as 'mon' or 'friday 18:00'",
  month: "a day of the month, with a time if need be, such as '1', '15 12:00' or '-1' for the last",
  year: "a month and day, with a time if need be, such as '12-24' or '07-01 08:00'",
}

/**
 * @param name what the edge is called where it was written
 * @throws CalendarError that says which edge it is and what was expected
 */
export function parsePosition(
  unit: WindowUnit,
  edge: WindowEdge,
  text: string,
  name: string = edge,
): Position {
  const position = PARSERS[unit](text.trim().toLowerCase(), edge)
  if (position !== undefined) return position
  throw new CalendarError(
    `Expected \`${name}\` of a window of the ${unit} to be ${EXPECTED[unit]}, got ${JSON.stringify(text)}.`,
  )
}

type Parser = (text: string, edge: WindowEdge) => Position | undefined

const PARSERS: { readonly [Unit in WindowUnit]: Parser } = {
  hour: (text) => {
    const [, minute, second = '0'] = /^(\d{1,2})(?::(\d{2}))?$/.exec(text) ?? []
    if (minute === undefined) return undefined
    const offset = Number(minute) * MINUTE_MS + Number(second) * 1_000
    return Number(second) < 60 && offset <= HOUR_MS ? { in: (start) => start + offset } : undefined
  },

  day: (text) => {
    const offset = timeOfDay(text)
    return offset === undefined ? undefined : { in: (start) => start + offset }
  },

  week: (text, edge) =>
    withTime(text, edge, (name) => {
      const index = Math.max(WEEKDAYS.indexOf(name), WEEKDAY_NAMES.indexOf(name))
      return index < 0
        ? undefined
        : { of: (start) => start + index * DAY_MS, limit: (start) => start + 7 * DAY_MS }
    }),

  month: (text, edge) =>
    withTime(text, edge, (name) => {
      const day = Number(/^-?\d{1,2}$/.exec(name)?.[0])
      if (!(Math.abs(day) >= 1 && Math.abs(day) <= 31)) return undefined
      const limit = (start: number) => moveUnit('month', start, 1)
      return day > 0
        ? { of: (start) => start + (day - 1) * DAY_MS, limit }
        : { of: (start) => Math.max(limit(start) + day * DAY_MS, start), limit }
    }),

  year: (text, edge) =>
    withTime(text, edge, (name) => {
      const [, monthText, dayText] = /^(\d{1,2})-(\d{1,2})$/.exec(name) ?? []
      const month = Number(monthText) - 1
      const day = Number(dayText)
      if (!(day >= 1 && day <= (DAYS_OF_MONTHS[month] ?? 0))) return undefined
      const date = (start: number, months: number, dayOfMonth: number) =>
        Date.UTC(new Date(start).getUTCFullYear(), month + months, dayOfMonth)
      return { of: (start) => date(start, 0, day), limit: (start) => date(start, 1, 1) }
    }),
}

/** A day of its unit, by the local start of the unit. */
interface Day {
  of(start: number): number
  /** Where the days of its kind end; one that is missing is there, with all its times. */
  limit(start: number): number
}

/** `day` or `day time`; a day without a time is its beginning, or its end where a window ends. */
function withTime(
  text: string,
  edge: WindowEdge,
  dayOf: (name: string) => Day | undefined,
): Position | undefined {
  const [name = '', time, ...rest] = text.split(/\s+/)
  const day = dayOf(name)
  const offset = time === undefined ? (edge === 'until' ? DAY_MS : 0) : timeOfDay(time)
  if (day === undefined || offset === undefined || rest.length > 0) return undefined
  return { in: (start) => Math.min(day.of(start) + offset, day.limit(start)) }
}

function timeOfDay(text: string): number | undefined {
  const [, hour, minute, second = '0'] = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text) ?? []
  if (hour === undefined || Number(minute) > 59 || Number(second) > 59) return undefined
  const offset = Number(hour) * HOUR_MS + Number(minute) * MINUTE_MS + Number(second) * 1_000
  return offset <= DAY_MS ? offset : undefined
}
