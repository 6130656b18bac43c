/**
 * The port between HTTP and whatever has the tasks: a durable queue, or a supervisor of this process. What a source cannot
 * do it leaves out, and its routes are not there.
 *
 * The source is authoritative; nothing of it is kept here. Calls that reject with an `OptionError` have changed nothing.
 */
import type { Clock } from '../../actors/clock.ts'
import type { AnyDefinition } from '../../actors/definition.ts'
import type { LogEntry } from '../../actors/store/records.ts'
import type { Checks } from '../check.ts'
import type { EnqueueOptions } from '../durable/enqueue-options.ts'
import type { QueueCounts, QueuedTask, StoredTaskPage } from '../durable/queue.ts'
import type { Schedule, ScheduleOptions } from '../durable/schedule.ts'
import type { StoredTask } from '../durable/stored-task.ts'
import type { StoredTaskQuery } from '../durable/task-query.ts'

export interface TaskService {
  readonly clock: Clock
  /** What can be said of a task when it is submitted. */
  readonly body: Checks
  readonly statusSchema: 'QueueStatus' | 'SupervisorStatus'
  get(ids: readonly string[]): Promise<readonly (StoredTask | undefined)[]>
  /** @throws OptionError for a wrong query */
  list(query: StoredTaskQuery): Promise<StoredTaskPage>
  counts(): Promise<QueueCounts>
  /** @throws OptionError for a wrong input or option */
  submit(definition: AnyDefinition, input: unknown, options: EnqueueOptions): Promise<QueuedTask>
  /** @throws OptionError (`ERR_RUN_UNKNOWN`, `ERR_RUN_STATE`) */
  cancel(id: string, reason: string | undefined): Promise<'cancelled' | 'asked'>
  /** What there is to know of the whole: who works, how much waits. As `statusSchema` says. */
  status(): Promise<object>
  /** Whether tasks that are taken here can be run, in words when not. */
  readiness(): Promise<string | undefined>
  /** Calls `listener` when something may have changed. @returns how to end that */
  news(listener: () => void): () => void

  readonly durable: DurableActs | undefined
}

/** What only tasks that outlive processes have. All throw `OptionError` with `ERR_RUN_UNKNOWN` and `ERR_RUN_STATE`. */
export interface DurableActs {
  retry(id: string, options: { readonly runAt?: number | Date }): Promise<void>
  move(id: string, runAt: number | Date): Promise<void>
  remove(id: string): Promise<void>
  log(id: string): Promise<readonly LogEntry[]>
  schedules(): Promise<readonly Schedule[]>
  /** @throws OptionError for a wrong rule or input */
  schedule(
    name: string,
    definition: AnyDefinition,
    input: unknown,
    options: ScheduleOptions,
  ): Promise<Schedule>
  unschedule(name: string): Promise<boolean>
}
