/** What the task pool needs from outside: wired by the runtime. */
import type { Logger } from 'pino'
import type { AnyActorRef } from 'xstate'
import type { TaskEvent, TaskFact } from '../machines/task-model.ts'
import type { ControlMethod, Executor, RemoteCall } from './attempt.ts'
import type { Clock } from './clock.ts'
import type { TaskCall } from './definition.ts'
import type { DefinitionEntry } from './definition-entry.ts'
import type { ChildRun, SupervisorControl } from './handler-context.ts'
import type { ParameterValues } from './parameters.ts'
import type { RunPlan, TaskRun } from './task-run.ts'
import type { RunTracing } from './tracing/run-tracing.ts'

export interface Continuation {
  readonly entry: DefinitionEntry
  readonly input: unknown
  readonly plan: RunPlan
}

/** No port may throw; what users plugged in behind one is isolated there. */
export interface PoolPorts {
  readonly supervisorId: string
  readonly clock: Clock
  /** What runs the attempts of `run`; `undefined`: this event loop. */
  executorFor(run: TaskRun): Pick<Executor, 'start'> | undefined
  /** The supervisor as the handler of `run`, on this loop, sees it. */
  controlFor(run: TaskRun): SupervisorControl
  /** 0 ≤ r < 1. */
  random(): number
  /** Who traces runs, if anybody does. */
  readonly tracing: RunTracing | undefined
  /** The values for the attempt that begins. Throws when one cannot be made. */
  parametersFor(run: TaskRun): ParameterValues
  /** An event that a run which could be admitted gets instead of its admission. */
  instead(run: TaskRun): TaskEvent | undefined
  /** A continuation is about to move the run to another definition. */
  moving(run: TaskRun): void
  created(run: TaskRun): void
  announce(run: TaskRun, fact: TaskFact): void
  progressed(run: TaskRun): void
  /** The run has its outcome. */
  settled(run: TaskRun): void
  /** A run on this loop, or on one that others share with it, was given up while its handler goes on. */
  abandoned(run: TaskRun): void
  /** An abandoned handler has ended after all; its result is dropped. */
  abandonedEnded(run: TaskRun): void
  /** The XState actor of a run, made now if need be. */
  actorOf(run: TaskRun): AnyActorRef
  /** No live run is left. */
  drained(): void
  /** The typed error that `ctx.signal.reason` shows. */
  stopReason(run: TaskRun): unknown
  logger(run: TaskRun): Logger
  /** A record that the logger of a thread or process wrote. */
  logRecord(run: TaskRun, record: { level: number; msg?: string }): void
  /** A child submission from a handler. Throws what a submission throws. */
  submitChild(parent: TaskRun, definition: unknown, input: unknown, options: unknown): ChildRun
  /** A control call from a thread or process. */
  call(run: TaskRun, method: ControlMethod, args: unknown): Promise<unknown>
  /** What a `ctx.next` continues with. Rejects or throws when the call cannot be continued. */
  continuation(run: TaskRun, call: RemoteCall | TaskCall): Promise<Continuation> | Continuation
}
