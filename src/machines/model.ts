/**
 * The vocabulary that every layer shares.
 *
 * - **task definition**: name + handler + options, made once.
 * - **run** (task): one submission of a definition; one actor, one id, lives until a terminal state.
 * - **attempt**: one execution of the handler, counted from 1. A snooze uses none.
 * - **slot**: the permission to run. **band**: the priority class a run waits in.
 * - **cancel**: a person or program ends a run. **terminate**: the supervisor ends it. **kill**: the
 *   thread or process under it is ended.
 * - **stop ladder**: the steps by which a running attempt is ended, gentlest first.
 *
 * Durations end in `Ms`, instants in `At` (epoch ms). Events are `noun.verb`.
 */

/** Bands from the most to the least urgent: the order in which admission looks at them. */
export const PRIORITIES = ['critical', 'high', 'normal', 'low'] as const

/** Priority class of a run. `normal` is the default. */
export type Priority = (typeof PRIORITIES)[number]

export const EXECUTIONS = ['main', 'async', 'thread', 'process'] as const

/** Where a handler runs. `async` is the default. */
export type Execution = (typeof EXECUTIONS)[number]

/** Why a run is `failed`. */
export type FailureKind = 'threw' | 'crashed' | 'unserializable' | 'unknownTask' | 'invalidInput' | 'expired'

/** Why the supervisor ended a run (`terminated`). */
export type TerminationReason =
  | 'runTimeout'
  | 'queueTimeout'
  | 'deadline'
  | 'endCondition'
  | 'replaced'
  | 'stop'
  | 'awol'
  | 'demanded'
  /** Whoever keeps the run elsewhere goes on with it. */
  | 'handedBack'

/**
 * The step of the stop ladder that a run needed:
 * `none` (it held no slot), `signal` (the handler ended by itself after the abort signal), `terminate`
 * (SIGTERM to its process), `kill` (its thread or process was ended), `abandon` (it runs on the
 * supervisor's own event loop and could only be given up; its late result is fenced).
 */
export type StopStep = 'none' | 'signal' | 'terminate' | 'kill' | 'abandon'

/** A failed attempt or run, as data. `error` is what was thrown, or why there is no result. */
export interface Failure {
  readonly kind: FailureKind
  readonly error: unknown
}

/** Why a run was asked to end before its handler did. */
export type StopCause =
  | { readonly by: 'cancel'; readonly reason: unknown }
  | { readonly by: 'terminate'; readonly reason: TerminationReason; readonly detail?: unknown }

/** What became of a run: exactly one per run. */
export type Outcome =
  | { readonly kind: 'finished'; readonly value: unknown; readonly skipped?: string | undefined }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'cancelled'; readonly reason: unknown; readonly step: StopStep }
  | {
      readonly kind: 'terminated'
      readonly reason: TerminationReason
      readonly detail?: unknown
      readonly step: StopStep
    }

/** Life-cycle states of a run, as `run.state` shows them. */
export const TASK_STATES = [
  'created',
  'scheduled',
  'queued',
  'running',
  'retrying',
  'snoozed',
  'finished',
  'failed',
  'cancelled',
  'terminated',
] as const

export type TaskState = (typeof TASK_STATES)[number]
