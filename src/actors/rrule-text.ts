/**
 * The text of a recurrence: lines of RFC 5545, read and checked before the library sees the rule.
 *
 * A bare rule (`FREQ=DAILY;COUNT=3`), or lines `DTSTART`, `RRULE` (one), `EXDATE`, `RDATE`. Anything wrong is an
 * error that says in which line and part.
 */
import { CalendarError } from './calendar-error.ts'

/** A date-time as it is written: which kind says how it becomes an instant. */
export type WrittenTime =
  /** `…Z`: an instant. */
  | { readonly kind: 'instant'; readonly at: number }
  /** By the clock of a zone (see `time-zone.ts` for local times); without a zone, by that of the calendar. */
  | { readonly kind: 'local'; readonly local: number; readonly timezone: string | undefined }
  /** A whole day of the calendar; `local` is its first moment. */
  | { readonly kind: 'day'; readonly local: number }

export type Frequency = 'YEARLY' | 'MONTHLY' | 'WEEKLY' | 'DAILY' | 'HOURLY' | 'MINUTELY' | 'SECONDLY'

export interface RecurrenceText {
  readonly frequency: Frequency
  /** Every part of the rule but `COUNT` and `UNTIL`, checked: for the library. */
  readonly rule: string
  readonly count: number | undefined
  readonly until: WrittenTime | undefined
  /** Does the rule name hours, and not all 24 of them? */
  readonly namesHours: boolean
  readonly start: WrittenTime | undefined
  readonly extra: readonly WrittenTime[]
  readonly excluded: readonly WrittenTime[]
}

const FREQUENCIES: readonly Frequency[] = [
  'YEARLY',
  'MONTHLY',
  'WEEKLY',
  'DAILY',
  'HOURLY',
  'MINUTELY',
  'SECONDLY',
]
const SUB_DAILY: readonly Frequency[] = ['HOURLY', 'MINUTELY', 'SECONDLY']
const WEEKDAY = '(?:MO|TU|WE|TH|FR|SA|SU)'

interface Part {
  readonly expected: string
  valid(value: string): boolean
}

const numbers = (min: number, max: number, signed = false): Part => ({
  expected: signed ? `numbers from ${min} to ${max} or -${max} to -${min}` : `numbers from ${min} to ${max}`,
  valid: (value) =>
    value.split(',').every((one) => {
      const number = signed ? Math.abs(Number(one)) : Number(one)
      return /^[+-]?\d+$/.test(one) && number >= min && number <= max
    }),
})

const whole = (max: number): Part => ({
  expected: `a whole number from 1 to ${max}`,
  valid: (value) => /^\d+$/.test(value) && inRange(Number(value), max),
})

const PARTS: { readonly [name: string]: Part } = {
  FREQ: {
    expected: `one of ${FREQUENCIES.join(', ')}`,
    valid: (value) => FREQUENCIES.includes(value as Frequency),
  },
  INTERVAL: whole(999_999_999),
  COUNT: whole(Number.MAX_SAFE_INTEGER),
  UNTIL: {
    expected: 'a date (20261231) or date-time (20261231T235959Z)',
    valid: (value) => writtenTime(value) !== undefined,
  },
  BYSECOND: numbers(0, 60),
  BYMINUTE: numbers(0, 59),
  BYHOUR: numbers(0, 23),
  BYDAY: {
    expected: 'weekdays such as MO,FR, or with a number such as 1MO,-1FR',
    valid: (value) => new RegExp(`^([+-]?\\d{1,2})?${WEEKDAY}(,([+-]?\\d{1,2})?${WEEKDAY})*$`).test(value),
  },
  BYMONTHDAY: numbers(1, 31, true),
  BYYEARDAY: numbers(1, 366, true),
  BYWEEKNO: numbers(1, 53, true),
  BYMONTH: numbers(1, 12),
  BYSETPOS: numbers(1, 366, true),
  WKST: { expected: 'a weekday such as MO', valid: (value) => new RegExp(`^${WEEKDAY}$`).test(value) },
}

