/**
 * What an inspector and its page say to each other over the WebSocket at `/feed`: JSON, one message a frame.
 *
 * The server says `hello` first; a page that gets another `protocol` than its own reloads. Frames follow from then on, as
 * often as they are worth it, at most ten a second; each holds only what has changed since the frame before. A page that
 * connects again begins with nothing: `hello` means that it forgets what it knew.
 *
 * Instants are epoch ms of the server, durations ms. Ids of actors are opaque. What is `null` is not known or not there.
 */

import type { Chart } from '../../machines/chart.ts'

/** Version of these messages. */
export const FEED_PROTOCOL = 1

/** Bands from the most to the least urgent. */
export type Band = 'critical' | 'high' | 'normal' | 'low'

export type PerBand = Readonly<Record<Band, number>>

// What the server says.

export type ServerMessage = Hello | Frame | Answer | Goodbye

/** `none`: to log in is all that it may. `look`: it sees all but inputs and results. `act`: those too, and it may act. */
export type Access = 'none' | 'look' | 'act'

export interface Hello {
  readonly type: 'hello'
  readonly protocol: number
  /** What is inspected. */
  readonly sources: {
    /** A supervisor in this process. */
    readonly supervisor: { readonly id: string } | null
    /** A durable queue: its engine, and the daemon of this process that works it off. */
    readonly queue: { readonly engine: string; readonly daemon: string | null } | null
  }
  readonly host: string
  readonly pid: number
  /** Of the process. */
  readonly startedAt: number
  readonly now: number
  /** What this connection may do. With `none` nothing else is told; a login is followed by another `hello` then. */
  readonly access: Access
}

export interface Frame {
  readonly type: 'frame'
  /** Counts from 1. */
  readonly seq: number
  readonly at: number
  /** Actors that came into view. Parents come before their children. */
  readonly added?: readonly ActorRow[]
  readonly changed?: readonly ActorChange[]
  /** Ids that went out of view, most of them because the actor has ended. */
  readonly gone?: readonly string[]
  /** Which children are in view, by the id of their parent: whole lists, in order; only those that have changed. */
  readonly lists?: Readonly<Record<string, ActorList>>
  /** By name: the statecharts that rows of this frame are the first to name. */
  readonly charts?: Readonly<Record<string, Chart>>
  /** Runs of the supervisor, and of those nested in it, per state: live ones, and those that have ended since it was made. */
  readonly counts?: Readonly<Record<string, number>> | null
  /** Tasks of the queue per state. */
  readonly stored?: Readonly<Record<string, number>> | null
  readonly pools?: readonly PoolRow[]
  /** Of runs, over the last second. */
  readonly rates?: Rates
  /** Of runs that were admitted, or ended, in the last seconds. `null`: there were none. */
  readonly waits?: Waits
  /** What happened, oldest first. */
  readonly events?: readonly EventRow[]
  /** Only one in so many runs is told of, because too much happens. */
  readonly sampled: number
  /** Events that happened since the frame before and are not told. */
  readonly skipped: number
}

export type ActorKind =
  | 'supervisor'
  | 'pool'
  | 'group'
  | 'worker'
  | 'loop'
  | 'scheduler'
  | 'actor'
  | 'daemon'
  | 'server'
  | 'queue'
  | 'task'

/** An actor in view. */
export interface ActorRow {
  readonly id: string
  /** `null`: it is a root. */
  readonly parent: string | null
  /**
   * The nested supervisor that it is part of: ids of groups, supervisors and its own, from the top, joined by `/`. Without, it
   * is part of the one that is inspected. A supervisor is part of itself.
   */
  readonly within?: string
  readonly kind: ActorKind
  readonly name: string
  /** Name of its statechart; `null` when it has none. */
  readonly chart: string | null
  /** A dotted path in its chart; several are joined by a comma and a space. */
  readonly state: string
  readonly startedAt: number | null
  /** How many children it has, in view or not. */
  readonly children: number
  /** The last event that it took, when, and from where; `null` before one was seen. */
  readonly event: string | null
  readonly eventAt: number | null
  readonly from: string | null
  /** Of a task. */
  readonly task?: {
    readonly runId: string
    readonly priority: Band
    readonly execution: string
    readonly attempt: number
    readonly percent: number | null
    readonly note: string | null
    /** Id of the worker or task that submitted it. */
    readonly owner: string | null
  }
}

