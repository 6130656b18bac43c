/** An attempt that ends before anything of it began: what it needs could not be made. */
import type { AttemptHandle } from './attempt.ts'
import { finishAttempt } from './finish-attempt.ts'
import type { TaskRun } from './task-run.ts'

export class RefusedAttempt implements AttemptHandle {
  /** The run hears of it in a microtask, as of every attempt: never while it is being admitted. */
  constructor(run: TaskRun, error: unknown) {
    queueMicrotask(() => finishAttempt(run, this, { type: 'threw', error }))
  }

  signal(): void {}

  terminate(): void {}

  kill(): void {}
}
