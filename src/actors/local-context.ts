/** `ctx` of a handler that runs on the supervisor's own event loop. */
import type { Logger } from 'pino'
import { controls } from './controls.ts'
import type { ChildRun, HandlerContext, SupervisorControl } from './handler-context.ts'
import type { LocalAttempt } from './local-attempt.ts'
import type { ParameterValues } from './parameters.ts'

export class LocalContext implements HandlerContext {
  readonly #attempt: LocalAttempt
  readonly attempt: number
  readonly parameters: ParameterValues

  constructor(attempt: LocalAttempt) {
    this.#attempt = attempt
    this.attempt = attempt.run.snapshot.context.attempt
    this.parameters = attempt.run.parameters
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
    return this.#attempt.run.pool.ports.controlFor(this.#attempt.run)
  }

  // Arrow functions, so that handlers may take them out of `ctx`.
  get progress(): HandlerContext['progress'] {
    return (percent, note) => {
      const { run } = this.#attempt
      if (run.attempt === this.#attempt) run.pool.progress(run, percent, note)
    }
  }

  get skip(): HandlerContext['skip'] {
    return controls.skip
  }

  get snooze(): HandlerContext['snooze'] {
    return controls.snooze
  }

  get next(): HandlerContext['next'] {
    return controls.next
  }

  get endSchedule(): HandlerContext['endSchedule'] {
    const { run } = this.#attempt
    return () => run.pool.ports.call(run, 'endSchedule', undefined) as Promise<void>
  }

  get submit(): HandlerContext['submit'] {
    const { run } = this.#attempt
    return <Output>(definition: unknown, input?: unknown, options?: unknown) =>
      run.pool.ports.submitChild(run, definition, input, options) as ChildRun<Output>
  }
}
