/**
 * Windows that come again: from one position to another in every hour, day, week, month or year.
 *
 * | unit | positions | examples |
 * |---|---|---|
 * | hour | minute, with seconds if need be | `15`, `45:30` |
 * | day | time | `22:00`, `06:30:15`, `24:00` |
 * | week | weekday, with a time if need be | `mon`, `friday 18:00` |
 * | month | day from 1 on, or from -1 (the last) back, with a time if need be | `1`, `-1 12:00` |
 * | year | month and day, with a time if need be | `12-24`, `07-01 08:00` |
 *
 * A window without `from` begins with its unit, one without `until` ends with it. `until` is exclusive; where it
 * names a whole minute of the hour or a whole day, the window ends with that day (mon to fri), before that minute.
 * A window whose `until` is not after its `from` goes on into the next unit (22:00 to 06:00). A day that a month
 * does not have counts as the end of the month. Positions become instants by the rule of `time-zone.ts`; a
 * window that lies wholly in a gap is left out that day.
 */
import { CalendarError } from './calendar-error.ts'
import { HOUR_MS, moveUnit, type NamedUnit, periodOf, startOfUnit } from './periods.ts'
import { TimeZone } from './time-zone.ts'
import { type Position, parsePosition, type WindowUnit } from './window-position.ts'

/** What to give: see the head of this file. */
export interface WindowSpec {
  readonly unit: WindowUnit
  readonly from?: string | undefined
  readonly until?: string | undefined
}

export interface WindowState {
  readonly inside: boolean
  /** Where the window that holds the instant begins, epoch ms; `undefined` outside. */
  readonly startAt: number | undefined
  /**
   * The end of the window that holds the instant (another may begin there), or the beginning of the next one;
   * `Infinity` when there is none.
   */
  readonly changesAt: number
}

/** A checked window. */
export interface TimeWindow {
  readonly timezone: string
  /** Whether an instant is inside, and until when that holds at least. */
  at(instant: number): WindowState
}

/** What the edges of a window are called where it was written. */
export interface WindowNames {
  readonly from: string
  readonly until: string
}

const NAMES: WindowNames = { from: 'from', until: 'until' }

/**
 * @param timezone an IANA name; without it the zone of this machine
 * @throws CalendarError when a position or the time zone will not do
 */
export function timeWindow(spec: WindowSpec, timezone?: string, names: WindowNames = NAMES): TimeWindow {
  const { unit } = spec
  if (spec.from === undefined && spec.until === undefined) {
    throw new CalendarError(`A window of the ${unit} needs \`${names.from}\`, \`${names.until}\` or both.`)
  }
  const zone = TimeZone.of(timezone)
  const from = spec.from === undefined ? undefined : parsePosition(unit, 'from', spec.from, names.from)
  const until = spec.until === undefined ? undefined : parsePosition(unit, 'until', spec.until, names.until)
  return { timezone: zone.name, at: (instant) => stateAt(zone, unit, from, until, instant) }
}

/** Like {@link timeWindow}, for one question. */
export function windowAt(spec: WindowSpec, at: number, timezone?: string): WindowState {
  return timeWindow(spec, timezone).at(at)
}

/** How many units are looked through: in some a window is empty, such as a 29th of February in seven years (1897 to 1903). */
const MAX_UNITS = 12

function stateAt(
  zone: TimeZone,
  unit: WindowUnit,
  from: Position | undefined,
  until: Position | undefined,
  at: number,
): WindowState {
  // The window of the unit before may reach into this one.
  const goesOn = from !== undefined && until !== undefined && isAfter(from, until)
  let place = previous(zone, placeAt(zone, unit, at))
  for (let index = 0; index < MAX_UNITS; index++) {
    const following = next(zone, place)
    const startAt = from === undefined ? place.startAt : place.instantOf(from)
    const endAt = until === undefined ? following.startAt : (goesOn ? following : place).instantOf(until)
    if (at < startAt && startAt < endAt) return { inside: false, startAt: undefined, changesAt: startAt }
    if (at >= startAt && at < endAt) return { inside: true, startAt, changesAt: endAt }
    place = following
  }
  throw new CalendarError(`A window of the ${unit} that is never open.`)
}

/** One unit on the axis of time. */
interface Place {
  readonly unit: WindowUnit
  readonly startAt: number
  readonly endAt: number
  /** The local time at which it begins by name. */
  readonly start: number
  instantOf(position: Position): number
}

/** A Monday, the first of a year and of a month with 31 days, in a leap year. */
const LONGEST_UNITS_AT = Date.UTC(2024, 0, 1)

/** Asked of the longest unit: where days are missing, both ends may be one instant. */
function isAfter(from: Position, until: Position): boolean {
  return until.in(LONGEST_UNITS_AT) <= from.in(LONGEST_UNITS_AT)
}

function placeAt(zone: TimeZone, unit: WindowUnit, at: number): Place {
  return unit === 'hour' ? hourAt(zone, at) : named(zone, unit, startOfUnit(unit, zone.reachedAt(at)))
}

function next(zone: TimeZone, place: Place): Place {
  const { unit } = place
  return unit === 'hour' ? hourAt(zone, place.endAt) : named(zone, unit, moveUnit(unit, place.start, 1))
}

function previous(zone: TimeZone, place: Place): Place {
  const { unit } = place
  return unit === 'hour'
    ? hourAt(zone, place.startAt - 1)
    : named(zone, unit, moveUnit(unit, place.start, -1))
}

function named(zone: TimeZone, unit: NamedUnit, start: number): Place {
  return {
    unit,
    start,
    startAt: zone.instantOf(start),
    endAt: zone.instantOf(moveUnit(unit, start, 1)),
    instantOf: (position) => zone.instantOf(position.in(start)),
  }
}

function hourAt(zone: TimeZone, at: number): Place {
  const { startAt, endAt } = periodOf('hour', at, zone.name)
  const { offsetMs } = zone.spanAt(at)
  const start = Math.floor((at + offsetMs) / HOUR_MS) * HOUR_MS
  return {
    unit: 'hour',
    start,
    startAt,
    endAt,
    instantOf: (position) => Math.min(Math.max(position.in(start) - offsetMs, startAt), endAt),
  }
}
