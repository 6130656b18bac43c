/**
 * Stateward: a task supervisor for Node.js whose supervisor and tasks are statecharts.
 *
 * @packageDocumentation
 */
export type {
  AttemptHandle,
  AttemptLease,
  AttemptListener,
  ControlMethod,
  Executor,
  Job,
  RemoteCall,
  Settlement,
} from './actors/attempt.ts'
export type { Clock } from './actors/clock.ts'
export { next } from './actors/controls.ts'
export type { AnyDefinition, TaskCall, TypedDefinition } from './actors/definition.ts'
export type { ChildRun, ControlValue, HandlerContext, SupervisorControl } from './actors/handler-context.ts'
export type { ItemIterable } from './actors/item-source.ts'
export type { HandBackReason } from './actors/kept-run.ts'
export type { LastResult, ParameterFacts } from './actors/parameters.ts'
export type { CurrentRun } from './actors/run-scope.ts'
export type { Scheduler, SyncScheduler } from './actors/scheduler.ts'
export type { ChildKind } from './actors/supervised.ts'
export type { Progress } from './actors/task-run.ts'
export type { PiscinaLike } from './actors/thread-borrowed-pool.ts'
export type { Limits } from './machines/admission.ts'
export type { Backoff } from './machines/backoff.ts'
export type { ChildStopStep } from './machines/child.ts'
export type * from './machines/condition.ts'
export type { PeriodUnit } from './machines/condition-facts.ts'
export type { Missed } from './machines/missed.ts'
export type {
  Execution,
  Failure,
  FailureKind,
  Outcome,
  Priority,
  StopStep,
  TaskState,
  TerminationReason,
} from './machines/model.ts'
export type { Overlap } from './machines/overlap.ts'
export type { ChildExit, RestartType, Strategy } from './machines/restart.ts'
export type {
  OnFailure,
  RunCause,
  SkipReason,
  WhileBusy,
  WorkerExit,
  WorkerKind,
  WorkerState,
} from './machines/worker-model.ts'
export { type ChainInput, chain, type LastOutput, type OutputOf } from './runtime/chain.ts'
export type { ChildOptions, GroupOptions, SpawnOptions, SupervisionOptions } from './runtime/child-options.ts'
export type { Child, ChildCounts, ChildOwner, ChildRow, ChildState, Group } from './runtime/children.ts'
export {
  type Collection,
  type CollectionOptions,
  type CollectionResult,
  collection,
} from './runtime/collection.ts'
export type { ArgumentForm, CommandEnv, CommandLine, CommandLineOptions } from './runtime/command-line.ts'
export type { ConditionLike } from './runtime/condition-check.ts'
export { type WindowOptions, within } from './runtime/condition-window.ts'
export {
  type AfterOptions,
  after,
  all,
  any,
  type CountOptions,
  condition,
  count,
  crontime,
  daily,
  every,
  hourly,
  minutely,
  monthly,
  not,
  type OnceOptions,
  type RunningOptions,
  retry,
  running,
  weekly,
  yearly,
} from './runtime/conditions.ts'
export { defaultSupervisor } from './runtime/default-supervisor.ts'
export { type CommandOptions, type CommandResult, defineCommand } from './runtime/define-command.ts'
export {
  defineTask,
  type SchemaTaskOptions,
  type TaskDefinition,
  type TaskGroup,
  type TaskOptions,
  type TaskOutput,
} from './runtime/define-task.ts'
export {
  CommandError,
  type CommandFacts,
  DeadlineError,
  type ErrorFacts,
  isStatewardError,
  LockTimeoutError,
  OptionError,
  QueueError,
  QueueTimeoutError,
  RunTimeoutError,
  StatewardError,
  SupervisionError,
  SupervisorStateError,
  TaskCancelledError,
  TaskFailedError,
  TaskTerminatedError,
  WaitTimeoutError,
  WorkerError,
} from './runtime/errors.ts'
export type { EventStream, EventStreamOptions } from './runtime/event-stream.ts'
export {
  type AnyEvent,
  type ChildEventBase,
  type DaemonEventBase,
  EVENT_NAMES,
  type EventBase,
  type EventListener,
  type EventName,
  type LoopEventBase,
  type RecordedEvent,
  type SupervisorEvents,
  type TaskEnded,
  type TaskEventBase,
  type WorkerEventBase,
} from './runtime/events.ts'
export type { ExternalTask } from './runtime/external.ts'
export { fromTask, type TaskProgressEvent } from './runtime/from-task.ts'
export type { PhysicalInfo, PoolInfo, SupervisorInfo } from './runtime/info.ts'
export type { Inspector, InspectorOptions } from './runtime/inspector/inspector.ts'
export type { LifecycleTask } from './runtime/lifecycle-tasks.ts'
export { type Lock, lock } from './runtime/lock.ts'
export type { Loop, LoopState } from './runtime/loop.ts'
export type { LoopOptions } from './runtime/loop-options.ts'
export type { LoopInfo } from './runtime/loops.ts'
export type { LockHold, LockHolder, LockOptions, LockTimeout } from './runtime/named-lock.ts'
export { lastResult } from './runtime/parameters.ts'
export { type PreviewOptions, preview } from './runtime/preview.ts'
export type { PutOptions, QueueExit, QueueInfo, QueueWorker } from './runtime/queue-handle.ts'
export type { QueueOverrides, QueueSizes, QueueWorkerOptions } from './runtime/queue-options.ts'
export type { Run } from './runtime/run.ts'
export { type RunContext, runContext } from './runtime/run-context.ts'
export type { CronSchedule, RruleSchedule } from './runtime/schedule-options.ts'
export type { RegisterOptions, RegisterSyncOptions, SchedulersInfo } from './runtime/schedulers.ts'
export type { StopOptions } from './runtime/stop-options.ts'
export type { StoppedChild, StopReport } from './runtime/stop-report.ts'
export {
  createSupervisor,
  type ListFilter,
  type Supervisor,
  type SupervisorState,
} from './runtime/supervisor.ts'
export {
  type SupervisorLogicEvent,
  type SupervisorLogicSnapshot,
  supervisorLogic,
} from './runtime/supervisor-logic.ts'
export type {
  PoolOptions,
  ProcessesOptions,
  ResizeOptions,
  SupervisorOptions,
} from './runtime/supervisor-options.ts'
export type { TaskAction, TaskLogQuery, TaskLogStore, TaskRecord } from './runtime/task-log.ts'
export type { RetryFacts, RetryOptions, RunOptions, SubmitOptions } from './runtime/task-options.ts'
export { waitAll } from './runtime/wait-all.ts'
export type {
  CalendarWorker,
  CronWorker,
  EventWorker,
  IntervalWorker,
  PlainWorker,
  RruleWorker,
  TriggerOptions,
  Worker,
  WorkerInfo,
  WorkerStopOptions,
} from './runtime/worker-handle.ts'
export type {
  CalendarOptions,
  CronOverrides,
  CronWorkerOptions,
  EventOverrides,
  EventWorkerOptions,
  IntervalOverrides,
  IntervalSteps,
  IntervalTimes,
  IntervalWorkerOptions,
  OccurrenceOptions,
  PlainWorkerOptions,
  RruleOverrides,
  RruleWorkerOptions,
  WorkerBase,
  WorkerBehaviour,
  WorkerHookContext,
  WorkerHookOptions,
  WorkerInput,
  WorkerRunContext,
  WorkerWork,
} from './runtime/worker-options.ts'
export type { Workers } from './runtime/workers.ts'
