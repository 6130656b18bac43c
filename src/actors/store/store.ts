/**
 * The port to whatever keeps durable tasks. The store is authoritative for them: processes come and go, and what a
 * `commit` has answered is there after a `kill -9` of all of them.
 *
 * - open: from the function that opens it on.
 * - closed: every call rejects with `ERR_STORE_CLOSED`; no socket, timer or connection is left.
 *
 * A commit that rejects (`StoreError`) has changed nothing, or its connection was lost before the answer: then the
 * fence and the ids make it safe to ask again. An operation that cannot be carried out is answered `failed`, and its
 * neighbours are carried out. A store has no opinion about time: instants come in with the operations.
 */
import type { Priority, TaskState } from '../../machines/model.ts'
import type { AnswerTable, EnqueueOperation, StoreAnswer, StoreOperation } from './operations.ts'
import type {
  Backlog,
  DaemonRecord,
  LogEntry,
  Page,
  PageRequest,
  ScheduleRecord,
  TaskFilter,
} from './records.ts'
import type { TaskRecord } from './task-record.ts'

/** What engines differ in. */
export interface StoreCapabilities {
  readonly engine: string
  /** `within` takes part in a transaction of the caller's. */
  readonly transaction: boolean
  /** Shared by processes of several machines. */
  readonly manyHosts: boolean
  /** It works on several commits at a time. */
  readonly parallel: boolean
  /** The shortest lease that makes sense, in ms. */
  readonly minLeaseMs: number
}

/**
 * `work`: there may be something to claim, to end or to read for a daemon. `news`: tasks have changed their state
 * or their progress. A wake may be superfluous and may come late, but never is none.
 */
export type WakeTopic = 'work' | 'news'

/** What `doctor` is told. */
export interface StoreCheck {
  readonly ok: boolean
  /** A sentence each. */
  readonly problems: readonly string[]
  /** Facts to print: version of the engine and of the schema, size, journal. */
  readonly facts: Readonly<Record<string, string | number>>
}

export type CommitHow = 'together' | 'apart'

export interface Store {
  readonly capabilities: StoreCapabilities

  /**
   * Carries the operations out together, in order; answers in order, once they are durable. An operation that needs what an
   * open transaction of somebody else has locked is answered `failed` with `ERR_STORE_BUSY` after a short wait, and so is one
   * behind it that is about the same.
   *
   * @param how - `apart`: each by itself from the start, for those that were locked just now. Default: together
   */
  commit(operations: readonly StoreOperation[], how?: CommitHow): Promise<readonly StoreAnswer[]>

  /**
   * Enqueues inside of a transaction that the caller has begun on a connection of his own; rolled back, it never
   * happened. For SQLite the statements have run when this returns, so the caller need not await before he commits.
   */
  within?(transaction: unknown, operation: EnqueueOperation): Promise<AnswerTable['enqueue']>

  /** In the order of `ids`; `undefined` for those that are not there. */
  get(ids: readonly string[]): Promise<readonly (TaskRecord | undefined)[]>

  /** @param now - epoch ms: which of the waiting ones are due */
  list(filter: TaskFilter, page: PageRequest, now: number): Promise<Page<TaskRecord>>

  /** How many tasks are in each state, as they are called in public. */
  counts(now: number): Promise<Readonly<Record<Exclude<TaskState, 'created'>, number>>>

  /** What is due and waits for somebody who runs it, by band. @param now - epoch ms */
  backlog(now: number): Promise<Readonly<Record<Priority, Backlog>>>

  /** @param lookAt - only those that somebody has to look at by then, epoch ms */
  schedules(lookAt?: number): Promise<readonly ScheduleRecord[]>

  daemons(): Promise<readonly DaemonRecord[]>

  /** What was done to a task, oldest first; nothing for one that is not there. */
  log(id: string): Promise<readonly LogEntry[]>

  /** Calls `listener` when another process, or this one, has changed something. @returns how to end that */
  wake(topic: WakeTopic, listener: () => void): () => void

  check(): Promise<StoreCheck>

  /** Brings the schema to the newest version, under a lock. @returns versions before and after */
  migrate(): Promise<{ readonly from: number; readonly to: number }>

  close(): Promise<void>
}
