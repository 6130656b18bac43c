/**
 * Every error Stateward makes: a sentence, a `code`, the ids it is about, and the `cause`.
 *
 * | code | class | when |
 * |---|---|---|
 * | `ERR_OPTION_INVALID` | `OptionError` | an option, argument or call is not what it must be |
 * | `ERR_OPTION_UNKNOWN` | `OptionError` | an option that does not exist |
 * | `ERR_TASK_MODULE_MISSING` | `OptionError` | a definition that must be found from elsewhere has no `module` |
 * | `ERR_TASK_EXPORT_MISSING` | `OptionError` | the module does not export the definition |
 * | `ERR_TASK_NAME_TAKEN` | `OptionError` | two different definitions with one name |
 * | `ERR_RUN_ID_TAKEN` | `OptionError` | the run id is live already |
 * | `ERR_TASK_ALREADY_LIVE` | `OptionError` | `onConflict: 'reject'`, or a run that would wait for itself |
 * | `ERR_INPUT_INVALID` | `OptionError` | the schema refuses the input at submission |
 * | `ERR_RUN_ENDED` | `OptionError` | a run that has ended submits a child, or ends while it waits for a lock |
 * | `ERR_RUN_UNKNOWN` | `OptionError` | a run that is not known (any more) |
 * | `ERR_SCHEDULE_INVALID` | `OptionError` | a cron expression, recurrence rule or window that is wrong or never comes |
 * | `ERR_TIMEZONE_UNKNOWN` | `OptionError` | a time zone that does not exist |
 * | `ERR_EXTERNAL_UNKNOWN` | `OptionError` | `complete` or `fail` of a task that is not waiting for it |
 * | `ERR_CHILD_ID_TAKEN` | `OptionError` | the group lists a child with this id already |
 * | `ERR_CHILD_UNKNOWN` | `OptionError` | a child that was removed is to be started, or a group that was removed is to take one in |
 * | `ERR_CHILD_START_FAILED` | `SupervisionError` | a child failed, ended or was stopped before it was up |
 * | `ERR_RESTART_INTENSITY` | `SupervisionError` | a group, or a loop, gave up after too many restarts |
 * | `ERR_LOOP_NAME_TAKEN` | `OptionError` | a loop's name is taken or reserved |
 * | `ERR_LOOP_UNKNOWN` | `OptionError` | there is no loop of this name, or no default loop |
 * | `ERR_LOOP_STOPPED` | `SupervisorStateError` | a submission to a loop that is stopped, stops or has given up |
 * | `ERR_WORKER_NAME_TAKEN` | `WorkerError` | two workers with one name |
 * | `ERR_WORKER_UNKNOWN` | `WorkerError` | a worker that is not known (any more) |
 * | `ERR_WORKER_STOPPED` | `WorkerError` | a call that needs a worker that is up |
 * | `ERR_ITEM_RETURNED` | `WorkerError` | an item that a queue worker has handed back before it had begun |
 * | `ERR_SCHEDULE_UNKNOWN` | `OptionError` | a schedule of a durable queue that is not there |
 * | `ERR_SCHEDULER_UNKNOWN` | `OptionError` | `unregister` of a scheduler that is not registered |
 * | `ERR_SCHEDULER_REGISTERED` | `OptionError` | `register` of a scheduler that is registered already |
 * | `ERR_WORKER_STATE` | `WorkerError` | a call that the state of the worker does not allow |
 * | `ERR_SUPERVISOR_STOPPED` | `SupervisorStateError` | a submission to a supervisor that stops, has stopped or has failed |
 * | `ERR_SUPERVISOR_STATE` | `SupervisorStateError` | a call that the state does not allow |
 * | `ERR_SUPERVISOR_START_FAILED` | `SupervisorStateError` | `start` failed; the reason is the `cause` |
 * | `ERR_SUPERVISOR_IN_TASK` | `SupervisorStateError` | a supervisor made while a task module is loaded |
 * | `ERR_TASK_THREW` … `ERR_TASK_EXPIRED` | `TaskFailedError` | the run is `failed`, one code per kind |
 * | `ERR_TASK_CANCELLED` | `TaskCancelledError` | the run is `cancelled` |
 * | `ERR_TASK_TERMINATED` | `TaskTerminatedError` | the run is `terminated` by stop, replacement or condition |
 * | `ERR_TASK_TIMED_OUT` | `RunTimeoutError` | `runTimeoutMs` |
 * | `ERR_TASK_QUEUE_TIMED_OUT` | `QueueTimeoutError` | `queueTimeoutMs` |
 * | `ERR_TASK_DEADLINE_PASSED` | `DeadlineError` | `deadlineMs` |
 * | `ERR_COMMAND_FAILED` | `CommandError` | a command ended with another exit code than 0, or by a signal |
 * | `ERR_COMMAND_NOT_STARTED` | `CommandError` | a command could not be started |
 * | `ERR_LOCK_TIMED_OUT` | `LockTimeoutError` | a lock was not free within `timeoutMs`; the body was not called |
 * | `ERR_CONTEXT_NO_RUN` | `OptionError` | a value is set in the context of a run, outside of one |
 * | `ERR_WAIT_TIMED_OUT` | `WaitTimeoutError` | the run had not ended when a wait with a bound was over |
 * | `ERR_VALUE_NOT_STORABLE` | `OptionError` | what is to be stored is no JSON; the sentence has the path |
 * | `ERR_VALUE_TOO_LARGE` | `OptionError` | what is to be stored is larger than its bound |
 * | `ERR_TASK_KEY_TAKEN` | `OptionError` | a live task of the queue holds the key |
 * | `ERR_RUN_STATE` | `OptionError` | the state of a stored task does not allow the call |
 * | `ERR_TASKS_REFUSED` | `QueueError` | some of many tasks could not be stored; the others are |
 * | `ERR_STORE_ENGINE_MISSING` | `QueueError` | the package for this kind of database is not there |
 * | `ERR_STORE_FOLDER_MISSING` | `QueueError` | the folder of the database file, or the database, does not exist |
 * | `ERR_STORE_UNREACHABLE` | `QueueError` | the server of the database cannot be reached |
 * | `ERR_STORE_REFUSED` | `QueueError` | the server of the database refuses the user or the password |
 * | `ERR_STORE_NOT_WRITABLE` | `QueueError` | the database cannot be written |
 * | `ERR_STORE_CORRUPT` | `QueueError` | the file is no database, or a damaged one |
 * | `ERR_STORE_NETWORK_FILE_SYSTEM` | `QueueError` | the file is on a file system that is shared over a network |
 * | `ERR_STORE_SCHEMA_NEWER` | `QueueError` | a newer version of this package has made the tables |
 * | `ERR_STORE_SCHEMA_OLDER` | `QueueError` | the tables have to be migrated first |
 * | `ERR_STORE_BUSY` | `QueueError` | others held the database for too long |
 * | `ERR_STORE_FULL` | `QueueError` | no room is left on the disk |
 * | `ERR_STORE_CLOSED` | `QueueError` | the queue was closed |
 * | `ERR_STORE_TRANSACTION_FOREIGN` | `QueueError` | `tx` is no open transaction on the database of the queue |
 * | `ERR_STORE_MISSING` | `QueueError` | a command, or `openQueue` with `create: false`, is about a database that holds no queue, or an open file was removed or replaced |
 * | `ERR_STORE_FAILED` | `QueueError` | whatever else the database says; it is the `cause` |
 * | `ERR_METRICS_REGISTERED` | `OptionError` | the registry has metrics of this package already |
 * | `ERR_DAEMON_RUNNING` | `QueueError` | a second daemon of one name is to be started from the command line |
 * | `ERR_DAEMON_NOT_STARTED` | `QueueError` | a daemon ended, or was killed, before it was up |
 * | `ERR_DAEMON_NOT_STOPPED` | `QueueError` | a daemon is still there when the bound of its stop has come |
 * | `ERR_USAGE` | | the command line: a command, an option or an argument is not what it must be |
 * | `ERR_LISTEN_FAILED` | `StatewardError` | a server cannot listen on the address that it was given |
 */
