/**
 * What goes over the border to a thread or process and back: plain data only.
 *
 * Every message names its attempt by a `token`, unique among the executors of one supervisor process, so
 * that many attempts can be live on one link. Order is kept in each direction of one link. A thread
 * has two links: jobs and results travel as piscina tasks, everything else over one control port per
 * thread; `sent` in a result says how many control messages belong before it.
 */
import type { ControlMethod, RemoteCall } from '../attempt.ts'
import type { ParameterValues } from '../parameters.ts'
import type { RunValues } from '../run-scope.ts'
import type { TraceCarrier } from '../tracing/run-tracing.ts'
import type { Thrown } from './thrown.ts'

/** A job for a thread or process that has not loaded the definition yet. It reports `started`. */
export interface ColdJob {
  readonly token: number
  /** Number of the definition for warm jobs to come; unique among the executors of one process. */
  readonly ref: number
  readonly name: string
  readonly module: string
  readonly supervisorId: string
  /** pino's level for `ctx.log`. */
  readonly logLevel: string
  /** Its results are stored. */
  readonly isStored: boolean
  readonly runId: string
  readonly attempt: number
  readonly input: unknown
  readonly deadlineAt: number | undefined
  readonly context: RunValues | undefined
  readonly parameters: ParameterValues | undefined
  readonly trace: TraceCarrier | undefined
  /** Set when a stop was asked for before the job was handed over. */
  readonly aborted: Thrown | undefined
}

/** The same where the definition is loaded: half the size. Its handler begins at once, unreported. */
export type WarmJob = readonly [
  token: number,
  ref: number,
  runId: string,
  attempt: number,
  input: unknown,
  deadlineAt: number | undefined,
  /** These are only there when there is any. */
  context?: RunValues | undefined,
  parameters?: ParameterValues | undefined,
  trace?: TraceCarrier,
]

export type WireJob = ColdJob | WarmJob

/** Host to remote. */
export type HostMessage =
  | { readonly type: 'abort'; readonly token: number; readonly reason: Thrown }
  | { readonly type: 'reply'; readonly token: number; readonly id: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly token: number; readonly id: number; readonly error: Thrown }

/** Host to a thread only: it has written the first lease of the job that runs there, which could not be written before it. */
export interface LeaseMessage {
  readonly type: 'lease'
}

/** Host to a process only: threads get jobs from piscina and need not be asked to leave. */
export type ProcessCommand =
  | HostMessage
  | { readonly type: 'job'; readonly job: WireJob }
  | { readonly type: 'exit' }

/** Remote to host, about one attempt. */
export type RemoteMessage =
  | { readonly type: 'started'; readonly token: number; readonly at: number }
  | {
      readonly type: 'progress'
      readonly token: number
      readonly percent: number
      readonly note: string | undefined
    }
  /** One line as pino wrote it. */
  | { readonly type: 'log'; readonly token: number; readonly line: string }
  | {
      readonly type: 'call'
      readonly token: number
      readonly id: number
      readonly method: ControlMethod
      readonly args: unknown
    }
  /** A result that may turn out not to be cloneable, ahead of `{ type: 'posted' }`. Threads only. */
  | { readonly type: 'value'; readonly token: number; readonly value: unknown }

/** A process to its host. */
export type ProcessMessage =
  | RemoteMessage
  | { readonly type: 'hello' }
  /** The uncaught error that is about to end the process. */
  | { readonly type: 'fatal'; readonly error: Thrown }
  | { readonly type: 'settled'; readonly token: number; readonly settled: WireResult }

/** How an attempt ended: the short form says "returned this, and sent no messages before". */
export type WireResult = readonly [value: unknown] | WireSettled

/** How an attempt ended, and how many messages about it were sent before. */
export type WireSettled = WireSettlement & { sent: number }

type WireSettlement =
  | { readonly type: 'returned'; readonly value: unknown }
  /** The value came ahead, over the control port. */
  | { readonly type: 'posted' }
  | { readonly type: 'skipped'; readonly reason: string }
  | { readonly type: 'snoozed'; readonly delayMs: number }
  | { readonly type: 'continued'; readonly call: RemoteCall }
  | {
      readonly type: 'threw' | 'unserializable' | 'unknownTask' | 'invalidInput'
      readonly error: Thrown
    }

/**
 * What the methods of `AttemptListener.call` get and give:
 *
 * | method | args | reply |
 * |---|---|---|
 * | `submit` | `SubmitArgs` | `{ id }`: the run's id, the proposed one unless the host had to choose another |
 * | `result` | `{ id }` | the run's value; a refusal carries its error |
 * | `cancel` | `{ id, reason }` | whether a live run was cancelled |
 * | `resize` | the sizes | nothing |
 * | `info` | nothing | the supervisor's `info()` |
 * | `trigger` | `{ worker, options }` | nothing |
 * | `put` | `{ worker, item }` | nothing, when the item was accepted |
 * | `stop` | the stop options | nothing, when the stop has been taken |
 * | `endSchedule` | nothing | nothing, when it is stored |
 */
export interface SubmitArgs {
  readonly call: RemoteCall
  /** The id that the handler sees at once. */
  readonly id: string
  /** True for `ctx.submit` (a child of this run), false for `ctx.supervisor.submit`. */
  readonly child: boolean
}
