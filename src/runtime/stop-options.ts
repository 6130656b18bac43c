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
  /**
   * `true` ends queued and running tasks now; `'queued'` ends the queued ones now and lets the running ones end;
   * `false` still runs what is queued until the signal is due. @defaultValue false
   */
  readonly cancelTasks?: boolean | 'queued'
  /** Between signal and kill. @defaultValue the supervisor's default, 5000 */
  readonly graceMs?: number
}

const stopChecks = {
  wait: check.either('true, false or a number of milliseconds from 0 on', check.boolean, check.duration),
  cancelTasks: check.either("true, false or 'queued'", check.boolean, check.oneOf('queued')),
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
  const endQueued = cancelTasks !== false
  if (cancelTasks === true)
    return { at: now, signalAt: now, killAt: Math.min(boundAt, now + graceMs), endQueued }
  // Without a bound there is no signal; Infinity - Infinity would be NaN.
  const signalAt = waitMs === Number.POSITIVE_INFINITY ? boundAt : Math.max(now, boundAt - graceMs)
  return { at: now, signalAt, killAt: boundAt, endQueued }
}
