/** `ctx` of a handler that runs on the supervisor's own event loop. */
import type { Logger } from 'pino'
import { controls } from './controls.ts'
import type { TaskCall } from './definition.ts'
import type { ChildRun, ControlValue, HandlerContext, SupervisorControl } from './handler-context.ts'
import type { LocalAttempt } from './local-attempt.ts'

export class LocalContext implements HandlerContext {
  readonly #attempt: LocalAttempt
  readonly attempt: number

  constructor(attempt: LocalAttempt) {
    this.#attempt = attempt
    this.attempt = attempt.run.snapshot.context.attempt
  }

  get runId(): string {
    return this.#attempt.run.id
  }

  get name(): string {
    return this.#attempt.run.entry.definition.name
  }

  get signal(): AbortSignal {
    return this.#attempt.abortSignal
  }

  get aborted(): boolean {
    return this.#attempt.aborted
  }

  get deadlineAt(): number | undefined {
    const { pool, deadlineMono } = this.#attempt.run
    if (deadlineMono === undefined) return undefined
    return Math.round(pool.ports.clock.now() + deadlineMono - pool.ports.clock.monotonic())
  }

  get log(): Logger {
    return this.#attempt.run.pool.ports.logger(this.#attempt.run)
  }

  get supervisor(): SupervisorControl {
    return this.#attempt.run.pool.ports.control
  }

  progress(percent: number, note?: string): void {
    const { run } = this.#attempt
    if (run.attempt === this.#attempt) run.pool.progress(run, percent, note)
  }

  skip(reason: string): ControlValue {
    return controls.skip(reason)
  }

  snooze(delayMs: number): ControlValue {
    return controls.snooze(delayMs)
  }

  next(call: TaskCall): ControlValue {
    return controls.next(call)
  }

  submit(definition: unknown, input?: unknown, options?: unknown): ChildRun {
    const { run } = this.#attempt
    return run.pool.ports.submitChild(run, definition, input, options)
  }
}
