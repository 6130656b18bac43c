/** Entry `stateward/durable`: tasks that outlive processes, in a database that web processes and daemons share. */

export type { Clock } from '../../actors/clock.ts'
export type { LogAct, LogEntry } from '../../actors/store/records.ts'
export type { StoreCheck } from '../../actors/store/store.ts'
export type { KeyConflict } from '../../actors/store/task-record.ts'
export type { ScheduleOrigin, ScheduleOverlap } from '../../machines/schedule-policy.ts'
export type { Inspector, InspectorOptions } from '../inspector/inspector.ts'
export { serveQueueInspector } from '../inspector/serve-queue.ts'
export { createDaemon, type Daemon, type DaemonInfo, type DaemonState } from './daemon.ts'
export type { DaemonOptions, Retention } from './daemon-options.ts'
export type { EnqueueItem, EnqueueOptions } from './enqueue-options.ts'
export { openQueue, type QueueOptions } from './open-queue.ts'
export type {
  Queue,
  QueueCounts,
  QueuedTask,
  StoredTaskPage,
  TaskId,
  WaitOptions,
} from './queue.ts'
export type { DaemonStatus, QueueStatus } from './queue-status.ts'
export type { Schedule, ScheduleOptions, ScheduleState } from './schedule.ts'
export type { ScheduleTimes } from './schedule-rule.ts'
export type { StoredRunOptions } from './stored-options.ts'
export type { StoredError, StoredTask, StoredTaskState } from './stored-task.ts'
export type { StoredTaskFilter, StoredTaskQuery } from './task-query.ts'
export type { TaskSource } from './task-table.ts'