import type { FailureKind, StopStep, TerminationReason } from '../machines/model.ts'

const BRAND: unique symbol = Symbol.for('stateward.error') as never

/** What an error of this package says besides its sentence. */
export interface ErrorFacts {
  readonly code: string
  readonly cause?: unknown
  readonly runId?: string | undefined
  readonly taskName?: string | undefined
}

/** The base of every error of this package. */
export class StatewardError extends Error {
  override readonly name: string = 'StatewardError'
  /** What went wrong, for programs; see the table in the documentation. */
  readonly code: string
  /** The run it is about, if it is about one. */
  readonly runId: string | undefined
  /** The definition it is about, if it is about one. */
  readonly taskName: string | undefined
  /** @internal */
  readonly [BRAND] = true

  constructor(message: string, facts: ErrorFacts) {
    super(message, 'cause' in facts ? { cause: facts.cause } : undefined)
    this.code = facts.code
    this.runId = facts.runId
    this.taskName = facts.taskName
  }
}

/** True for errors made by any copy of this package in this process. */
export function isStatewardError(error: unknown): error is StatewardError {
  return error instanceof Error && (error as { [BRAND]?: unknown })[BRAND] === true
}

/** An option or a call is not what it must be. Nothing was changed. */
export class OptionError extends StatewardError {
  override readonly name = 'OptionError'
}

