/**
 * Recurrence rules of RFC 5545: `RRULE` with `DTSTART`, `EXDATE` and `RDATE`.
 *
 * `rrule-text.ts` reads the text, `rrule-times.ts` finds the local times of the endless rule, and this file adds what
 * is about instants: the daylight-saving rule (`calendar.ts`), `COUNT` and `UNTIL`, dates added and taken away. As in the
 * RFC, `COUNT` counts also what `EXDATE` takes away and not what `RDATE` adds. `DTSTART` is an occurrence only
 * where the rule matches it.
 */
import type { Calendar } from './calendar.ts'
import { CalendarError } from './calendar-error.ts'
import { type LocalTimes, nextElapsed, nextNamed } from './local-times.ts'
import { partsOf, type RuleParts } from './rrule-parts.ts'
import { isSubDaily, parseRecurrence, type RecurrenceText, type WrittenTime } from './rrule-text.ts'
import { RuleTimes } from './rrule-times.ts'
import { YearTimes } from './rrule-year-times.ts'
import { TimeZone } from './time-zone.ts'

export interface RruleCalendarOptions {
  /** An IANA name. Default: that of `DTSTART` (UTC when it ends with Z), else the zone of this machine. */
  readonly timezone?: string | undefined
  /** When the rule begins, epoch ms, if its text has no `DTSTART`. Counts in whole seconds, rounded up. */
  readonly startAt?: number | undefined
}

const SECOND = 1_000
const DAY_MS = 86_400_000

/** @throws CalendarError when the text, the start or the time zone will not do, or nothing ever matches */
export function rruleCalendar(text: string, options: RruleCalendarOptions = {}): Calendar {
  const recurrence = parseRecurrence(text)
  const zone = zoneOf(recurrence.start, options.timezone)
  const rule = new EndlessRule(recurrence, zone, startOf(recurrence.start, zone, options.startAt))
  if (rule.next(Number.NEGATIVE_INFINITY) === undefined) {
    throw new CalendarError(
      `Expected the rule ${JSON.stringify(recurrence.rule)} to match some time, but its parts never meet.`,
    )
  }
  const ended = new EndingRule(rule, recurrence.count, endOf(recurrence.until, zone))
  const extra = recurrence.extra.map((time) => instantOf(time, zone)).sort((a, b) => a - b)
  const excluded = new Exclusions(recurrence.excluded, zone)
  return {
    text,
    timezone: zone.name,
    next(after) {
      let at = earlier(ended.next(after), firstAfter(extra, after))
      while (at !== undefined) {
        const freeAt = excluded.over(at)
        if (freeAt === undefined) return at
        at = earlier(ended.next(freeAt), firstAfter(extra, freeAt))
      }
      return undefined
    },
  }
}

function zoneOf(start: WrittenTime | undefined, timezone: string | undefined): TimeZone {
  const written = start?.kind === 'local' ? start.timezone : start?.kind === 'instant' ? 'UTC' : undefined
  if (written === undefined || timezone === undefined || start?.kind === 'instant')
    return TimeZone.of(timezone ?? written)
  const zone = TimeZone.of(timezone)
  if (TimeZone.of(written) === zone) return zone
  throw new CalendarError(
    `Expected one time zone, got ${JSON.stringify(timezone)} as an option and ${JSON.stringify(written)} in DTSTART.`,
  )
}

/** Where a rule begins: as an instant, and by its name. */
interface Start {
  readonly at: number
  readonly local: number
}

function startOf(written: WrittenTime | undefined, zone: TimeZone, startAt: number | undefined): Start {
  if (written === undefined && startAt === undefined) {
    throw new CalendarError('Expected a start of the rule, as DTSTART in its text or as `startAt`, got none.')
  }
  if (written !== undefined && startAt !== undefined) {
    throw new CalendarError('Expected one start of the rule, got both DTSTART in its text and `startAt`.')
  }
  if (written === undefined || written.kind === 'instant') {
    const at = written === undefined ? Math.ceil((startAt as number) / SECOND) * SECOND : written.at
    return { at, local: zone.localAt(at) }
  }
  return { at: instantOf(written, zone), local: written.local }
}

function instantOf(time: WrittenTime, zone: TimeZone): number {
  if (time.kind === 'instant') return time.at
  const own = time.kind === 'local' && time.timezone !== undefined ? TimeZone.of(time.timezone) : zone
  return own.instantOf(time.local)
}