/** What is new of an actor in view: members replace those of its row. */
export type ActorChange = { readonly id: string } & Partial<
  Omit<ActorRow, 'id' | 'parent' | 'within' | 'kind'>
>

/** A stretch of the children of one actor. */
export interface ActorList {
  /** Position of the first one among all that match. */
  readonly offset: number
  /** How many match. */
  readonly total: number
  readonly ids: readonly string[]
}

export interface PoolRow {
  readonly id: string
  /** As of an {@link ActorRow}. */
  readonly within?: string
  readonly name: string
  /** 0: unlimited. */
  readonly size: number
  readonly reserveNormal: number
  readonly reserveHigh: number
  /** Slots taken. */
  readonly admitted: number
  readonly running: PerBand
  readonly queued: PerBand
}

/** Runs per second. */
export interface Rates {
  readonly created: number
  readonly started: number
  readonly finished: number
  /** Failed, cancelled and terminated ones. */
  readonly failed: number
  /** Steps of machines. */
  readonly events: number
}

export interface Quantiles {
  readonly p50: number
  readonly p95: number
}

export interface Waits {
  /** From the submission, or the return to the queue, to the admission. */
  readonly queueMs: Quantiles | null
  /** Of handlers that have ended. */
  readonly runMs: Quantiles | null
}

/** An actor took an event. */
export interface EventRow {
  readonly at: number
  /** Id of the actor; it need not be in view. */
  readonly id: string
  /** As of an {@link ActorRow}. */
  readonly within?: string
  /** Its name, for those that are not. */
  readonly name: string
  readonly type: string
  /** States before and after; they may be the same. */
  readonly from: string
  readonly to: string
  /** Who sent it: id of an actor, or what is none. */
  readonly source: string | 'clock' | 'handler' | 'user'
}

/**
 * The last frame has been told. What is asked now is still answered, for a moment: how things stand at the end. Then the
 * connection is closed, by the page when it knows all that it wants to.
 */
export interface Goodbye {
  readonly type: 'goodbye'
  /** The supervisor has ended so, or the inspector alone was closed. */
  readonly reason: 'stopped' | 'failed' | 'closed'
}

/** Exactly one per `login`, `ask` and `act`. */
export type Answer =
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | {
      readonly type: 'answer'
      readonly id: number
      /** A sentence and a code: `ERR_TOKEN_WRONG`, `ERR_TOKEN_NEEDED`, … */
      readonly error: { readonly code: string; readonly message: string }
    }

// What the page says.

export type PageMessage = Login | Watch | Ask | Act

/** Raises the access of the connection to `act`. Answered with {@link Access}; frames begin then if it was `none`. */
export interface Login {
  readonly type: 'login'
  readonly id: number
  readonly token: string
}

/** What is in view from now on: it replaces what was said before. Until then it is the roots and what is right below. */
export interface Watch {
  readonly type: 'watch'
  /**
   * Which children are to be in view, by id of their parent, which must be in view itself. Those of others are only
   * counted.
   */
  readonly expanded: Readonly<Record<string, { readonly offset: number; readonly limit: number }>>
  /** Which tasks are to be in view at all. */
  readonly filter?: {
    /** In their name or id, whatever the case. */
    readonly text?: string
    readonly states?: readonly string[]
  }
  /** Actors that are in view wherever they stand: those that are selected. */
  readonly ids?: readonly string[]
  /** Events are told: of these actors, or of all. @defaultValue 'all' */
  readonly events?: 'all' | 'none' | readonly string[]
}

export type Ask = { readonly type: 'ask'; readonly id: number } & (
  | ({ readonly ask: 'tasks' } & TaskQuery)
  | {
      readonly ask: 'task'
      readonly task: string
      readonly of: TaskSource
      /** Of its row. */
      readonly within?: string
      /** With input and result: takes the access `act`. */
      readonly values?: boolean
    }
  | { readonly ask: 'schedules' }
  | { readonly ask: 'workers' }
)

