/** Calendars of cron and rrule workers. Cron workers with one expression share one. */
import type { Calendar } from '../actors/calendar.ts'
import { SharedCalendar } from '../actors/shared-calendar.ts'
import { type CronSchedule, cronCalendarOf, type RruleSchedule, rruleCalendarOf } from './schedule-options.ts'

/** So many different expressions are remembered. */
const KEPT = 1_000

export class WorkerCalendars {
  readonly #cron: Map<string, Calendar> = new Map()

  /** @throws OptionError for an expression, a time zone or bounds that will not do */
  cron(where: string, schedule: CronSchedule): Calendar {
    const { cron, timezone, startAt, endAt } = schedule
    const key = JSON.stringify([cron, timezone, startAt, endAt])
    let calendar = this.#cron.get(key)
    if (calendar === undefined) {
      calendar = new SharedCalendar(cronCalendarOf(where, { cron, timezone, startAt, endAt }))
      if (this.#cron.size >= KEPT) this.#cron.clear()
      this.#cron.set(key, calendar)
    }
    return calendar
  }

  /**
   * A rule without a start of its own begins with the next whole second.
   *
   * @throws OptionError for a rule, a time zone or a start that will not do
   */
  rrule(where: string, { rrule, timezone, startAt }: RruleSchedule, now: number): Calendar {
    return rruleCalendarOf(where, { rrule, timezone, startAt }, now)
  }
}
