/** Makes the values a handler returns to skip, snooze or continue. Plain data: they cross borders. */
import type { TaskCall } from './definition.ts'
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

  next: (call: TaskCall): ControlValue => ({ [CONTROL]: 'next', call }),
}

/** The same as `ctx.next`: return it from a handler to continue as `call`, under the same run id. */
export const { next } = controls
