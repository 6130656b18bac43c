/** What is wrong with a schedule, a window or a time zone, as an error of this package. */
import { CalendarError } from '../actors/calendar-error.ts'
import { didYouMean } from './check.ts'
import { OptionError } from './errors.ts'

/**
 * Carries the codes of what is wrong over to an `OptionError`, with a hint for a time zone that is nearly right.
 *
 * @throws OptionError (`ERR_SCHEDULE_INVALID`, `ERR_TIMEZONE_UNKNOWN`)
 */
export function checked<Result>(where: string, make: () => Result): Result {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof CalendarError)) throw error
    const { code, timezone } = error
    const hint = timezone === undefined ? '' : didYouMean(timezone, Intl.supportedValuesOf('timeZone'))
    throw new OptionError(`${where}: ${error.message} ${hint}`.trim(), { code, cause: error })
  }
}