/** The state of the supervisor does not allow the call. */
export class SupervisorStateError extends StatewardError {
  override readonly name = 'SupervisorStateError'
}

/** A call to a worker that cannot be carried out. */
export class WorkerError extends StatewardError {
  override readonly name = 'WorkerError'
  /** Its name. */
  readonly worker: string

  constructor(message: string, facts: ErrorFacts & { worker: string }) {
    super(message, facts)
    this.worker = facts.worker
  }
}

/** A child could not start, or a group gave up. `cause` is the last of the `causes`. */
export class SupervisionError extends StatewardError {
  override readonly name = 'SupervisionError'
  /** Path of the child whose end was the last straw. */
  readonly child: string
  /** What the children of the group failed with, the last one last. */
  readonly causes: readonly unknown[]

  constructor(
    message: string,
    facts: Omit<ErrorFacts, 'cause'> & { child: string; causes: readonly unknown[] },
  ) {
    super(message, facts.causes.length === 0 ? facts : { ...facts, cause: facts.causes.at(-1) })
    this.child = facts.child
    this.causes = [...facts.causes]
  }
}

/** A run is `failed`. `cause` is what was thrown, or what happened to its thread, process or input. */
export class TaskFailedError extends StatewardError {
  override readonly name = 'TaskFailedError'
  readonly kind: FailureKind
  /** Attempts made. */
  readonly attempts: number

  constructor(message: string, facts: ErrorFacts & { kind: FailureKind; attempts: number }) {
    super(message, facts)
    this.kind = facts.kind
    this.attempts = facts.attempts
  }
}

/** A run is `cancelled`: a person or program asked. */
export class TaskCancelledError extends StatewardError {
  override readonly name = 'TaskCancelledError'
  readonly reason: unknown
  /** The step of the stop ladder it needed. */
  readonly step: StopStep

  constructor(message: string, facts: ErrorFacts & { reason: unknown; step: StopStep }) {
    super(message, facts)
    this.reason = facts.reason
    this.step = facts.step
  }
}

/** A run is `terminated`: the supervisor ended it. */
export class TaskTerminatedError extends StatewardError {
  override readonly name: string = 'TaskTerminatedError'
  readonly reason: TerminationReason
  /** The step of the stop ladder it needed. */
  readonly step: StopStep

  constructor(message: string, facts: ErrorFacts & { reason: TerminationReason; step: StopStep }) {
    super(message, facts)
    this.reason = facts.reason
    this.step = facts.step
  }
}

/** An attempt ran longer than `runTimeoutMs`. */
export class RunTimeoutError extends TaskTerminatedError {
  override readonly name = 'RunTimeoutError'
}

/** A run waited longer than `queueTimeoutMs` for a slot. */
export class QueueTimeoutError extends TaskTerminatedError {
  override readonly name = 'QueueTimeoutError'
}

/** The total deadline of a run, its own or its parent's, has passed. */
export class DeadlineError extends TaskTerminatedError {
  override readonly name = 'DeadlineError'
}

/** A bounded wait is over and the run has not ended. The run goes on. */
export class WaitTimeoutError extends StatewardError {
  override readonly name = 'WaitTimeoutError'
}

/** The durable queue, or its database, cannot do what it was asked. */
export class QueueError extends StatewardError {
  override readonly name = 'QueueError'
}

/** What a {@link CommandError} says besides its sentence. */
export interface CommandFacts {
  /** The text, or the file and its arguments. */
  readonly command: string
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

/** A command did not end with exit code 0, or did not start at all. */
export class CommandError extends StatewardError {
  override readonly name = 'CommandError'
  /** The text, or the file and its arguments. */
  readonly command: string
  /** `null` when a signal ended it, or when it did not start. */
  readonly exitCode: number | null
  /** What ended it, if it was a signal. */
  readonly signal: NodeJS.Signals | null
  /** The end of what it wrote to stderr. */
  readonly stderr: string

  constructor(message: string, facts: ErrorFacts & CommandFacts) {
    super(message, facts)
    this.command = facts.command
    this.exitCode = facts.exitCode
    this.signal = facts.signal
    this.stderr = facts.stderr
  }
}

/** A lock was not free within `timeoutMs`. What it was to guard has not been done. */
export class LockTimeoutError extends StatewardError {
  override readonly name = 'LockTimeoutError'
  readonly lock: string
  readonly timeoutMs: number

  constructor(message: string, facts: ErrorFacts & { readonly lock: string; readonly timeoutMs: number }) {
    super(message, facts)
    this.lock = facts.lock
    this.timeoutMs = facts.timeoutMs
  }
}
