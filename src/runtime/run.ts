/** The handle of one run. */
import type { AnyActorRef } from 'xstate'
import type { TimerOwner } from '../actors/armed-timers.ts'
import type { Progress, RunWatcher, TaskRun } from '../actors/task-run.ts'
import type { Execution, Outcome, Priority, StopStep, TaskState } from '../machines/model.ts'
import { check } from './check.ts'
import { WaitTimeoutError } from './errors.ts'
import { outcomeError } from './outcome-error.ts'
import { ProgressStream } from './progress-stream.ts'
import { wallInstant } from './run-instants.ts'

/** One submission of a definition: what it is doing, how to end it, what came of it. */
export interface Run<Output = unknown> {
  readonly id: string
  readonly name: string
  readonly state: TaskState
  readonly priority: Priority
  readonly execution: Execution
  /** Attempts begun; a snooze gives its attempt back. */
  readonly attempt: number
  /** Name of the worker whose run it is; `undefined` when nobody's. */
  readonly worker: string | undefined
  /** What it does, for people. */
  readonly description: string
  /** The definition's `metadata` of its input. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** Epoch ms. */
  readonly submittedAt: number
  /** Epoch ms at which the last attempt's handler began. */
  readonly startedAt: number | undefined
  readonly endedAt: number | undefined
  /** Time in the queue, all returns together. */
  readonly queueMs: number
  /** Time of the last attempt. */
  readonly runMs: number | undefined
  /** What became of it, as data; `undefined` while it is live. */
  readonly outcome: Outcome | undefined
  /** Whether the handler said that there was nothing to do. */
  readonly skipped: boolean
  /** The step of the stop ladder it needed. */
  readonly step: StopStep
  /** The latest progress. */
  readonly progressed: Progress | undefined
  /**
   * Resolves with the handler's value or rejects with a typed error, always. Nobody has to await it: a
   * failure that nobody awaits reaches events and log, never `unhandledRejection`.
   */
  readonly result: Promise<Output>
  /** The XState actor of the run. */
  readonly actor: AnyActorRef
  /** Every progress report from now on (a slow reader gets the latest); ends with the run. */
  progress(): AsyncIterableIterator<Progress>
  /** Asks the run to end as `cancelled`. False when it has ended already. */
  cancel(reason?: unknown): boolean
  /**
   * Like `result`, but bounded: rejects with a `WaitTimeoutError` when the run has not ended after
   * `timeoutMs`; 0 means "look now". The run goes on.
   */
  wait(timeoutMs?: number): Promise<Output>
}

export class RunHandle<Output = unknown> implements Run<Output>, RunWatcher {
  readonly #run: TaskRun
  #result: Promise<Output> | undefined = undefined
  #resolve: ((value: Output) => void) | undefined = undefined
  #reject: ((error: unknown) => void) | undefined = undefined

  constructor(run: TaskRun) {
    this.#run = run
  }

  get id(): string {
    return this.#run.id
  }

  get name(): string {
    return this.#run.definition.name
  }

  get state(): TaskState {
    return this.#run.state
  }

  get priority(): Priority {
    return this.#run.snapshot.context.band
  }

  get execution(): Execution {
    return this.#run.execution
  }

  get attempt(): number {
    return this.#run.snapshot.context.attempt
  }

  get worker(): string | undefined {
    return this.#run.worker
  }

  get description(): string {
    const { description } = this.#options
    if (typeof description !== 'function') return description ?? this.name
    try {
      return description(this.#run.input)
    } catch {
      return this.name
    }
  }

  get metadata(): Readonly<Record<string, unknown>> {
    try {
      return this.#options.metadata?.(this.#run.input) ?? {}
    } catch {
      return {}
    }
  }

  get submittedAt(): number {
    return wallInstant(this.#run, 'submittedMono') as number
  }

  get startedAt(): number | undefined {
    return wallInstant(this.#run, 'startedMono')
  }

  get endedAt(): number | undefined {
    return wallInstant(this.#run, 'endedMono')
  }

  get queueMs(): number {
    return this.#run.queueMs
  }

  get runMs(): number | undefined {
    return this.#run.ranMs < 0 ? undefined : this.#run.ranMs
  }

  get outcome(): Outcome | undefined {
    return this.#run.outcome
  }

  get skipped(): boolean {
    const { outcome } = this.#run
    return outcome?.kind === 'finished' && outcome.skipped !== undefined
  }

  get step(): StopStep {
    return this.#run.snapshot.context.step
  }

  get progressed(): Progress | undefined {
    return this.#run.progress
  }

  get actor(): AnyActorRef {
    return this.#run.pool.ports.actorOf(this.#run)
  }

  get result(): Promise<Output> {
    if (this.#result === undefined) {
      this.#result = new Promise((resolve, reject) => {
        this.#resolve = resolve
        this.#reject = reject
      })
      const { outcome } = this.#run
      if (outcome !== undefined) this.onEnded(outcome)
    }
    return this.#result
  }

  /** @internal */
  onEnded(outcome: Outcome): void {
    if (this.#result === undefined) return
    if (outcome.kind === 'finished') this.#resolve?.(outcome.value as Output)
    else {
      // Somebody may only look later, or never: that is no unhandled rejection.
      this.#result.catch(() => {})
      this.#reject?.(outcomeError(this.#run))
    }
    this.#resolve = this.#reject = undefined
  }

  progress(): AsyncIterableIterator<Progress> {
    const stream = new ProgressStream((watcher) => this.#unwatch(watcher))
    if (this.#run.outcome === undefined) this.#watch(stream)
    else stream.onEnded()
    return stream
  }

  cancel(reason?: unknown): boolean {
    if (!this.#run.live) return false
    this.#run.pool.deliver(this.#run, { type: 'task.cancel', reason })
    return true
  }

  async wait(timeoutMs: number = Number.POSITIVE_INFINITY): Promise<Output> {
    check.duration('wait(timeoutMs)', timeoutMs)
    if (this.#run.outcome !== undefined || timeoutMs === Number.POSITIVE_INFINITY) return this.result
    const late = () =>
      new WaitTimeoutError(`Task "${this.name}" (run ${this.id}) had not ended after ${timeoutMs} ms`, {
        code: 'ERR_WAIT_TIMED_OUT',
        runId: this.id,
        taskName: this.name,
      })
    if (timeoutMs === 0) throw late()
    const { timers, ports } = this.#run.pool
    return new Promise((resolve, reject) => {
      const watcher: RunWatcher = {
        onEnded: () => {
          timers.cancel(timer)
          this.result.then(resolve, reject)
        },
      }
      const owner: TimerOwner = {
        onTimer: () => {
          this.#unwatch(watcher)
          reject(late())
        },
      }
      const timer = timers.arm(ports.clock.monotonic() + timeoutMs, owner, 'wait')
      this.#watch(watcher)
    })
  }

  get #options(): {
    description?: string | ((input: unknown) => string)
    metadata?: (input: unknown) => Readonly<Record<string, unknown>>
  } {
    return (this.#run.definition as unknown as { options: object }).options
  }

  #watch(watcher: RunWatcher): void {
    this.#run.watchers ??= []
    this.#run.watchers.push(watcher)
  }

  #unwatch(watcher: RunWatcher): void {
    this.#run.watchers = this.#run.watchers?.filter((other) => other !== watcher)
  }
}
