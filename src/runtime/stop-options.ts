/** How a supervisor is stopped: which bound, and what becomes of the tasks until then. */
import type { StopPlan } from '../machines/supervisor.ts'
import { check, checkOptions } from './check.ts'

export interface StopOptions {
  /**
   * How long everything may take: ms, `true` for no bound, `false` for none at all. Running handlers
   * are signalled at `wait - graceMs` and killed at `wait`; all has settled by `wait` + 250 ms. A second
   * stop with a sooner bound escalates. @defaultValue 30000
   */
  readonly wait?: boolean | number
  /** End queued and running tasks now instead of letting them end. @defaultValue false */
  readonly cancelTasks?: boolean
  /** Between signal and kill. @defaultValue the supervisor's default, 5000 */
  readonly graceMs?: number
}

const stopChecks = {
  wait: check.either('true, false or a number of milliseconds from 0 on', check.boolean, check.duration),
  cancelTasks: check.boolean,
  graceMs: check.duration,
}

/** @throws OptionError */
export function checkStopOptions(options: StopOptions): void {
  checkOptions('stop()', options, stopChecks)
}

/** @param now - the monotonic clock, ms */
export function planStop(options: StopOptions, now: number, defaultGraceMs: number): StopPlan {
  const { wait = 30_000, cancelTasks = false, graceMs = defaultGraceMs } = options
  const waitMs = wait === true ? Number.POSITIVE_INFINITY : Number(wait)
  const boundAt = now + waitMs
  if (cancelTasks) return { at: now, signalAt: now, killAt: Math.min(boundAt, now + graceMs) }
  if (waitMs === Number.POSITIVE_INFINITY) return { at: now, signalAt: boundAt, killAt: boundAt }
  return { at: now, signalAt: Math.max(now, boundAt - graceMs), killAt: boundAt }
}
