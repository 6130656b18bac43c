/**
 * When something is to happen: one instant after another, as a cron expression or a recurrence rule says.
 *
 * One rule for daylight saving, for both kinds. What names its hours (`30 2 * * *`, `0 9-17 * * *`,
 * `FREQ=DAILY`, `BYHOUR=2`) happens once at each local time it names, every day: at the first instant at which
 * the clock shows that time or a later one. So a time that does not exist happens at the end of the gap, together
 * with others of that gap, and one that occurs twice happens the first time only. What runs in every hour
 * (`0 * * * *`, `FREQ=HOURLY`, `FREQ=MINUTELY;BYSECOND=40`) goes by elapsed time: nothing is made up for times
 * that do not exist, and times that occur twice happen twice. A recurrence rule that steps by hours, minutes or
 * seconds counts its interval in elapsed time, too.
 */

/** Calendars know the years 1000 to 9999: those of four digits, and `Date.UTC` takes some smaller ones for others. */
export const FIRST_AT: number = Date.UTC(1_000, 0, 1)
export const LAST_AT: number = Date.UTC(9_999, 11, 31, 23, 59, 59, 999)

export interface Calendar {
  /** The expression or rule, as it was given. */
  readonly text: string
  /** The time zone whose clock counts. */
  readonly timezone: string
  /**
   * The first occurrence strictly after an instant, epoch ms.
   * @returns `undefined` when there is none any more up to the year 9999
   */
  next(after: number): number | undefined
}

/** The next `count` occurrences after an instant, fewer when the calendar ends before. */
export function preview(calendar: Calendar, after: number, count: number): number[] {
  const instants: number[] = []
  let at = calendar.next(after)
  while (at !== undefined && instants.length < count) {
    instants.push(at)
    at = calendar.next(at)
  }
  return instants
}