/** Whose tasks: the runs of the supervisor, or what is in the queue. */
export type TaskSource = 'supervisor' | 'queue'

export interface TaskQuery {
  readonly of: TaskSource
  readonly states?: readonly string[]
  /** In its name, its id or the path of its nested supervisor, whatever the case. Of a queue: its whole name. */
  readonly text?: string
  /** 1 to 500. @defaultValue 50 */
  readonly limit?: number
  /** `next` of the page before. */
  readonly after?: string
}

/** Answers `tasks`. The newest first. */
export interface TaskPage {
  readonly tasks: readonly TaskRow[]
  /** `null` on the last page. */
  readonly next: string | null
}

export interface TaskRow {
  readonly id: string
  readonly of: TaskSource
  /** As of an {@link ActorRow}. */
  readonly within?: string
  readonly name: string
  readonly description: string
  readonly state: string
  readonly priority: Band
  /** `null` of a stored one. */
  readonly execution: string | null
  readonly attempt: number
  readonly percent: number | null
  readonly note: string | null
  readonly createdAt: number
  readonly startedAt: number | null
  readonly endedAt: number | null
  /** It may run from then on. */
  readonly runAt: number | null
  /** The worker, schedule or task that it comes from. */
  readonly from: string | null
  /** Who has it: the daemon of a stored one. */
  readonly holder: string | null
  readonly error: { readonly name: string; readonly message: string; readonly code: string | null } | null
  /** Why it ended so. */
  readonly reason: string | null
  /** What may be done to it now. */
  readonly acts: readonly ('cancel' | 'retry')[]
}

/** Answers `task`. */
export interface TaskDetail extends TaskRow {
  /** Oldest first. */
  readonly log: readonly { readonly at: number; readonly what: string; readonly by: string | null }[]
  /** Only when they were asked for, as far as they are JSON. */
  readonly values: { readonly input: unknown; readonly result: unknown } | null
}

/** Answers `schedules`: those of the queue, and the workers whose times are known. */
export interface ScheduleRow {
  readonly name: string
  readonly of: TaskSource
  /** As of an {@link ActorRow}. */
  readonly within?: string
  /** Name of the definition. */
  readonly task: string
  readonly state: string
  /** In words: a cron expression, a rule, an interval. */
  readonly times: string
  readonly timezone: string | null
  readonly nextAt: number | null
  /** Those that follow, as far as they are known. */
  readonly laterAt: readonly number[]
  readonly lastEndedAt: number | null
  readonly acts: readonly WorkerAct[]
}

/** Answers `workers`. */
export interface WorkerRow {
  readonly name: string
  /** As of an {@link ActorRow}. */
  readonly within?: string
  /** Id of its actor. */
  readonly id: string
  readonly kind: string
  /** In words what its runs come by: an interval, a cron expression, a rule, items, triggers; and its condition. */
  readonly when: string
  readonly state: string
  readonly live: number
  readonly owed: number
  readonly nextAt: number | null
  readonly runs: number
  readonly failures: number
  readonly skipped: number
  readonly acts: readonly WorkerAct[]
}

export type WorkerAct = 'trigger' | 'pause' | 'resume'

/** Takes the access `act`. `within` is that of the row which it is about. */
export type Act = { readonly type: 'act'; readonly id: number; readonly within?: string } & (
  | { readonly act: 'cancel'; readonly task: string; readonly of: TaskSource; readonly reason?: string }
  /** Of a supervisor's: submits the same once more. Answered with {@link Retried}. */
  | { readonly act: 'retry'; readonly task: string; readonly of: TaskSource }
  | { readonly act: WorkerAct; readonly worker: string }
  /** The supervisor: it admits nothing, or goes on. */
  | { readonly act: 'hold' | 'release' }
)

export interface Retried {
  /** Of the run that does it again. */
  readonly task: string
}
