/**
 * `ctx.log` in a thread or process: a real pino logger whose lines are posted to the host.
 *
 * pino is loaded when a handler first logs: most never do, and it would slow down every start.
 */
import { createRequire } from 'node:module'
import { threadId } from 'node:worker_threads'
import type { Logger, pino as Pino } from 'pino'

const require = createRequire(import.meta.url)

/** Where it runs, in every line. */
const base = threadId === 0 ? { pid: process.pid } : { pid: process.pid, thread: threadId }

/** The run that a logger is bound to. */
export interface LoggedRun {
  readonly task: { readonly name: string; readonly supervisorId: string; readonly logLevel: string }
  readonly runId: string
  readonly attempt: number
}

/** A logger bound to one run; `write` gets each line as pino wrote it. */
export function createRemoteLog(run: LoggedRun, write: (line: string) => void): Logger {
  const { pino } = require('pino') as { pino: typeof Pino }
  const { name, supervisorId, logLevel } = run.task
  const bindings = { ...base, supervisor: supervisorId, task: name, runId: run.runId, attempt: run.attempt }
  return pino({ base: bindings, level: logLevel }, { write })
}
