/** What is wrong with a schedule: its text, its window or its time zone. The runtime makes an `OptionError` of it. */

export type CalendarErrorCode = 'ERR_SCHEDULE_INVALID' | 'ERR_TIMEZONE_UNKNOWN'

export class CalendarError extends Error {
  override readonly name = 'CalendarError'
  readonly code: CalendarErrorCode
  /** The time zone that does not exist. */
  readonly timezone: string | undefined

  /** @param message a sentence: where, what was expected, what came */
  constructor(message: string, facts: { code?: CalendarErrorCode; timezone?: string; cause?: unknown } = {}) {
    super(message, 'cause' in facts ? { cause: facts.cause } : undefined)
    this.code = facts.code ?? 'ERR_SCHEDULE_INVALID'
    this.timezone = facts.timezone
  }
}
