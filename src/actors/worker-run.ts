/**
 * One run of a worker, from the decision to begin it to the end of its last hook. The worker counts it as live
 * all the time, so that nothing overlaps.
 *
 * - `preparing`: the hook `beforeRun` is under way; nothing is submitted.
 * - `submitted`: its task run is live, waiting for a slot included.
 * - `concluding`: the hooks `afterResult`, `onError` and `afterRun` are under way.
 * - `ended`: reported to the worker, once.
 */
import type { Outcome, TaskState } from '../machines/model.ts'
import type { TaskEvent } from '../machines/task-model.ts'
import type { RunCause, RunEnd } from '../machines/worker-model.ts'
import { loopTurn } from './loop-turn.ts'
import type { RunWatcher, TaskRun } from './task-run.ts'
import type { WorkerActor } from './worker.ts'

/** What hooks round a run are told. */
export interface RunFacts {
  readonly by: RunCause
  readonly input: unknown
  /** The handle of the task run; `undefined` before it is submitted. */
  readonly run: unknown
  readonly outcome: Outcome | undefined
}

/** States of a task run before it has a slot for the first time. */
const WAITING: readonly TaskState[] = ['created', 'scheduled', 'queued']

export class WorkerRun implements RunWatcher {
  readonly by: RunCause
  /** Its neighbours among the live runs of its worker. */
  older: WorkerRun | undefined = undefined
  newer: WorkerRun | undefined = undefined
  readonly #worker: WorkerActor
  #phase: 'preparing' | 'submitted' | 'concluding' | 'ended' = 'preparing'
  #input: unknown = undefined
  #run: TaskRun | undefined = undefined
  /** Told to end before there was anything to tell. */
  #isDropped = false

  constructor(worker: WorkerActor, by: RunCause) {
    this.#worker = worker
    this.by = by
  }

  /** The task run, once it was submitted. */
  get run(): TaskRun | undefined {
    return this.#run
  }

  /** Its task run has had a slot, or has ended. */
  get hasBegun(): boolean {
    if (this.#phase === 'preparing') return false
    return this.#run === undefined || this.#run.startedMono >= 0 || !WAITING.includes(this.#run.state)
  }

  /** The input comes first: a hook may look at it. */
  begin(input: () => unknown): void {
    const { beforeRun } = this.#worker.plan.hooks
    try {
      this.#input = input()
      const waits = beforeRun?.(this.#facts(undefined))
      if (waits instanceof Promise) {
        waits.then(
          () => this.#submit(),
          (error: unknown) => this.#conclude('failed', error, undefined),
        )
        return
      }
    } catch (error) {
      return this.#conclude('failed', error, undefined)
    }
    this.#submit()
  }

  /** Passes a stop on to the task run. What cannot be told any more ends by itself. */
  tell(event: TaskEvent): void {
    if (this.#phase === 'preparing') this.#isDropped = true
    else if (this.#phase === 'submitted' && this.#run !== undefined) this.#run.pool.deliver(this.#run, event)
  }

  /** Ends it now: hooks that still go on are not waited for. */
  kill(): void {
    if (this.#phase === 'submitted' && this.#run !== undefined) {
      // What it then reports is its end: no hook is called.
      this.#isDropped = true
      this.#run.pool.deliver(this.#run, { type: 'task.kill' })
    } else this.#end('other', undefined)
  }

  onStarted(): void {
    this.#worker.runBegan()
  }

  onEnded(outcome: Outcome): void {
    if (this.#phase !== 'submitted') return
    const end = endOf(outcome)
    const { errorOf } = this.#worker.ports
    this.#conclude(end, end === 'failed' ? errorOf(this.#run as TaskRun) : undefined, outcome)
  }

  #submit(): void {
    // Killed, or told to end, while the hook was under way.
    if (this.#phase !== 'preparing') return
    if (this.#isDropped) return this.#end('other', undefined)
    const worker = this.#worker
    this.#phase = 'submitted'
    let run: TaskRun | undefined
    try {
      run = worker.ports.submit(worker, this.#input)
    } catch (error) {
      // The stop of the whole ends the worker, too; its run has not failed.
      if ((error as { code?: unknown } | undefined)?.code === 'ERR_SUPERVISOR_STOPPED') {
        return this.#end('other', undefined)
      }
      return this.#conclude('failed', error, undefined)
    }
    if (run === undefined) {
      worker.skip('live', 1)
      return this.#end('other', undefined)
    }
    this.#run = run
    worker.ports.announce(worker, { fact: 'triggered', by: this.by, run })
    if (run.outcome !== undefined) return this.onEnded(run.outcome)
    // An empty array that is pushed to makes room for seventeen.
    if (run.watchers === undefined) run.watchers = [this]
    else run.watchers.push(this)
  }

  #conclude(end: RunEnd, error: unknown, outcome: Outcome | undefined): void {
    this.#phase = 'concluding'
    const { afterResult, onError, afterRun } = this.#worker.plan.hooks
    if (this.#isDropped && outcome?.kind !== 'finished') return this.#end(end, error)
    const calls =
      afterRun !== undefined ||
      (onError !== undefined && end === 'failed') ||
      (afterResult !== undefined && outcome?.kind === 'finished')
    if (!calls) return this.#end(end, error)
    this.#callHooks(end, error, outcome).then(
      (verdict) => this.#end(verdict.end, verdict.error),
      (thrown: unknown) => this.#end('fatal', thrown),
    )
  }

  async #callHooks(
    end: RunEnd,
    error: unknown,
    outcome: Outcome | undefined,
  ): Promise<{ end: RunEnd; error: unknown }> {
    const worker = this.#worker
    const { afterResult, onError, afterRun } = worker.plan.hooks
    const facts = this.#facts(outcome)
    let verdict = { end, error }
    if (afterResult !== undefined && outcome?.kind === 'finished' && outcome.skipped === undefined) {
      try {
        if ((await afterResult(outcome.value, facts)) === false) verdict = { end: 'last', error: undefined }
      } catch (thrown) {
        verdict = { end: 'failed', error: thrown }
      }
    }
    try {
      if (onError !== undefined && verdict.end === 'failed') await onError(verdict.error, facts)
    } catch (thrown) {
      verdict = { end: 'fatal', error: thrown }
    }
    try {
      await afterRun?.(facts)
    } catch (thrown) {
      worker.ports.hookFailed(worker, 'afterRun', thrown)
    }
    return verdict
  }

  #end(end: RunEnd, error: unknown): void {
    if (this.#phase === 'ended') return
    this.#phase = 'ended'
    if (this.#run === undefined && this.#isOneOfMany()) {
      return loopTurn.defer(() => this.#worker.runEnded(this, end, error))
    }
    this.#worker.runEnded(this, end, error)
  }

  /** Nothing was submitted: the next run, and the one after it, may come to that without a turn of the loop. */
  #isOneOfMany(): boolean {
    loopTurn.step()
    return loopTurn.isLong
  }

  #facts(outcome: Outcome | undefined): RunFacts {
    const run = this.#run === undefined ? undefined : this.#worker.ports.handleOf(this.#run)
    return { by: this.by, input: this.#input, run, outcome }
  }
}

/** Only a value says `last`, and only what the task could not help is a failure of it. */
function endOf(outcome: Outcome): RunEnd {
  if (outcome.kind === 'finished') return outcome.value === false ? 'last' : 'ok'
  if (outcome.kind === 'failed') return 'failed'
  if (outcome.kind === 'cancelled') return 'other'
  const { reason } = outcome
  return reason === 'stop' || reason === 'replaced' || reason === 'endCondition' ? 'other' : 'failed'
}
