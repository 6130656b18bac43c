/**
 * The border between the task pool and whatever runs handlers.
 *
 * An **executor** owns the physical things of one execution (event loop, piscina threads, child
 * processes) and runs one attempt per `start`. It decides nothing about the life cycle: it reports
 * facts to the listener and obeys the three steps of the stop ladder. It may report `settled` at most
 * once; what comes later is dropped by the pool, which fences every attempt with its own listener.
 */
import type { Priority } from '../machines/model.ts'
import type { TaskCall } from './definition.ts'
import type { ParameterValues } from './parameters.ts'
import type { RunValues } from './run-scope.ts'
import type { TraceCarrier } from './tracing/run-tracing.ts'

/** One attempt of one run, as plain data that can be cloned into a thread or process. */
export interface Job {
  readonly runId: string
  /** Attempt number, from 1. */
  readonly attempt: number
  readonly name: string
  /** `import.meta.url` of the definition's module. Empty for handlers that only run on this loop. */
  readonly module: string
  readonly input: unknown
  readonly priority: Priority
  /** Epoch ms at which the run's total deadline passes, if it has one. */
  readonly deadlineAt: number | undefined
  /** Values of the run's metadata, for `ctx`. */
  readonly supervisorId: string
  /** What the run's context begins with, if there is anything. */
  readonly context?: RunValues | undefined
  /** The values of `ctx.parameters`, if there are any. */
  readonly parameters?: ParameterValues | undefined
  /** Its value, or the call that it goes on as, is stored: what cannot be is `unserializable`, and calls in it stay calls. */
  readonly isStored?: boolean | undefined
  /** See {@link AttemptHandle.lease}, from the start on. */
  readonly lease?: AttemptLease | undefined
  /** The attempt in the trace that it is a part of, if it is one's. */
  readonly trace?: TraceCarrier | undefined
}

/** The right to run for a while. */
export interface AttemptLease {
  /** Until it ends. */
  readonly ms: number
  /** So long before its end a handler is told, where that can be done. */
  readonly noticeMs: number
}

/** How an attempt ended by itself. */
export type Settlement =
  | { readonly type: 'returned'; readonly value: unknown }
  | { readonly type: 'threw'; readonly error: unknown }
  | { readonly type: 'skipped'; readonly reason: string }
  | { readonly type: 'snoozed'; readonly delayMs: number }
  | { readonly type: 'continued'; readonly call: RemoteCall | TaskCall }
  /** The input or the value could not cross the border. */
  | { readonly type: 'unserializable'; readonly error: unknown }
  /** The module did not load or lacks the definition. */
  | { readonly type: 'unknownTask'; readonly error: unknown }
  /** The schema refused the input at execution. */
  | { readonly type: 'invalidInput'; readonly error: unknown }
  /** The thread or process died under the handler (also after `terminate` or `kill`). */
  | { readonly type: 'crashed'; readonly error: unknown }

/** A task call that came over a border: the definition is named, not held. */
export interface RemoteCall {
  readonly name: string
  readonly module: string
  /** Of the definition's input. */
  readonly version?: number
  /** Calls of tasks in it are packed; see remote/packed-calls.ts. */
  readonly input: unknown
  /** Submission options, plain data. */
  readonly options?: unknown
}

/** Control calls that a handler may make from anywhere (`ctx.submit`, `ctx.supervisor.*`). */
export type ControlMethod =
  | 'submit'
  | 'result'
  | 'cancel'
  | 'resize'
  | 'info'
  | 'trigger'
  | 'put'
  | 'stop'
  | 'endSchedule'

/** What the pool hears of an attempt. Every method may be called at any time and never throws. */
export interface AttemptListener {
  /** The handler began. `at` is epoch ms. Called at most once, before `settled`. */
  started(at: number): void
  progress(percent: number, note: string | undefined): void
  /** One pino record as the remote logger wrote it (`level` is pino's number). */
  log(record: { level: number; msg?: string; [key: string]: unknown }): void
  /** A control call from the handler; the promise settles with the reply. */
  call(method: ControlMethod, args: unknown): Promise<unknown>
  settled(settlement: Settlement): void
}

/** The pool's hold on one attempt: the steps of the stop ladder. Every step is idempotent. */
export interface AttemptHandle {
  /** Aborts `ctx.signal` with `reason`. */
  signal(reason: unknown): void
  /** SIGTERM, for processes; for others the same as `kill`. */
  terminate(): void
  /**
   * Ends the thread or process. The executor reports `settled({ type: 'crashed' })` when it is gone.
   * On the supervisor's own loop nothing can be ended: the attempt is only forgotten.
   */
  kill(): void
  /**
   * The right to run ends unless this is called again in time. What can end the attempt without this event loop, which may
   * be blocked, does so then.
   */
  lease?(lease: AttemptLease): void
}

/** A port: something that runs attempts. */
export interface Executor {
  /** Starts one attempt. Never throws: what goes wrong is reported as settled. */
  start(job: Job, listener: AttemptListener): AttemptHandle
  /** Physical sizes; applied while running. `min` are kept warm, never more than `max` exist. */
  resize(size: { readonly min: number; readonly max: number }): void
  /** Resolves when `min` threads or processes are up. Rejects with the error of one that cannot start. */
  warm(): Promise<void>
  /** Live threads or processes now, and how many of them are idle. */
  readonly live: number
  readonly idle: number
  /** Ends everything; resolves when nothing is left. The executor can be used again afterwards. */
  close(): Promise<void>
}

/** The hold on an attempt that shares its event loop with others. */
export interface SharedAttemptHandle extends AttemptHandle {
  /** Asks whether that loop still turns; calls `onAnswer` once when it does. */
  probe(onAnswer: () => void): void
  /** Whether the answer has come by now, even if nobody was told yet. */
  hasAnswered(): boolean
}
