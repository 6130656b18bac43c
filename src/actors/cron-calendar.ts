/**
 * Cron expressions. The one owner of croner, which finds the local times; `local-times.ts` makes instants of them,
 * so that the daylight-saving rule is the same as for recurrence rules (`calendar.ts`).
 *
 * Five fields (minute, hour, day of month, month, day of week), six with seconds before them, seven with a year
 * behind. Lists, ranges, steps, names, `L` (last), `W` (nearest weekday), `#` (nth weekday), `@daily` and the like.
 * Day of month and day of week are alternatives when both are given, as in any cron.
 */
import { Cron } from 'croner'
import { type Calendar, FIRST_AT, LAST_AT } from './calendar.ts'
import { CalendarError } from './calendar-error.ts'
import { type LocalTimes, nextElapsed, nextNamed } from './local-times.ts'
import { TimeZone } from './time-zone.ts'

export interface CronCalendarOptions {
  /** An IANA name. Default: the zone of this machine. */
  readonly timezone?: string | undefined
  /** Nothing happens before this instant, epoch ms. */
  readonly startAt?: number | undefined
  /** Nothing happens after this instant, epoch ms. */
  readonly endAt?: number | undefined
}

interface Field {
  readonly name: string
  readonly expected: string
}

const FIELDS: readonly Field[] = [
  { name: 'second', expected: '0 to 59' },
  { name: 'minute', expected: '0 to 59' },
  { name: 'hour', expected: '0 to 23' },
  { name: 'day of month', expected: '1 to 31, L, or 1W to 31W or LW' },
  { name: 'month', expected: '1 to 12 or JAN to DEC' },
  { name: 'day of week', expected: '0 to 7 or SUN to SAT, with #1 to #5 or L behind it if need be' },
  { name: 'year', expected: '1 to 9999' },
]

const HOUR = 2
const DAY_MS = 86_400_000

/**
 * @throws CalendarError when the expression, its bounds or the time zone will not do, or nothing ever matches
 */
export function cronCalendar(expression: string, options: CronCalendarOptions = {}): Calendar {
  const zone = TimeZone.of(options.timezone)
  const { startAt = Number.NEGATIVE_INFINITY, endAt = Number.POSITIVE_INFINITY } = options
  if (startAt > endAt)
    throw new CalendarError(`Expected \`startAt\` not to be after \`endAt\`, got ${startAt} and ${endAt}.`)
  const times = new CronTimes(expression)
  const everyHour = runsEveryHour(expression)
  return {
    text: expression,
    timezone: zone.name,
    next(after) {
      const from = Math.max(after, startAt - 1, FIRST_AT - 1)
      if (from >= LAST_AT) return undefined
      const at = everyHour ? nextElapsed(zone, () => times, from) : nextNamed(zone, times, from)
      return at === undefined || at > endAt ? undefined : at
    },
  }
}

class CronTimes implements LocalTimes {
  readonly #expression: string

  constructor(expression: string) {
    this.#expression = expression
    const cron = parse(expression)
    // The search ends with the year 9999, so an expression without any match is found out here.
    if (cron.nextRun(new Date(0)) === null && cron.nextRun(new Date(FIRST_AT - 1)) === null) {
      throw new CalendarError(
        `Expected the cron expression ${JSON.stringify(expression)} to match some time, but its day, month and year never meet.`,
      )
    }
  }

  next(after: number): number | undefined {
    return parse(this.#expression).nextRun(new Date(after))?.getTime()
  }
}

/** The last that were made. A calendar holds none: each is 80 KB, and soon made again (20 µs). */
const parsed = new Map<string, Cron>()
const MAX_PARSED = 100

/** In UTC, where every local time exists once. */
function cronOf(expression: string): Cron {
  return new Cron(expression, { utcOffset: 0, paused: true })
}

function parse(expression: string): Cron {
  const known = parsed.get(expression)
  if (known !== undefined) return known
  try {
    const cron = cronOf(expression)
    if (parsed.size === MAX_PARSED) parsed.delete(parsed.keys().next().value as string)
    parsed.set(expression, cron)
    return cron
  } catch (error) {
    throw new CalendarError(complaint(expression, error), { cause: error })
  }
}

/** Where it is wrong: parts are tried one by one, each in an expression that is right otherwise. */
function complaint(expression: string, error: unknown): string {
  const quoted = JSON.stringify(expression)
  const fields = fieldsOf(expression)
  if (fields === undefined) {
    return (
      `Expected the cron expression ${quoted} to have 5 fields (minute, hour, day of month, month, day of week), ` +
      `6 (second before them) or 7 (year behind them), or to be a nickname such as @daily, got ${expression.split(/\s+/).filter(Boolean).length}.`
    )
  }
  for (const [index, text] of fields.entries()) {
    const { name, expected } = FIELDS[index] as Field
    for (const part of text.split(',')) {
      const reason = refusal(index, part)
      if (reason === undefined) continue
      const where = part === text ? '' : `, part ${JSON.stringify(part)}`
      return (
        `Expected the ${name} field of the cron expression ${quoted} to hold ${expected}, as values, ranges (a-b), ` +
        `steps (*/n, a-b/n) or lists of them, got ${JSON.stringify(text)}${where}: ${reason}.`
      )
    }
  }
  return `Expected a cron expression, got ${quoted}: ${reasonOf(error)}.`
}

function refusal(index: number, part: string): string | undefined {
  if (part === '') return 'a part is empty'
  const fields = FIELDS.map(() => '*')
  fields[index] = part
  try {
    cronOf(fields.join(' '))
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replace(/^CronPattern: /, '').replace(/\.$/, '')
}

/** Seven fields, or `undefined` when there are too few or too many. */
function fieldsOf(expression: string): string[] | undefined {
  const fields = expression.trim().split(/\s+/)
  if (fields.length === 5) return ['0', ...fields, '*']
  if (fields.length === 6) return [...fields, '*']
  return fields.length === 7 ? fields : undefined
}

/** Otherwise it matches whole minutes. */
export function hasSeconds(expression: string): boolean {
  return expression.trim().split(/\s+/).length > 5
}

/** By the hour field alone: does it hold all 24? Nicknames other than `@hourly` name their hour. */
function runsEveryHour(expression: string): boolean {
  const hours = fieldsOf(expression)?.[HOUR]
  if (hours === undefined) return expression.trim().toLowerCase() === '@hourly'
  if (hours === '*' || hours === '?') return true
  // A digit or two can never be all hours; lists, ranges and steps are asked.
  if (/^\d+$/.test(hours)) return false
  const last = cronOf(`0 0 ${hours} * * *`).nextRuns(24, new Date(-1)).at(-1)
  return last !== undefined && last.getTime() < DAY_MS
}
