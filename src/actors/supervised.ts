/**
 * The border between a child group and what it supervises: actors of the user's own, workers, loops, own
 * schedulers, nested groups and whole supervisors.
 *
 * A **child** is listed in a group under its id; each of its lives is an **incarnation**. The group decides
 * when one starts, whether another one follows, and how long an end may take; the incarnation only reports
 * facts and obeys.
 */
import type { AnyActorRef, AnyStateMachine } from 'xstate'
import type { ChildExit, RestartLimits, RestartType } from '../machines/restart.ts'

export type ChildKind =
  | 'actor'
  | 'worker'
  | 'loop'
  | 'group'
  | 'supervisor'
  | 'scheduler'
  | 'daemon'
  | 'server'

/** What a group hears of one incarnation. No method throws. */
export interface ChildListener {
  /** It has started. At most once, before `exited`; may come inside `start`. */
  ready(): void
  /** It has ended, and nothing of it is left. Exactly once; may come inside `start`, `stop` and `kill`. */
  exited(exit: ChildExit): void
  /** Only of a group: it gives up, and stops its children now. `exited` follows. */
  escalating?(error: unknown): void
}

/** One life of a child. Every method is idempotent, accepted at any moment, and never throws. */
export interface Incarnation {
  /** Asks it to end in its own way. `exited` follows, however late. */
  stop(): void
  /** The whole supervisor's signal instant has come: what it still drains is given up. `exited` follows soon. */
  hurry(): void
  /** Ends it now. `exited` follows within a bounded time. */
  kill(): void
}

/** What an inspector draws of a child that lives. */
export interface ChildLook {
  readonly machine: AnyStateMachine
  /** A dotted path in the machine. */
  readonly state: string
}

/** What a group needs to know of a child. */
export interface ChildSpec {
  /** Unique in its group. */
  readonly id: string
  readonly kind: ChildKind
  readonly restart: RestartType
  /** What it stands for runs elsewhere from the beginning: it is told to end even if it was never started here. */
  readonly isOutside?: boolean
  /** How long its end may take before it is killed, ms: 0 kills at once, `Infinity` waits. */
  readonly shutdownMs: number
  /** Restarts that count for it alone. Without, they count for its group. */
  readonly limits?: RestartLimits
  /** These are used up, or it could not be started when somebody wanted it: nothing follows until somebody starts it. */
  gaveUp?(error: Error): void
  /**
   * What of that time is its grace, ms: as long before its bound it is hurried, at once if the bound is nearer.
   * `undefined`: it has nothing to give up, and is killed without that.
   */
  readonly graceMs?: number | undefined
  /**
   * Starts an incarnation. Never throws: one that cannot start reports `exited` with `failed`, before
   * `ready`. The returned object may be told to end before `ready`.
   */
  start(listener: ChildListener): Incarnation
  /** It has ended or rests, and nothing follows by itself. May be told more than once. */
  settled?(): void
  /** It is no longer listed, and nothing of it lives. */
  removed?(): void
  /** The actor that shows the child, made now if need be; `undefined` while there is none to show. */
  actor(parent: AnyActorRef): AnyActorRef | undefined
  /** The machine of what it stands for; `undefined` while there is none. Makes nothing. */
  look?(): ChildLook | undefined
}