/** Parts that RFC 5545 forbids with a frequency. */
const FORBIDDEN: { readonly [part: string]: readonly Frequency[] } = {
  BYMONTHDAY: ['WEEKLY'],
  BYYEARDAY: ['DAILY', 'WEEKLY', 'MONTHLY'],
  BYWEEKNO: ['MONTHLY', 'WEEKLY', 'DAILY', ...SUB_DAILY],
}

/** @throws CalendarError that says where the text is wrong and what was expected there */
export function parseRecurrence(text: string): RecurrenceText {
  const lines = linesOf(text)
  const rules = lines.filter(({ name }) => name === 'RRULE')
  const starts = lines.filter(({ name }) => name === 'DTSTART')
  const [rule] = rules
  if (rule === undefined || rules.length > 1) {
    throw new CalendarError(`Expected one rule in the recurrence ${quote(text)}, got ${rules.length}.`)
  }
  if (starts.length > 1)
    throw new CalendarError(`Expected one DTSTART in the recurrence, got ${starts.length}.`)
  const [start] = starts.flatMap(timesOf)
  return {
    ...parseRule(rule.value),
    start,
    extra: lines.filter(({ name }) => name === 'RDATE').flatMap(timesOf),
    excluded: lines.filter(({ name }) => name === 'EXDATE').flatMap(timesOf),
  }
}

interface Line {
  readonly name: string
  readonly params: readonly string[]
  readonly value: string
}

const LINE_NAMES = ['RRULE', 'DTSTART', 'RDATE', 'EXDATE']

function linesOf(text: string): Line[] {
  // A line that begins with a blank goes on where the one before it ended.
  const unfolded = text.replace(/\r?\n[ \t]/g, '')
  return unfolded
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const colon = line.indexOf(':')
      if (colon < 0) return { name: 'RRULE', params: [], value: line.toUpperCase() }
      const [name = '', ...params] = line.slice(0, colon).split(';')
      if (!LINE_NAMES.includes(name.toUpperCase())) {
        throw new CalendarError(
          `Expected the lines of a recurrence to be ${LINE_NAMES.join(', ')}, got ${quote(name)} in ${quote(line)}.`,
        )
      }
      return {
        name: name.toUpperCase(),
        params,
        value: line
          .slice(colon + 1)
          .trim()
          .toUpperCase(),
      }
    })
}

function parseRule(text: string): Omit<RecurrenceText, 'start' | 'extra' | 'excluded'> {
  const parts = new Map<string, string>()
  for (const piece of text.replace(/;$/, '').split(';')) {
    const equals = piece.indexOf('=')
    const name = equals < 0 ? piece : piece.slice(0, equals)
    const value = equals < 0 ? '' : piece.slice(equals + 1)
    const part = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined
    if (part === undefined) {
      refuse(
        text,
        `to be made of ${Object.keys(PARTS).join(', ')}`,
        piece === '' ? 'an empty part' : quote(piece),
      )
    }
    if (parts.has(name)) refuse(text, `to have ${name} once`, 'two')
    if (!part.valid(value)) refuse(text, `to have as ${name} ${part.expected}`, quote(value))
    parts.set(name, value)
  }
  checkTogether(text, parts)
  const frequency = parts.get('FREQ') as Frequency
  const count = parts.get('COUNT')
  const until = parts.get('UNTIL')
  const hours = parts.get('BYHOUR')
  const rest = [...parts].filter(([name]) => name !== 'COUNT' && name !== 'UNTIL')
  return {
    frequency,
    rule: rest
      .map(([name, value]) => `${name}=${name === 'BYSECOND' ? withoutLeap(value) : value}`)
      .join(';'),
    count: count === undefined ? undefined : Number(count),
    until: until === undefined ? undefined : writtenTime(until),
    namesHours:
      hours === undefined ? !isSubDaily(frequency) : new Set(hours.split(',').map(Number)).size < 24,
  }
}

