/** What the exit code of the command line says; see docs/cli.md. */
import { CommanderError } from 'commander'
import { isStatewardError } from '../errors.ts'

export const EXIT = {
  ok: 0,
  /** What was asked for was not done, or a task that was waited for has not finished. */
  failed: 1,
  /** The command line, an option or an input is wrong; nothing was changed. */
  usage: 2,
  /** The task, schedule or daemon is not there. */
  unknown: 3,
  /** The database cannot be used. */
  store: 4,
  /** A wait with a bound was over. */
  late: 5,
  /** Ctrl-C. */
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

const BY_CODE: Readonly<Record<string, ExitCode>> = {
  ERR_OPTION_INVALID: EXIT.usage,
  ERR_OPTION_UNKNOWN: EXIT.usage,
  ERR_INPUT_INVALID: EXIT.usage,
  ERR_VALUE_NOT_STORABLE: EXIT.usage,
  ERR_VALUE_TOO_LARGE: EXIT.usage,
  ERR_SCHEDULE_INVALID: EXIT.usage,
  ERR_TIMEZONE_UNKNOWN: EXIT.usage,
  ERR_TASK_EXPORT_MISSING: EXIT.usage,
  ERR_TASK_NAME_TAKEN: EXIT.usage,
  ERR_RUN_UNKNOWN: EXIT.unknown,
  ERR_SCHEDULE_UNKNOWN: EXIT.unknown,
  ERR_WAIT_TIMED_OUT: EXIT.late,
  ERR_DAEMON_NOT_STOPPED: EXIT.late,
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (!isStatewardError(error)) return EXIT.failed
  if (error.code.startsWith('ERR_STORE_')) return EXIT.store
  return BY_CODE[error.code] ?? EXIT.failed
}
