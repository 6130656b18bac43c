/** The default logger: quiet, and on stderr, so that a program's own output stays its own. */
import { destination, type Logger, pino } from 'pino'

/** Fields of every line: `supervisor`; of lines about a run also `task`, `runId`, `attempt`. */
export function createLogger(supervisor: string, given: Logger | undefined): Logger {
  const logger = given ?? pino({ name: 'stateward', level: 'warn' }, destination({ dest: 2, sync: true }))
  return logger.child({ supervisor })
}
