/** Windows of conditions: of each hour, day, week, month or year. */
import { timeWindow, type WindowNames } from '../actors/time-windows.ts'
import type { ConditionWindow, WithinCondition } from '../machines/condition.ts'
import { type Checks, check, checkOptions, refuse } from './check.ts'
import { checked } from './schedule-error.ts'

/**
 * A window of each hour (`'15'`, `'45:30'`), day (`'22:00'`), week (`'mon'`, `'friday 18:00'`), month (`1`, `'-1 12:00'`
 * for noon of the last day) or year (`'12-24'`). It ends just before `before`, or with it where that is a whole day; one
 * whose end is not after its beginning goes on into the next hour, day and so on.
 */
export interface WindowOptions {
  readonly after?: string | number
  readonly before?: string | number
  /** `[after, before]`. */
  readonly between?: readonly [string | number, string | number]
  /** The whole of one day of the week, month or year. */
  readonly on?: string | number
  /** An IANA name. @defaultValue the zone of this machine */
  readonly timezone?: string
}

type WindowUnit = ConditionWindow['unit']

const UNITS: readonly WindowUnit[] = ['hour', 'day', 'week', 'month', 'year']
const position = check.either('a position such as "22:00", "mon" or 15', check.text, check.count(-31))

export const windowChecks: Checks = {
  after: position,
  before: position,
  between(where, value) {
    if (!Array.isArray(value) || value.length !== 2) refuse(where, 'a pair [after, before]', value)
    for (const one of value) position(where, one)
  },
  on: position,
  timezone: check.text,
}

/**
 * True while the window is open.
 *
 * @throws OptionError for an unknown unit, a window that is none, or an unknown time zone
 */
export function within(unit: WindowUnit, options: WindowOptions): WithinCondition {
  check.oneOf(...UNITS)('within(unit)', unit)
  checkOptions('within()', options, windowChecks)
  const window = windowOf(unit, options, 'within()')
  if (window === undefined) refuse('within()', 'given after, before, between or on', options)
  return Object.freeze({ kind: 'within', window })
}

/** `undefined` when the options say nothing of a window. They have been checked one by one. */
export function windowOf(
  unit: WindowUnit,
  options: WindowOptions,
  where: string,
): ConditionWindow | undefined {
  const { after, before, between, on, timezone } = options
  const ways = [between, on, after ?? before].filter((way) => way !== undefined)
  if (ways.length === 0) return undefined
  if (ways.length > 1) refuse(where, 'given after and before, or between, or on', options)
  if (on !== undefined && (unit === 'hour' || unit === 'day'))
    refuse(`${where}.on`, 'left out: it means a day of the week, month or year', on)
  const [from, until] = between ?? (on === undefined ? [after, before] : [on, on])
  const window = Object.freeze({
    unit,
    from: from === undefined ? undefined : String(from),
    until: until === undefined ? undefined : String(until),
    timezone,
  })
  checked(where, () => timeWindow(window, timezone, namesOf(options)))
  return window
}

/** What the user wrote. */
function namesOf({ between, on }: WindowOptions): WindowNames {
  if (on !== undefined) return { from: 'on', until: 'on' }
  return between === undefined
    ? { from: 'after', until: 'before' }
    : { from: 'between[0]', until: 'between[1]' }
}
