/** What workers need from outside: wired by the runtime, one object for all of them. */
import type { RunCause, SkipReason, Slots, WorkerExit } from '../machines/worker-model.ts'
import type { Clock } from './clock.ts'
import type { TaskRun } from './task-run.ts'
import type { TimerQueue } from './timer-queue.ts'
import type { Tracer } from './tracer.ts'
import type { WallTimers } from './wall-timers.ts'
import type { WorkerActor } from './worker.ts'

/** What became of a worker, for events. */
export type WorkerNews =
  | { readonly fact: 'started' | 'restarted' | 'paused' | 'resumed' }
  | { readonly fact: 'stopped'; readonly exit: WorkerExit }
  | { readonly fact: 'failed'; readonly error: unknown }
  | { readonly fact: 'triggered'; readonly by: RunCause; readonly run: TaskRun }
  | { readonly fact: 'skipped'; readonly reason: SkipReason; readonly count: number }

/** No port may throw, except where it says so. */
export interface WorkerPorts {
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly wall: WallTimers
  readonly tracer: Tracer
  /** 0 ≤ r < 1. */
  random(): number
  /**
   * Submits a run of the worker; also while the supervisor drains. `undefined`: another live run stands for
   * it (`multilaunch: false`).
   *
   * @throws what a submission throws
   */
  submit(worker: WorkerActor, input: unknown): TaskRun | undefined
  /** What a run that waits for a slot may expect. */
  slots(): Slots
  /** The typed error of a run that did not finish. */
  errorOf(run: TaskRun): unknown
  /** The handle that hooks are given for a run. */
  handleOf(run: TaskRun): unknown
  announce(worker: WorkerActor, news: WorkerNews): void
  /** Whether the condition of the worker holds. One that throws does not. */
  holds(worker: WorkerActor): boolean
  /** Calls `worker.conditionMet()` whenever its condition turns true. @returns what ends the watch */
  watch(worker: WorkerActor): () => void
  /** Told of what a hook threw where nobody else hears of it. */
  hookFailed(worker: WorkerActor, hook: string, error: unknown): void
  /** Told of what was thrown where nothing may throw. */
  onError(error: unknown): void
}
