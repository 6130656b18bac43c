/**
 * `stateward/machines`: the pure statecharts and policies, for drawing, inspecting and model-based tests.
 *
 * @packageDocumentation
 */
export { admits, type Limits, laneLimits, openBands, threshold } from './admission.ts'
export { BACKOFF_DEFAULTS, type Backoff, backoffMs } from './backoff.ts'
export type { Chart, ChartCall, ChartInvoke, ChartState, ChartTransition } from './chart.ts'
export {
  type ChildContext,
  type ChildEffect,
  type ChildEvent,
  type ChildFact,
  type ChildSequel,
  type ChildStopStep,
  childMachine,
} from './child.ts'
export {
  type ChildEnded,
  type ChildGroupContext,
  type ChildGroupEffect,
  type ChildGroupEvent,
  type ChildGroupFact,
  type ChildGroupInput,
  childGroupMachine,
  type EndedChild,
  type GroupFailure,
} from './child-group.ts'
export { type CompiledLogic, compile, type Execute, type SnapshotOf } from './compile.ts'
export { UnsupportedMachineError } from './compile-refusal.ts'
export * from './condition.ts'
export type {
  ConditionOwner,
  FactKind,
  Facts,
  OpenState,
  Order,
  PeriodUnit,
  Stamp,
} from './condition-facts.ts'
export { evaluate, nextChangeAt } from './condition-judge.ts'
export { conditionText } from './condition-text.ts'
export { cronWorkerMachine } from './cron-worker.ts'
export {
  type DaemonContext,
  type DaemonEffect,
  type DaemonEvent,
  type DaemonFact,
  type DaemonStopPlan,
  daemonMachine,
} from './daemon.ts'
export {
  type DueTimer,
  inheritDeadline,
  nextQueueTimer,
  nextRunTimer,
  nextWaitTimer,
  type QueueClocks,
  type QueueTimer,
  type TaskTimer,
} from './deadlines.ts'
export { eventWorkerMachine } from './event-worker.ts'
export { intervalWorkerMachine } from './interval-worker.ts'
export {
  type LeaseKeeperEffect,
  type LeaseKeeperEvent,
  type LeaseKeeperFact,
  leaseKeeperMachine,
} from './lease-keeper.ts'
export { type LoopEffect, type LoopEvent, loopMachine } from './loop.ts'
export { machineJson } from './machine-json.ts'
export {
  dueOf,
  forgottenOf,
  type Grid,
  type Look,
  lookAtGrid,
  MISSED,
  type Missed,
  owedFor,
} from './missed.ts'
export * from './model.ts'
export { type OutboxEffect, type OutboxEvent, outboxMachine } from './outbox.ts'
export { NO_BOUNDS, type OverdueReason, overdueOf, type Wait, type WaitBounds } from './overdue.ts'
export { OVERLAPS, type Overlap, type OverlapAct, onOverlap } from './overlap.ts'
export { plainWorkerMachine } from './plain-worker.ts'
export { AHEAD_MS, NO_PACE, nextPace, type Pace, type PaceSample } from './prefetch.ts'
export { type ProcessSlotEvent, processSlotMachine } from './process-slot.ts'
export { queueWorkerMachine } from './queue-worker.ts'
export {
  admitsRestart,
  affectedRange,
  type ChildExit,
  type Decision,
  decide,
  nextStreak,
  noteRestart,
  RESTART_TYPES,
  type RestartAccount,
  type RestartLimits,
  type RestartType,
  STRATEGIES,
  type Strategy,
} from './restart.ts'
export { type AttemptEnd, mayRetry } from './retry.ts'
export { rruleWorkerMachine } from './rrule-worker.ts'
export {
  lookAtSchedule,
  type NextOccurrence,
  type OwedStretch,
  SCHEDULE_ORIGINS,
  SCHEDULE_OVERLAPS,
  type ScheduleFacts,
  type ScheduleOrigin,
  type ScheduleOverlap,
  type SchedulePolicy,
  type ScheduleState,
  type ScheduleStep,
} from './schedule-policy.ts'
export { type SchedulerEffect, type SchedulerEvent, schedulerMachine } from './scheduler.ts'
export {
  ENDED_STATES,
  type EndedState,
  publicState,
  type StoredLife,
  type StoredPhase,
  type StoredState,
  type StoredTaskEvent,
  storedTaskMachine,
} from './stored-task.ts'
export {
  type StopPlan,
  type SupervisorContext,
  type SupervisorEffect,
  type SupervisorEvent,
  type SupervisorFact,
  supervisorMachine,
} from './supervisor.ts'
export { taskMachine } from './task.ts'
export type { TaskContext, TaskEffect, TaskEvent, TaskFact, TaskInput } from './task-model.ts'
export { type ThreadSlotEvent, threadSlotMachine } from './thread-slot.ts'
export { type Skipped, WORKER_DEFAULTS } from './worker-life.ts'
export {
  type Block,
  type OnFailure,
  type OnStop,
  type RunCause,
  type RunEnd,
  type SkipReason,
  type Slots,
  type TickOccasion,
  type WhileBusy,
  WORKER_STATES,
  type WorkerContext,
  type WorkerEffect,
  type WorkerEvent,
  type WorkerExit,
  type WorkerFact,
  type WorkerKind,
  type WorkerSettings,
  type WorkerState,
} from './worker-model.ts'