/** No clock here shows a second 60; the RFC (3.3.12) takes it for 59 then. */
function withoutLeap(seconds: string): string {
  return seconds.replace(/\b60\b/g, '59')
}

function checkTogether(text: string, parts: ReadonlyMap<string, string>): void {
  const frequency = parts.get('FREQ')
  if (frequency === undefined) return refuse(text, `to have FREQ, one of ${FREQUENCIES.join(', ')}`, 'none')
  if (parts.has('COUNT') && parts.has('UNTIL')) refuse(text, 'to have COUNT or UNTIL', 'both')
  for (const [name, frequencies] of Object.entries(FORBIDDEN)) {
    if (parts.has(name) && frequencies.includes(frequency as Frequency)) {
      refuse(text, `not to have ${name} with FREQ=${frequency}`, quote(`${name}=${parts.get(name)}`))
    }
  }
  const byDay = parts.get('BYDAY') ?? ''
  if (/\d/.test(byDay)) {
    const numbered = frequency === 'MONTHLY' || (frequency === 'YEARLY' && !parts.has('BYWEEKNO'))
    if (!numbered) {
      refuse(
        text,
        'to have numbers in BYDAY only with FREQ=MONTHLY, or FREQ=YEARLY without BYWEEKNO',
        quote(byDay),
      )
    }
    const limit = frequency === 'MONTHLY' ? 5 : 53
    if (
      byDay.split(',').some((day) => /\d/.test(day) && !inRange(Math.abs(Number.parseInt(day, 10)), limit))
    ) {
      refuse(text, `to have numbers from 1 to ${limit} or -${limit} to -1 in BYDAY`, quote(byDay))
    }
  }
  if (
    parts.has('BYSETPOS') &&
    ![...parts.keys()].some((name) => name.startsWith('BY') && name !== 'BYSETPOS')
  ) {
    refuse(text, 'to have another BY… part beside BYSETPOS', quote(text))
  }
}

function inRange(number: number, max: number): boolean {
  return number >= 1 && number <= max
}

export function isSubDaily(frequency: Frequency): boolean {
  return SUB_DAILY.includes(frequency)
}

function refuse(rule: string, expected: string, got: string): never {
  throw new CalendarError(`Expected the rule ${quote(rule)} ${expected}, got ${got}.`)
}

function quote(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text)
}

function timesOf({ name, params, value }: Line): WrittenTime[] {
  let timezone: string | undefined
  for (const param of params) {
    const [key = '', given = ''] = param.split('=')
    if (key.toUpperCase() === 'TZID') timezone = given.replace(/^"(.*)"$/, '$1')
    else if (!/^VALUE=(DATE|DATE-TIME)$/i.test(param)) {
      throw new CalendarError(
        `Expected the parameters of ${name} to be TZID and VALUE=DATE or VALUE=DATE-TIME, got ${quote(param)}.`,
      )
    }
  }
  const texts = name === 'DTSTART' ? [value] : value.split(',')
  return texts.map((one) => {
    const time = writtenTime(one, timezone)
    if (time !== undefined) return time
    throw new CalendarError(
      `Expected ${name} to be a date (20261231) or date-time (20261231T093000, with Z for UTC), got ${quote(one)}.`,
    )
  })
}

function writtenTime(text: string, timezone?: string): WrittenTime | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?$/.exec(text)
  if (match === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((one) => Number(one ?? 0))
  const local = Date.UTC(year, month - 1, day, hour, minute, second)
  const shown = new Date(local).toISOString().replace(/[-:]|\.000Z/g, '')
  // What is not shown again does not exist, such as a 30th of February.
  if (!shown.startsWith(text.replace('Z', ''))) return undefined
  if (match[4] === undefined) return { kind: 'day', local }
  return match[7] === undefined ? { kind: 'local', local, timezone } : { kind: 'instant', at: local }
}
