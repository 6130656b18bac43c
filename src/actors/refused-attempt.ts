/** An attempt that ends before anything of it began: what it needs could not be made. */
import type { AttemptHandle } from './attempt.ts'
import { finishAttempt } from './finish-attempt.ts'
import type { Startable } from './start-queue.ts'
import type { TaskRun } from './task-run.ts'

export class RefusedAttempt implements AttemptHandle, Startable {
  readonly #run: TaskRun
  readonly #error: unknown

  constructor(run: TaskRun, error: unknown) {
    this.#run = run
    this.#error = error
  }

  /** The run hears of it like of every attempt: never while it is being admitted. */
  begin(): void {
    finishAttempt(this.#run, this, { type: 'threw', error: this.#error })
  }

  signal(): void {}

  terminate(): void {}

  kill(): void {}
}
