/**
 * Recurrence rules of RFC 5545: `RRULE` with `DTSTART`, `EXDATE` and `RDATE`.
 *
 * `rrule-text.ts` reads the text, `rrule-times.ts` finds the local times of the endless rule, and this file adds what
 * is about instants: the daylight-saving rule (`calendar.ts`), `COUNT` and `UNTIL`, dates added and taken away. As in the
 * RFC, `COUNT` counts also what `EXDATE` takes away and not what `RDATE` adds. `DTSTART` is an occurrence only
 * where the rule matches it.
 */
import { type Calendar, FIRST_AT, LAST_AT } from './calendar.ts'
import { CalendarError } from './calendar-error.ts'
import { type LocalTimes, nextElapsed, nextNamed } from './local-times.ts'
import { DAY_MS } from './rrule-days.ts'
import { partsOf, type RuleParts } from './rrule-parts.ts'
import { type Counted, canMeet, DayPattern, stepOf } from './rrule-pattern.ts'
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

/** @throws CalendarError when the text, the start or the time zone will not do, or nothing ever matches */
export function rruleCalendar(text: string, options: RruleCalendarOptions = {}): Calendar {
  const recurrence = parseRecurrence(text)
  const zone = zoneOf(recurrence.start, options.timezone)
  const rule = new EndlessRule(recurrence, zone, startOf(recurrence.start, zone, options.startAt))
  if (!rule.hasFirst()) {
    throw new CalendarError(
      `Expected the rule ${JSON.stringify(recurrence.rule)} to match some time, but its parts never meet.`,
    )
  }
  const ended = endingRule(rule, recurrence.count, endOf(recurrence.until, zone))
  const extra = recurrence.extra.map((time) => instantOf(time, zone)).sort((a, b) => a - b)
  const excluded = new Exclusions(recurrence.excluded, zone)
  return {
    text,
    timezone: zone.name,
    next(after) {
      if (after >= LAST_AT) return undefined
      let at = earlier(ended.next(after), firstAfter(extra, after))
      while (at !== undefined) {
        const freeAt = excluded.over(at)
        if (freeAt === undefined) return at > LAST_AT ? undefined : at
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
  const shown =
    written === undefined ? (startAt as number) : written.kind === 'instant' ? written.at : written.local
  if (shown < FIRST_AT || shown > LAST_AT) {
    const got = written === undefined ? `${startAt} (epoch ms)` : new Date(shown).toISOString()
    throw new CalendarError(`Expected the start of the rule to lie in the years 1000 to 9999, got ${got}.`)
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
  readonly #patterns = new Map<number, DayPattern | undefined>()
  readonly #parts: RuleParts

  constructor(recurrence: RecurrenceText, zone: TimeZone, start: Start) {
    this.startAt = start.at
    this.#recurrence = recurrence
    this.#zone = zone
    this.#start = start
    this.#parts = partsOf(recurrence.rule)
  }

  hasFirst(): boolean {
    return canMeet(this.#parts, this.#start.local) && this.next(Number.NEGATIVE_INFINITY) !== undefined
  }

  /** When it occurs for the nth time, if that can be told without looking: it has nothing but a step of elapsed time. */
  nth(count: number): number | undefined {
    const stepMs = stepOf(this.#parts)
    return stepMs === undefined || /;BY/.test(this.#recurrence.rule)
      ? undefined
      : this.startAt + (count - 1) * stepMs
  }

  /**
   * Counts at once what occurs after an instant and not after another, or part of it, at most `most`. Within a span each
   * local time is one instant, unless the clock has shown it before.
   */
  count(after: number, until: number, most: number): Counted {
    const { offsetMs, endAt } = this.#zone.spanAt(after)
    const { namesHours } = this.#recurrence
    const repeats = namesHours && this.#zone.reachedAt(after) > after + offsetMs
    const pattern = repeats ? undefined : this.#patternFrom(this.#startLocal(offsetMs))
    if (pattern === undefined) return { count: 0, until: after }
    const counted = pattern.count(after + offsetMs, Math.min(until, endAt - 1) + offsetMs, most)
    return { count: counted.count, until: counted.until - offsetMs }
  }

  next(after: number): number | undefined {
    const from = Math.max(after, this.startAt - 1)
    return this.#recurrence.namesHours
      ? nextNamed(this.#zone, this.#timesFrom(this.#start.local), from)
      : nextElapsed(this.#zone, (offsetMs) => this.#timesFrom(this.#startLocal(offsetMs)), from)
  }

  /** Steps of hours and less count from the instant of the start, whatever the clock showed then. */
  #startLocal(offsetMs: number): number {
    const { frequency, namesHours } = this.#recurrence
    return !namesHours && isSubDaily(frequency) ? this.startAt + offsetMs : this.#start.local
  }

  #patternFrom(local: number): DayPattern | undefined {
    if (this.#patterns.has(local)) return this.#patterns.get(local)
    const pattern = DayPattern.of(this.#parts, local)
    this.#patterns.set(local, pattern)
    return pattern
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

function endingRule(rule: EndlessRule, count: number | undefined, endAt: number): EndingRule {
  const lastAt = count === undefined ? undefined : rule.nth(count)
  return lastAt === undefined
    ? new EndingRule(rule, count, endAt)
    : new EndingRule(rule, undefined, Math.min(endAt, lastAt))
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
      // The last of all is looked at itself: its instant is the end.
      if (at - this.#countedAt > DAY_MS && this.#countedAt >= this.#rule.startAt) {
        const { count, until } = this.#rule.count(this.#countedAt, at, this.#count - this.#counted - 1)
        this.#counted += count
        this.#countedAt = until
        if (until === at) return
      }
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
