/**
 * The clocks of a time zone: what they show at an instant, and at which instant they show something.
 *
 * A local time is a number like an instant: the epoch ms at which a clock in UTC shows the same. Between two
 * changes of its offset (a span) a zone's clock runs evenly; at a change it jumps forward (a gap: local times
 * that do not exist) or back (an overlap: local times that occur twice).
 *
 * `instantOf` is THE daylight-saving rule of this project, for everything that names a local time: a local
 * time occurs at the first instant at which the clock shows it or a later one. So a time in a gap occurs at the
 * end of the gap, one in an overlap the first time only, and later local times never occur earlier. What
 * repeats by elapsed time goes from span to span instead (`spanAt`).
 *
 * The rules of the zones are those of the `Intl` in use. It has no list of changes, so a zone is probed every
 * seven days, year by year, once, and what was found is kept. Changes nearer to each other than that and
 * cancelling each other out would be missed; there are none in the data of today.
 */
import { CalendarError } from './calendar-error.ts'

/** A stretch within which the offset stays the same: from `startAt` until just before `endAt`, epoch ms. */
export interface Span {
  /** When the clock was changed to this offset, or an earlier year's start at least a year before. */
  readonly startAt: number
  /** When it is changed next, or a later year's start at least a year after. */
  readonly endAt: number
  /** Local time minus instant. */
  readonly offsetMs: number
}

interface Change {
  readonly at: number
  /** The offset from then on. */
  readonly offsetMs: number
}

/** A year of UTC. */
interface Year {
  readonly startAt: number
  readonly endAt: number
  /** The offset at the start. */
  readonly offsetMs: number
  readonly changes: readonly Change[]
}

const SECOND = 1_000
const HOUR = 3_600_000
const DAY = 24 * HOUR
const PROBE_MS = 7 * DAY
/** No offset is further from UTC; no clock was ever set forward or back by more. */
const MAX_SHIFT_MS = 26 * HOUR
/** More years than these of one zone are forgotten again. */
const MAX_YEARS = 1_000

const zones = new Map<string, TimeZone>()
/** Asking `Intl` for it is dear. Node looks at the machine's zone again when the variable changes. */
let ofMachine: { readonly tz: string | undefined; readonly zone: TimeZone } | undefined

export class TimeZone {
  /** As `Intl` spells it. */
  readonly name: string
  readonly #format: Intl.DateTimeFormat
  readonly #years = new Map<number, Year>()

  private constructor(format: Intl.DateTimeFormat) {
    this.#format = format
    this.name = format.resolvedOptions().timeZone
  }

  /**
   * @param name an IANA name; without it the zone of this machine
   * @throws CalendarError `ERR_TIMEZONE_UNKNOWN`
   */
  static of(name?: string): TimeZone {
    if (name === undefined && ofMachine !== undefined && ofMachine.tz === process.env.TZ)
      return ofMachine.zone
    const known = name === undefined ? undefined : zones.get(name)
    if (known !== undefined) return known
    const made = new TimeZone(formatOf(name))
    const zone = zones.get(made.name) ?? made
    zones.set(zone.name, zone)
    if (name === undefined) ofMachine = { tz: process.env.TZ, zone }
    else zones.set(name, zone)
    return zone
  }

  /** What the clock shows at an instant. */
  localAt(at: number): number {
    return at + this.spanAt(at).offsetMs
  }

  /** The latest that the clock has ever shown up to an instant: more than it shows, in the second pass of an overlap. */
  reachedAt(at: number): number {
    let span = this.spanAt(at)
    let reached = at + span.offsetMs
    while (span.startAt > at - MAX_SHIFT_MS) {
      const endAt = span.startAt
      span = this.spanAt(endAt - 1)
      reached = Math.max(reached, endAt - 1 + span.offsetMs)
    }
    return reached
  }

  /** The first instant at which the clock shows `local` or later. */
  instantOf(local: number): number {
    let span = this.spanAt(local - MAX_SHIFT_MS)
    for (;;) {
      if (span.startAt + span.offsetMs >= local) return span.startAt
      const at = local - span.offsetMs
      if (at < span.endAt) return at
      span = this.spanAt(span.endAt)
    }
  }

  /** The span that an instant is in. */
  spanAt(at: number): Span {
    const number = new Date(at).getUTCFullYear()
    const year = this.#year(number)
    let index = year.changes.length - 1
    while (index >= 0 && (year.changes[index] as Change).at > at) index--
    const from = year.changes[index]
    const until = year.changes[index + 1]
    const offsetMs = from?.offsetMs ?? year.offsetMs
    return {
      startAt: from?.at ?? this.#lastChange(number - 1),
      endAt: until?.at ?? this.#firstChange(number + 1),
      offsetMs,
    }
  }

  /** Of a year whose last offset is that of the next year's start: a change at midnight belongs to the year it begins. */
  #lastChange(number: number): number {
    const year = this.#year(number)
    return year.changes.at(-1)?.at ?? year.startAt
  }

  #firstChange(number: number): number {
    const year = this.#year(number)
    return year.changes[0]?.at ?? year.endAt
  }

  #year(number: number): Year {
    const known = this.#years.get(number)
    if (known !== undefined) return known
    const year = this.#probe(Date.UTC(number, 0, 1), Date.UTC(number + 1, 0, 1))
    if (this.#years.size >= MAX_YEARS) this.#years.clear()
    this.#years.set(number, year)
    return year
  }

  #probe(startAt: number, endAt: number): Year {
    // From just before the start, so that a change at the very start is one of this year.
    const before = this.#offsetAt(startAt - SECOND)
    const changes: Change[] = []
    let at = startAt - SECOND
    let offsetMs = before
    while (at < endAt - SECOND) {
      const next = Math.min(at + PROBE_MS, endAt - SECOND)
      const nextOffset = this.#offsetAt(next)
      if (nextOffset !== offsetMs)
        changes.push({ at: this.#changeBetween(at, next, offsetMs), offsetMs: nextOffset })
      at = next
      offsetMs = nextOffset
    }
    return { startAt, endAt, offsetMs: before, changes }
  }

  /** The first whole second at which the offset is not what it is at `from` any more. */
  #changeBetween(from: number, until: number, offsetMs: number): number {
    let same = from
    let changed = until
    while (changed - same > SECOND) {
      const middle = same + Math.floor((changed - same) / 2 / SECOND) * SECOND
      if (this.#offsetAt(middle) === offsetMs) same = middle
      else changed = middle
    }
    return changed
  }

  /** @param at a whole second */
  #offsetAt(at: number): number {
    let year = 0
    let month = 0
    let day = 0
    let hour = 0
    let minute = 0
    let second = 0
    for (const { type, value } of this.#format.formatToParts(at)) {
      if (type === 'year') year = Number(value)
      else if (type === 'month') month = Number(value)
      else if (type === 'day') day = Number(value)
      else if (type === 'hour') hour = Number(value)
      else if (type === 'minute') minute = Number(value)
      else if (type === 'second') second = Number(value)
    }
    return Date.UTC(year, month - 1, day, hour, minute, second) - at
  }
}

function formatOf(timeZone: string | undefined): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      calendar: 'iso8601',
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch (error) {
    throw new CalendarError(
      `Expected a time zone of the IANA list such as 'Europe/Berlin' or 'UTC', got ${JSON.stringify(timeZone)}.`,
      { code: 'ERR_TIMEZONE_UNKNOWN', timezone: String(timeZone), cause: error },
    )
  }
}
