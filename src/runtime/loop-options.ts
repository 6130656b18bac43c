/** Options of a named loop: checked before anything exists. */
import type { ResourceLimits } from 'node:worker_threads'
import type { RestartLimits, RestartType } from '../machines/restart.ts'
import { type Checks, check, checkOptions, refuse } from './check.ts'
import { checkId, limitChecks } from './child-options.ts'
import { OptionError } from './errors.ts'
import { resourceLimitsCheck } from './supervisor-options.ts'
import { DEFAULT_LOOP, SUPERVISOR_LOOP } from './task-options.ts'

export interface LoopOptions {
  /** Makes it the default loop: the one that `loop: 'default'` and `getLoop()` mean. @defaultValue false */
  readonly default?: boolean
  /** Starts it with the supervisor, or now if that runs. @defaultValue true */
  readonly start?: boolean
  /**
   * Whether its thread is started again when it has ended abnormally. A `temporary` loop has one thread: when that has ended, the
   * loop is forgotten and its name is free. @defaultValue 'permanent'
   */
  readonly restart?: RestartType
  /**
   * Restarts allowed within `periodMs`, of this loop alone; one more, and it stays down (`loop.gaveUp`).
   * @defaultValue that of the supervisor's `supervision`
   */
  readonly intensity?: number
  /** @defaultValue that of the supervisor's `supervision` */
  readonly periodMs?: number
  /** How long its thread may take to leave before it is ended. @defaultValue 500 */
  readonly shutdownMs?: number
  /** Bounds of its heap and stack; see `node:worker_threads`. */
  readonly resourceLimits?: ResourceLimits
  /** What happens to one whose event loop does not turn, besides the event `loop.blocked`. @defaultValue 'report' */
  readonly onBlocked?: 'report' | 'kill'
  /** How long it may be blocked with `onBlocked: 'kill'`. @defaultValue 5000 */
  readonly killAfterMs?: number
}

const RESERVED: readonly string[] = [SUPERVISOR_LOOP, DEFAULT_LOOP]

const loopChecks: Checks = {
  default: check.boolean,
  start: check.boolean,
  restart: check.oneOf('permanent', 'transient', 'temporary'),
  shutdownMs: check.duration,
  ...limitChecks,
  resourceLimits: resourceLimitsCheck,
  onBlocked: check.oneOf('report', 'kill'),
  killAfterMs: check.duration,
}

/** @throws OptionError (`ERR_LOOP_NAME_TAKEN` for a name that is reserved) */
export function checkLoopOptions(name: string, options: LoopOptions): void {
  checkId('the name of a loop', name)
  checkOptions('createLoop()', options, loopChecks)
  if (options.killAfterMs !== undefined && options.onBlocked !== 'kill') {
    refuse('createLoop().killAfterMs', "given with onBlocked: 'kill' only", options.killAfterMs)
  }
  if (RESERVED.includes(name)) {
    throw new OptionError(
      `No loop can be called "${name}": that names the ${name === DEFAULT_LOOP ? 'default loop, whichever it is' : 'supervisor’s own'}.`,
      {
        code: 'ERR_LOOP_NAME_TAKEN',
      },
    )
  }
}

/** How often a loop may be started again: what it says itself over what the supervisor says. */
export function loopLimits({ intensity, periodMs }: LoopOptions, defaults: RestartLimits): RestartLimits {
  return { intensity: intensity ?? defaults.intensity, periodMs: periodMs ?? defaults.periodMs }
}
