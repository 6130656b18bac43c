/**
 * A durable queue as its users see it: tasks that outlive processes, in a database that all of them share.
 *
 * - open: from `openQueue` on.
 * - closed: by `close()`, or at the end of an `await using`. What was asked before is still answered, waits reject, and
 *   every later call rejects with a `QueueError` (`ERR_STORE_CLOSED`).
 *
 * The database is authoritative: what a call has resolved with is there, whatever becomes of this process. A call that
 * rejects with an `OptionError` has changed nothing.
 */
import type { TaskCall, TypedDefinition } from '../../actors/definition.ts'
import type { LogEntry } from '../../actors/store/records.ts'
import type { StoreCheck } from '../../actors/store/store.ts'
import type { EnqueueItem, EnqueueOptions } from './enqueue-options.ts'
import type { QueueStatus } from './queue-status.ts'
import type { Schedule, ScheduleOptions } from './schedule.ts'
import type { StoredTask, StoredTaskState } from './stored-task.ts'
import type { StoredTaskFilter, StoredTaskQuery } from './task-query.ts'

/** A task that is in the queue. */
export interface QueuedTask<Output = unknown> {
  readonly id: string
  /** True when a live task with the same key was there, and is this one. */
  readonly existing: boolean
  /** Id of the task that it replaced. */
  readonly replaced: string | undefined
  /** Carries the output type; never set. */
  readonly _output?: Output
}

/** The id of a stored task, or what has it. */
export type TaskId = string | { readonly id: string }

export interface WaitOptions {
  /** How long to wait; `0` looks once. @defaultValue Infinity */
  readonly timeoutMs?: number
  /** Ends the wait, not the task: the wait rejects with its reason. */
  readonly signal?: AbortSignal
}

/** One page of stored tasks. */
export interface StoredTaskPage {
  readonly tasks: readonly StoredTask[]
  /** For `after`; `undefined` on the last page. */
  readonly next: string | undefined
}

/** How many tasks are in each state. */
export type QueueCounts = Readonly<Record<StoredTaskState, number>>

export interface Queue extends AsyncDisposable {
  /** Who acts, in the operations log. */
  readonly by: string

  /**
   * Stores a task. Resolves when it is there for good: after the commit, or, with `tx`, when its statements have run.
   *
   * @throws OptionError for bad options; for an input that its schema refuses (`ERR_INPUT_INVALID`), that is no JSON
   *   (`ERR_VALUE_NOT_STORABLE`) or too large (`ERR_VALUE_TOO_LARGE`); for a run id that exists (`ERR_RUN_ID_TAKEN`);
   *   for a key that is held, with `onConflict: 'reject'` (`ERR_TASK_KEY_TAKEN`)
   * @throws QueueError when the database cannot store it
   */
  enqueue<Input, Output>(
    definition: TypedDefinition<Input, Output>,
    ...rest: undefined extends Input
      ? [input?: Input, options?: EnqueueOptions]
      : [input: Input, options?: EnqueueOptions]
  ): Promise<QueuedTask<Output>>
  enqueue<Input, Output>(call: TaskCall<Input, Output>, options?: EnqueueOptions): Promise<QueuedTask<Output>>

  /**
   * Stores many tasks, in their order: all of them are checked before the first is stored, and a thousand share a
   * transaction.
   *
   * @throws OptionError as `enqueue` does; nothing was stored then
   * @throws QueueError (`ERR_TASKS_REFUSED`) when ids or keys of some were taken: the others are stored
   */
  enqueueMany(items: Iterable<TaskCall | EnqueueItem>): Promise<readonly QueuedTask[]>

  /** `undefined` for a task that is not there. */
  get(id: TaskId): Promise<StoredTask | undefined>

  list(query?: StoredTaskQuery): Promise<StoredTaskPage>

  counts(): Promise<QueueCounts>

  /** What was done to a task, and by whom, oldest first; nothing for one that is not there. */
  log(id: TaskId): Promise<readonly LogEntry[]>

