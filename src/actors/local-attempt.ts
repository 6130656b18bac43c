/**
 * One attempt on the supervisor's own event loop (`main` and `async`).
 *
 * - `waiting`: admitted; the handler begins in a microtask (start-queue.ts).
 * - `begun`: its input is being checked, or the handler has been called.
 * - `skipped`: stopped before it began; the handler is never called.
 *
 * A handler on this loop cannot be ended. One that is given up after its grace goes on; what it reports
 * is late then, and dropped.
 */
import type { AttemptHandle, Settlement } from './attempt.ts'
import { isAttemptHeard, tellAttempt } from './attempt-channel.ts'
import type { AnyDefinition } from './definition.ts'
import { finishAttempt } from './finish-attempt.ts'
import { type ControlValue, controlOf } from './handler-context.ts'
import { LocalContext } from './local-context.ts'
import { RunScope, type RunValues, scopes } from './run-scope.ts'
import { type CheckedInput, checkInput, issuesToText } from './schema.ts'
import { STARTED } from './shared-step.ts'
import type { Startable } from './start-queue.ts'
import type { TaskRun } from './task-run.ts'

export class LocalAttempt implements AttemptHandle, Startable {
  readonly run: TaskRun
  #phase: 'waiting' | 'begun' | 'skipped' = 'waiting'
  #controller: AbortController | undefined = undefined
  #stop: { readonly reason: unknown } | undefined = undefined
  /** Where runs are followed. */
  #scope: RunScope | undefined = undefined

  constructor(run: TaskRun) {
    this.run = run
  }

  /** Made when somebody asks: most handlers never do. */
  get abortSignal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#stop !== undefined) this.#controller.abort(this.#stop.reason)
    }
    return this.#controller.signal
  }

  get aborted(): boolean {
    return this.#stop !== undefined
  }

  /** What a child, or the next step, begins its context with. */
  get inheritance(): RunValues | undefined {
    return this.#scope === undefined ? this.run.plan.context : this.#scope.inheritance
  }

  begin(): void {
    if (this.#phase !== 'waiting' || this.run.attempt !== this) return
    this.#phase = 'begun'
    const { schema } = this.run.entry.definition
    if (schema === undefined) return this.#call(this.run.input)
    try {
      const checked = checkInput(schema, this.run.input)
      if (!(checked instanceof Promise)) return this.#callChecked(checked)
      checked.then(
        (result) => this.#callChecked(result),
        (error: unknown) => this.#settle({ type: 'invalidInput', error }),
      )
    } catch (error) {
      this.#settle({ type: 'invalidInput', error })
    }
  }

  signal(reason: unknown): void {
    if (this.#stop !== undefined) return
    this.#stop = { reason }
    if (this.#phase === 'waiting') {
      this.#phase = 'skipped'
      this.#settle({ type: 'returned', value: undefined })
    } else this.#controller?.abort(reason)
  }

  terminate(): void {}

  kill(): void {}

  #callChecked(checked: CheckedInput): void {
    if (checked.ok) this.#call(checked.value)
    else this.#settle({ type: 'invalidInput', error: new TypeError(issuesToText(checked.issues)) })
  }

  #call(input: unknown): void {
    const { run } = this
    if (run.attempt !== this) return this.#late()
    // Told to stop while its input was being checked.
    if (this.#stop !== undefined) return this.#settle({ type: 'returned', value: undefined })
    run.pool.deliver(run, STARTED)
    let value: unknown
    try {
      const { tracing } = run.pool.ports
      value = tracing === undefined ? this.#run(input) : tracing.within(run, () => this.#run(input))
    } catch (error) {
      return this.#threw(error)
    }
    if (typeof value !== 'object' || value === null) return this.#returned(value)
    const promise = toPromise(value)
    if (promise === undefined) return this.#returned(value)
    promise.then(
      (result) => this.#returned(result),
      (error: unknown) => this.#threw(error),
    )
  }

  #run(input: unknown): unknown {
    const { handler } = this.run.entry.definition
    const store = scopes()
    const context = new LocalContext(this)
    const call = isAttemptHeard() ? this.#told(handler, context) : handler
    return store === undefined ? call(input, context) : store.run(this.#enter(context), call, input, context)
  }

  #told(handler: AnyDefinition['handler'], { runId, name, attempt }: LocalContext): AnyDefinition['handler'] {
    const { supervisorId: supervisor } = this.run.pool.ports
    const message = { supervisor, runId, name, attempt }
    return (input, context) => tellAttempt(message, () => handler(input, context))
  }

  #enter(context: LocalContext): RunScope {
    const { pool, plan } = this.run
    this.#scope = new RunScope(context, pool.ports.supervisorId, plan.context)
    return this.#scope
  }

  #threw(error: unknown): void {
    this.#scope?.end()
    this.#settle({ type: 'threw', error })
  }

  #returned(value: unknown): void {
    this.#scope?.end()
    if (this.run.attempt !== this) return this.#late()
    let control: ControlValue | undefined
    try {
      control = controlOf(value)
    } catch (error) {
      // A proxy that throws when it is looked at.
      return this.#settle({ type: 'threw', error })
    }
    if (control === undefined) this.run.pool.deliver(this.run, { type: 'attempt.returned', value })
    else this.#settle({ type: 'returned', value })
  }

  #settle(settlement: Settlement): void {
    if (!finishAttempt(this.run, this, settlement)) this.#late()
  }

  /** Only a handler that was given up can be late. */
  #late(): void {
    this.run.pool.ports.abandonedEnded(this.run)
  }
}

/** Whatever a broken thenable does when it is read or called becomes a rejection. */
function toPromise(value: object): Promise<unknown> | undefined {
  if (value instanceof Promise) return value
  try {
    return 'then' in value ? Promise.resolve(value) : undefined
  } catch (error) {
    return Promise.reject(error)
  }
}