/** A day as `UNTIL` includes all of it. */
function endOf(until: WrittenTime | undefined, zone: TimeZone): number {
  if (until === undefined) return Number.POSITIVE_INFINITY
  return until.kind === 'day' ? zone.instantOf(until.local + DAY_MS) - 1 : instantOf(until, zone)
}

/** The instants of a rule, as if it had neither `COUNT` nor `UNTIL`. */
class EndlessRule {
  readonly startAt: number
  readonly #recurrence: RecurrenceText
  readonly #zone: TimeZone
  readonly #start: Start
  /** By the offset while which they hold. */
  readonly #times = new Map<number, LocalTimes>()
  readonly #parts: RuleParts

  constructor(recurrence: RecurrenceText, zone: TimeZone, start: Start) {
    this.startAt = start.at
    this.#recurrence = recurrence
    this.#zone = zone
    this.#start = start
    this.#parts = partsOf(recurrence.rule)
  }

  next(after: number): number | undefined {
    const from = Math.max(after, this.startAt - 1)
    return this.#recurrence.namesHours
      ? nextNamed(this.#zone, this.#named(), from)
      : nextElapsed(this.#zone, (offsetMs) => this.#elapsed(offsetMs), from)
  }

  #named(): LocalTimes {
    return this.#timesFrom(this.#start.local)
  }

  /** Steps of hours and less count from the instant of the start, whatever the clock showed then. */
  #elapsed(offsetMs: number): LocalTimes {
    return isSubDaily(this.#recurrence.frequency) ? this.#timesFrom(this.startAt + offsetMs) : this.#named()
  }

  #timesFrom(local: number): LocalTimes {
    const known = this.#times.get(local)
    if (known !== undefined) return known
    const { frequency, rule } = this.#recurrence
    const times = frequency === 'YEARLY' ? new YearTimes(this.#parts, local) : new RuleTimes(rule, local)
    this.#times.set(local, times)
    return times
  }
}

/** `COUNT` is counted from the start once, and then on from where the last question ended. */
class EndingRule {
  readonly #rule: EndlessRule
  readonly #count: number
  readonly #endAt: number
  /** So many occurrences were counted, the last of them at `#countedAt`. */
  #counted = 0
  #countedAt = Number.NEGATIVE_INFINITY
  /** The last of all, once it was reached. */
  #lastAt = Number.POSITIVE_INFINITY

  constructor(rule: EndlessRule, count: number | undefined, endAt: number) {
    this.#rule = rule
    this.#count = count ?? Number.POSITIVE_INFINITY
    this.#endAt = endAt
  }

  next(after: number): number | undefined {
    if (after >= this.#lastAt) return undefined
    const at = this.#rule.next(after)
    if (at === undefined || at > this.#endAt) return undefined
    if (this.#count === Number.POSITIVE_INFINITY) return at
    this.#countTo(at)
    return at > this.#lastAt ? undefined : at
  }

  #countTo(at: number): void {
    while (this.#countedAt < at && this.#counted < this.#count) {
      const next = this.#rule.next(this.#countedAt)
      if (next === undefined) return
      this.#counted++
      this.#countedAt = next
    }
    if (this.#counted === this.#count) this.#lastAt = this.#countedAt
  }
}

class Exclusions {
  readonly #instants: ReadonlySet<number>
  /** Local days, by their first moment. */
  readonly #days: ReadonlySet<number>
  readonly #zone: TimeZone

  constructor(times: readonly WrittenTime[], zone: TimeZone) {
    this.#zone = zone
    this.#instants = new Set(times.filter(({ kind }) => kind !== 'day').map((time) => instantOf(time, zone)))
    this.#days = new Set(times.flatMap((time) => (time.kind === 'day' ? [time.local] : [])))
  }

  /** The instant after which to go on, if this one is excluded. */
  over(at: number): number | undefined {
    if (this.#days.size > 0) {
      const day = Math.floor(this.#zone.reachedAt(at) / DAY_MS) * DAY_MS
      if (this.#days.has(day)) return this.#zone.instantOf(day + DAY_MS) - 1
    }
    return this.#instants.has(at) ? at : undefined
  }
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return Math.min(a, b)
}

function firstAfter(rising: readonly number[], after: number): number | undefined {
  return rising.find((at) => at > after)
}