  /**
   * The result of a task, wherever it runs.
   *
   * @throws TaskFailedError, TaskCancelledError, TaskTerminatedError and its kinds, as `run.result` does
   * @throws WaitTimeoutError when it has not ended in time; it goes on
   * @throws OptionError (`ERR_RUN_UNKNOWN`) when it is not there, or is removed meanwhile
   * @throws QueueError (`ERR_STORE_CLOSED`) when the queue is closed meanwhile
   */
  wait<Output = unknown>(task: QueuedTask<Output> | TaskId, options?: WaitOptions): Promise<Output>

  /**
   * Ends a task: at once if it waits (`cancelled`), else its daemon is asked to end it (`asked`).
   *
   * @throws OptionError (`ERR_RUN_UNKNOWN`); (`ERR_RUN_STATE`) when it has ended
   */
  cancel(id: TaskId, reason?: string): Promise<'cancelled' | 'asked'>

  /**
   * Runs a task once more that failed, was cancelled or terminated: under its id, from its first attempt, of the step
   * that ended it.
   *
   * @param options - `runAt`: from then on. @defaultValue at once
   * @throws OptionError (`ERR_RUN_UNKNOWN`); (`ERR_RUN_STATE`) when it is live or finished; (`ERR_TASK_KEY_TAKEN`) when
   *   another live task has its key
   */
  retry(id: TaskId, options?: { readonly runAt?: number | Date }): Promise<void>

  /**
   * Retries all that failed or were terminated, or those of the given states, and match.
   *
   * @returns how many
   */
  retryMany(filter?: StoredTaskFilter): Promise<number>

  /** Tasks that failed or were terminated: what nobody tries again but a person. */
  deadLetters(query?: Omit<StoredTaskQuery, 'state'>): Promise<StoredTaskPage>

  /**
   * Changes when a waiting task may run.
   *
   * @throws OptionError (`ERR_RUN_UNKNOWN`); (`ERR_RUN_STATE`) when it does not wait
   */
  move(id: TaskId, runAt: number | Date): Promise<void>

  /**
   * Forgets a task that does not run, and its log.
   *
   * @throws OptionError (`ERR_RUN_UNKNOWN`); (`ERR_RUN_STATE`) when it runs
   */
  remove(id: TaskId): Promise<void>

  /**
   * Forgets all tasks that match and do not run. Without a `state` these are the waiting ones.
   *
   * @returns how many
   */
  clear(filter?: StoredTaskFilter): Promise<number>

  /**
   * Makes a schedule, or changes the one of this name: tasks that are enqueued at their times, by whichever daemon is
   * there. Saying the same again, at every start of a program, changes nothing; another rule begins anew. A run that is
   * live goes on.
   *
   * @throws OptionError as `enqueue` does; for a rule that is wrong or never comes (`ERR_SCHEDULE_INVALID`,
   *   `ERR_TIMEZONE_UNKNOWN`)
   */
  schedule<Input, Output>(
    name: string,
    definition: TypedDefinition<Input, Output>,
    input: Input,
    options: ScheduleOptions,
  ): Promise<Schedule>
  schedule(name: string, call: TaskCall, options: ScheduleOptions): Promise<Schedule>

  /**
   * Takes a schedule away. Its live run goes on.
   *
   * @returns whether it was there
   */
  unschedule(name: string): Promise<boolean>

  /** By name. */
  schedules(): Promise<readonly Schedule[]>

  /** What is in the queue, and who works it off. */
  status(): Promise<QueueStatus>

  /**
   * Asks daemons to stop. They hear of it at once, or within half a second.
   *
   * @param message - why, for their logs
   * @param options - `daemon`: name or id. @defaultValue all
   * @returns how many were told
   */
  shutdown(message?: string, options?: { readonly daemon?: string }): Promise<number>

  /** Checks the database, and whether somebody works off what waits. */
  doctor(): Promise<StoreCheck>

  /** Brings the tables to the newest version; see the option `migrate` of `openQueue`. */
  migrate(): Promise<{ readonly from: number; readonly to: number }>

  /** Resolves when all that was asked is answered and the database is closed. */
  close(): Promise<void>
}
