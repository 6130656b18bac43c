/**
 * The time in which a cron expression matches: the whole minute of each occurrence, or the whole second where the
 * expression has a seconds field.
 */
import { type CronCalendarOptions, cronCalendar, hasSeconds } from './cron-calendar.ts'
import { MINUTE_MS } from './periods.ts'
import type { TimeWindow } from './time-windows.ts'

const SECOND_MS = 1_000
/** Occurrences that follow one another without a gap are one window; so many are looked at before it is asked again. */
const MAX_FOLLOWING = 60

/**
 * A window as of `time-windows.ts`. An open one may be said to change before it does: ask again then.
 * @throws CalendarError when the expression or the time zone will not do
 */
export function cronWindow(expression: string, options: CronCalendarOptions = {}): TimeWindow {
  const calendar = cronCalendar(expression, options)
  const unitMs = hasSeconds(expression) ? SECOND_MS : MINUTE_MS
  return {
    timezone: calendar.timezone,
    at(instant) {
      const startAt = calendar.next(instant - unitMs)
      if (startAt === undefined || startAt > instant) {
        return { inside: false, startAt: undefined, changesAt: startAt ?? Number.POSITIVE_INFINITY }
      }
      let changesAt = startAt + unitMs
      for (let index = 0; index < MAX_FOLLOWING && calendar.next(changesAt - 1) === changesAt; index++)
        changesAt += unitMs
      return { inside: true, startAt, changesAt }
    },
  }
}
