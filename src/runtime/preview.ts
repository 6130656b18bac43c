/** Looks at a schedule without running anything. */
import { preview as previewOf } from '../actors/calendar.ts'
import { check, checkOptions } from './check.ts'
import {
  CRON_CHECKS,
  type CronSchedule,
  cronCalendarOf,
  RRULE_CHECKS,
  type RruleSchedule,
  rruleCalendarOf,
} from './schedule-options.ts'

/** What {@link preview} looks at, and how far. */
export type PreviewOptions = (CronSchedule | RruleSchedule) & {
  /** How many occurrences. Default 10. */
  readonly count?: number | undefined
  /** Only what is after it. Default: now. */
  readonly after?: number | Date | undefined
}

const OWN_CHECKS = { count: check.count(1), after: check.instant }

/**
 * The next occurrences of a cron expression or recurrence rule: fewer than asked for when it ends before.
 *
 * ```ts
 * preview({ cron: '0 9 * * MON-FRI', timezone: 'Europe/Berlin', count: 3 })
 * ```
 * @throws OptionError `ERR_SCHEDULE_INVALID` or `ERR_TIMEZONE_UNKNOWN`, saying where
 */
export function preview(options: PreviewOptions): Date[] {
  const isCron = options !== null && typeof options === 'object' && 'cron' in options
  checkOptions('preview', options, { ...(isCron ? CRON_CHECKS : RRULE_CHECKS), ...OWN_CHECKS })
  const { count = 10, after = Date.now(), ...schedule } = options
  const from = after instanceof Date ? after.getTime() : after
  const calendar =
    'cron' in schedule ? cronCalendarOf('preview', schedule) : rruleCalendarOf('preview', schedule, from)
  return previewOf(calendar, from, count).map((at) => new Date(at))
}
