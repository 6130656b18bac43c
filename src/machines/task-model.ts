/** The words of the task machine: what a run is told, what it asks for, what it remembers. */
import type { Execution, Failure, FailureKind, Outcome, Priority, StopCause, StopStep } from './model.ts'

export interface TaskInput {
  readonly name: string
  readonly priority: Priority
  readonly execution: Execution
  /** The loop in a thread of its own that it runs on; with `execution` async only. */
  readonly loop?: string | undefined
  /** How many attempts the run has in all, at least 1. */
  readonly attempts: number
  /** Attempts that were made elsewhere already. @defaultValue 0 */
  readonly attempt?: number | undefined
}

export interface TaskContext {
  readonly name: string
  /** The band it waits in: its priority, or a higher one after ageing. */
  readonly band: Priority
  readonly execution: Execution
  /** `undefined`: not on a loop in a thread of its own. */
  readonly loop: string | undefined
  readonly attempts: number
  /** Attempts begun, without those that a snooze gave back. */
  readonly attempt: number
  /** How long the next wait outside the queue lasts (scheduled, retrying, snoozed). */
  readonly delayMs: number
  /** Queue alarms given since it was last queued: 0, 1 (warning), 2 (critical). */
  readonly alarms: number
  /** Grace of the stop that is under way; `undefined` means the run's own. */
  readonly graceMs: number | undefined
  readonly stop: StopCause | undefined
  readonly step: StopStep
  /** What ended the last attempt that did not succeed. */
  readonly lastFailure: Failure | { readonly kind: 'runTimeout'; readonly error: undefined } | undefined
  readonly outcome: Outcome | undefined
}

export type TaskEvent =
  | { readonly type: 'task.submit'; readonly delayMs: number }
  | { readonly type: 'task.admit' }
  | { readonly type: 'task.cancel'; readonly reason: unknown }
  | {
      readonly type: 'task.terminate'
      readonly reason: Extract<StopCause, { by: 'terminate' }>['reason']
      readonly detail?: unknown
      readonly graceMs?: number
    }
  /** The hard bound of a stop has come: skip what is left of the grace. */
  | { readonly type: 'task.kill' }
  /** `agoMs`: how long ago the handler began, when the news had to travel. */
  | { readonly type: 'attempt.started'; readonly agoMs?: number }
  | { readonly type: 'attempt.returned'; readonly value: unknown }
  | { readonly type: 'attempt.skipped'; readonly reason: string }
  | { readonly type: 'attempt.snoozed'; readonly delayMs: number }
  | {
      readonly type: 'attempt.continued'
      readonly execution: Execution
      readonly loop?: string | undefined
      readonly attempts: number
      /** What to go on with; opaque to the machine. */
      readonly call: unknown
    }
  | {
      readonly type: 'attempt.failed'
      readonly kind: FailureKind
      readonly error: unknown
      /** `undefined`: not to be tried again. */
      readonly retryInMs: number | undefined
    }
  | { readonly type: 'timer.wakeUp' }
  | { readonly type: 'timer.aged' }
  | { readonly type: 'timer.queueWarning' }
  | { readonly type: 'timer.queueCritical' }
  | { readonly type: 'timer.queueTimeout' }
  | { readonly type: 'timer.expiry' }
  | { readonly type: 'timer.deadline' }
  | { readonly type: 'timer.runTimeout'; readonly retryInMs: number | undefined }
  | { readonly type: 'timer.grace' }
  | { readonly type: 'timer.killBound' }
  /** The loop it runs on turns. */
  | { readonly type: 'loop.answered' }
  /** It has had its time to answer. `answered`: it did, and nobody had come to read it. */
  | { readonly type: 'timer.probe'; readonly answered: boolean }

/** What the machine asks for. The actors fulfil it; the machine never waits for an answer. */
export type TaskEffect =
  | 'armWakeUp'
  | 'armQueueTimers'
  | 'startRunClock'
  | 'armRunTimers'
  | 'armGrace'
  | 'armKillBound'
  | 'armProbeBound'
  | 'disarmTimers'
  | 'enqueue'
  | 'dequeue'
  | 'requeue'
  | 'startAttempt'
  | 'signalAttempt'
  | 'probeLoop'
  | 'terminateAttempt'
  | 'killAttempt'
  | 'abandonAttempt'
  | 'releaseSlot'
  | 'adoptCall'
  | 'announce'
  | 'settle'

/** Facts a task announces on its way; the terminal ones come with `settle`. */
export type TaskFact =
  | 'scheduled'
  | 'queued'
  | 'queueWarning'
  | 'queueCritical'
  | 'admitted'
  | 'started'
  | 'retrying'
  | 'snoozed'
