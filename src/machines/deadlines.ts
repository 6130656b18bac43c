/**
 * Deadline arithmetic: which of a run's clocks runs out next. Instants are on one clock, in ms;
 * `undefined` or infinite means "never". A run has at most one armed timer, for the earliest of them.
 */

export type QueueTimer = 'timer.queueWarning' | 'timer.queueCritical' | 'timer.queueTimeout' | 'timer.aged'
export type TaskTimer = QueueTimer | 'timer.expiry' | 'timer.deadline' | 'timer.runTimeout' | 'timer.wakeUp'

export interface DueTimer {
  readonly dueAt: number
  readonly timer: TaskTimer
}

/** The clocks of a queued run. */
export interface QueueClocks {
  readonly queueWarningMs: number
  readonly queueCriticalMs: number
  readonly queueTimeoutMs: number
  /** Waiting time after which it moves up a band; infinite = never. */
  readonly ageAfterMs: number
}

/** The total deadline of a child: its own or its parent's, whichever comes first. */
export function inheritDeadline(ownAt: number, parentAt: number | undefined): number {
  return parentAt === undefined ? ownAt : Math.min(ownAt, parentAt)
}

/**
 * The next timer of a queued run. On a tie what ends the run comes last, so that both alarms are given
 * before it, and the warning comes before the critical alarm.
 *
 * @param queuedAt - when it was last queued
 * @param bandSince - when it entered its band, by queueing or by ageing; infinite when it cannot age
 * @param alarms - alarms already given: 0, 1 (warning) or 2 (both)
 */
export function nextQueueTimer(
  clocks: QueueClocks,
  queuedAt: number,
  bandSince: number,
  alarms: number,
  expiryAt: number,
  deadlineAt: number,
): DueTimer | undefined {
  let dueAt = Number.POSITIVE_INFINITY
  let timer: TaskTimer | undefined
  if (alarms < 1) {
    dueAt = queuedAt + clocks.queueWarningMs
    timer = 'timer.queueWarning'
  }
  if (alarms < 2 && queuedAt + clocks.queueCriticalMs < dueAt) {
    dueAt = queuedAt + clocks.queueCriticalMs
    timer = 'timer.queueCritical'
  }
  if (bandSince + clocks.ageAfterMs < dueAt) {
    dueAt = bandSince + clocks.ageAfterMs
    timer = 'timer.aged'
  }
  if (queuedAt + clocks.queueTimeoutMs < dueAt) {
    dueAt = queuedAt + clocks.queueTimeoutMs
    timer = 'timer.queueTimeout'
  }
  if (expiryAt < dueAt) {
    dueAt = expiryAt
    timer = 'timer.expiry'
  }
  if (deadlineAt < dueAt) {
    dueAt = deadlineAt
    timer = 'timer.deadline'
  }
  return timer === undefined || dueAt === Number.POSITIVE_INFINITY ? undefined : { dueAt, timer }
}

/** The next timer of a run that waits outside the queue (scheduled, retrying, snoozed). */
export function nextWaitTimer(wakeAt: number, expiryAt: number, deadlineAt: number): DueTimer | undefined {
  if (deadlineAt <= wakeAt && deadlineAt <= expiryAt) return finite(deadlineAt, 'timer.deadline')
  if (expiryAt <= wakeAt) return finite(expiryAt, 'timer.expiry')
  return finite(wakeAt, 'timer.wakeUp')
}

/** The next timer of a running attempt; `startedAt` is `undefined` until its handler has begun. */
export function nextRunTimer(
  startedAt: number | undefined,
  runTimeoutMs: number,
  deadlineAt: number,
): DueTimer | undefined {
  const timeoutAt = startedAt === undefined ? Number.POSITIVE_INFINITY : startedAt + runTimeoutMs
  return deadlineAt <= timeoutAt
    ? finite(deadlineAt, 'timer.deadline')
    : finite(timeoutAt, 'timer.runTimeout')
}

function finite(dueAt: number, timer: TaskTimer): DueTimer | undefined {
  return dueAt === Number.POSITIVE_INFINITY ? undefined : { dueAt, timer }
}
