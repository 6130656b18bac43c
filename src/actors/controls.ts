/** Makes the values a handler returns to skip, snooze or continue. Plain data: they cross borders. */
import { isDefinition, type TaskCall } from './definition.ts'
import { CONTROL, type ControlValue } from './handler-context.ts'

export const controls = {
  skip: (reason: string): ControlValue => ({ [CONTROL]: 'skip', reason: String(reason) }),

  /** @throws RangeError when `delayMs` is not a finite number of ms from 0 on */
  snooze(delayMs: number): ControlValue {
    if (!Number.isFinite(delayMs) || delayMs < 0) {
      throw new RangeError(
        `Expected snooze(delayMs) to be a finite number of ms from 0 on, got ${String(delayMs)}`,
      )
    }
    return { [CONTROL]: 'snooze', delayMs }
  },

  /** @throws TypeError for what is neither a call of a task nor a definition */
  next(call: TaskCall): ControlValue {
    if (isDefinition(call))
      return { [CONTROL]: 'next', call: { definition: call, input: undefined, options: undefined } }
    if (!isDefinition((call as TaskCall | null | undefined)?.definition)) {
      throw new TypeError(
        `Expected next(call) to be given a call of a task, as task.call(input) makes it, got ${kindOf(call)}`,
      )
    }
    return { [CONTROL]: 'next', call }
  },
}

/** Whatever it is, it can be told. */
function kindOf(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'function' || (typeof value === 'object' && value !== null))
    return `a value of type ${typeof value}`
  return String(value)
}

/** The same as `ctx.next`: return it from a handler to continue as `call`, under the same run id. */
export const { next } = controls
