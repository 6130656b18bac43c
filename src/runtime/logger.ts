/** The default logger: quiet, and on stderr, so that a program's own output stays its own. */
import { destination, type Logger, pino } from 'pino'

/** Fields of every line: `supervisor`; of lines about a run also `task`, `runId`, `attempt`. */
export function createLogger(supervisor: string, given: Logger | undefined): Logger {
  return loggerOr(given).child({ supervisor })
}

/** For what belongs to no supervisor. */
export function loggerOr(given: Logger | undefined): Logger {
  return given ?? pino({ name: 'stateward', level: 'warn' }, destination({ dest: 2, sync: true }))
}

/** Writes a line; a log that is full or broken must not hurt what it tells of. */
export function say(
  logger: Logger,
  level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal',
  fields: object,
  message?: string,
): void {
  try {
    logger[level](fields, message)
  } catch {
    // There is nowhere left to say it.
  }
}
