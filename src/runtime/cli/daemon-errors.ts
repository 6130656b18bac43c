/** Errors about daemons. */
import { OptionError, QueueError } from '../errors.ts'
import { type DaemonMark, isLocal } from './daemon-marks.ts'

export function daemonRuns({ name, pid, host, mark }: DaemonMark): QueueError {
  const what = mark === 'silent' ? 'is there but gives no sign of life' : 'runs already'
  return new QueueError(
    `Daemon "${name}" ${what}: pid ${pid} on ${host}. Stop it, choose another --name, or --force a second one.`,
    { code: 'ERR_DAEMON_RUNNING' },
  )
}

/** @param log - the end of what it has written */
export function daemonNotStarted(name: string, why: string, log: string): QueueError {
  const said = log.trim() === '' ? '' : ` It said: ${log.trim()}`
  return new QueueError(`Daemon "${name}" did not start: ${why}.${said}`, { code: 'ERR_DAEMON_NOT_STARTED' })
}

/** The mistake that a daemon has told before it ended, as if it had been found here; `undefined` when it told none. */
export function toldUsage(said: string): OptionError | undefined {
  const last = said.slice(Math.max(0, said.lastIndexOf('stateward: ')))
  const [, message, code] = /^stateward: (.*) \((ERR_[A-Z_]+)\)$/ms.exec(last) ?? []
  if (message === undefined || code === undefined) return undefined
  return new OptionError(message, { code })
}

export function daemonNotStopped(mark: DaemonMark, timeoutMs: number): QueueError {
  const { name, pid, host } = mark
  const hint = isLocal(mark)
    ? ' Wait, or give --kill.'
    : ' It is on another machine: wait, or end it there. If it is gone, give --forget.'
  return new QueueError(
    `Daemon "${name}" (pid ${pid} on ${host}) did not stop within ${timeoutMs / 1_000} s.${hint}`,
    { code: 'ERR_DAEMON_NOT_STOPPED' },
  )
}
