/** The supervisor: the public face. What answers its calls is live-supervisor.ts. */
import type { AnyActorRef } from 'xstate'
import type { AnyDefinition, TaskCall, TypedDefinition } from '../actors/definition.ts'
import type { Scheduler, SyncScheduler } from '../actors/scheduler.ts'
import type { TaskState } from '../machines/model.ts'
import type { Child, ChildOwner } from './children.ts'
import type { ConditionLike } from './condition-check.ts'
import type { TaskGroup } from './define-task.ts'
import { SupervisorStateError } from './errors.ts'
import type { EventStream, EventStreamOptions } from './event-stream.ts'
import type { AnyEvent, EventListener, EventName } from './events.ts'
import type { ExternalTask } from './external.ts'
import type { SupervisorInfo } from './info.ts'
import type { Inspector, InspectorOptions } from './inspector/inspector.ts'
import { LiveSupervisor } from './live-supervisor.ts'
import type { Loop } from './loop.ts'
import type { LoopOptions } from './loop-options.ts'
import type { Run } from './run.ts'
import type { RegisterOptions, RegisterSyncOptions } from './schedulers.ts'
import type { StopOptions } from './stop-options.ts'
import type { StopReport } from './stop-report.ts'
import { checkSupervisorOptions, type ResizeOptions, type SupervisorOptions } from './supervisor-options.ts'
import type { TaskAction, TaskLogQuery, TaskRecord } from './task-log.ts'
import type { SubmitOptions } from './task-options.ts'
import type { Workers } from './workers.ts'

/** Filter of {@link Supervisor.list}. */
export interface ListFilter {
  readonly state?: TaskState
  readonly name?: string
}

/** States of a supervisor; see `supervisorMachine`. */
export type SupervisorState =
  | 'idle'
  | 'starting'
  | 'running'
  | 'paused'
  | 'draining'
  | 'stopping'
  | 'stopped'
  | 'failed'

/** Runs tasks: admits them by priority, watches their deadlines, ends them, and stops as a whole. */
export interface Supervisor extends AsyncDisposable, ChildOwner {
  readonly id: string
  readonly state: SupervisorState
  /** The root of the actor system: supervisor → tasks → one actor per run, supervisor → children → …. */
  readonly actor: AnyActorRef
  /**
   * Warms threads and processes, reads the task log, starts the children in order, admits. Resolves at once when it
   * runs already.
   *
   * @throws SupervisorStateError (`ERR_SUPERVISOR_START_FAILED`, `ERR_SUPERVISOR_STATE`)
   */
  start(): Promise<void>
  /**
   * Stops everything within a bound: children in reverse order, runs, loops, threads and processes. Resolves when
   * nothing is left, with what it took. Accepted in every state.
   */
  stop(options?: StopOptions): Promise<StopReport>
  /**
   * Resolves when it has stopped, rejects when it has failed: it could not start, or its children failed too often
   * (SupervisionError, `ERR_RESTART_INTENSITY`). A new start makes a new promise. Nobody need look at it.
   */
  readonly closed: Promise<void>
  /**
   * Registers a scheduler of one's own: its `loop(signal)` runs while the supervisor does, on its event loop.
   * One that is registered before the start is started with it.
   *
   * @throws OptionError for a bad scheduler or option (`ERR_CHILD_ID_TAKEN`, `ERR_SCHEDULER_REGISTERED` among them);
   *   SupervisorStateError (`ERR_SUPERVISOR_STOPPED`)
   */
  register(scheduler: Scheduler, options?: RegisterOptions): Child
  /** Registers one that runs by itself elsewhere: only its `stop()` is called. @throws as `register` does */
  registerSync(scheduler: SyncScheduler, options?: RegisterSyncOptions): Child
  /**
   * Ends a registered scheduler, given by its name or itself, and forgets it. Resolves when it has ended, or its
   * `shutdownMs` are over.
   *
   * @throws OptionError (`ERR_SCHEDULER_UNKNOWN`)
   */
  unregister(scheduler: string | Scheduler | SyncScheduler): Promise<void>
  /** Makes and finds workers: what produces runs by time, by trigger or again and again. */
  readonly workers: Workers
  /** Admits nothing until `resume`; what runs goes on. */
  pause(): void
  resume(): void
  /** Resolves when it has stopped, rejects with the reason when it has failed. */
  block(): Promise<void>
  /** Resolves when no run is live: at once when there is none. New runs may come afterwards. */
  idle(): Promise<void>
  /**
   * Submits a run. It is admitted before this returns if it may be; its handler begins in a microtask, or,
   * when handlers have had the event loop for some milliseconds, in its next turn.
   *
   * @throws OptionError when the call is wrong; SupervisorStateError (`ERR_SUPERVISOR_STOPPED`)
   */
  submit<Input, Output>(
    definition: TypedDefinition<Input, Output>,
    ...rest: undefined extends Input
      ? [input?: Input, options?: SubmitOptions]
      : [input: Input, options?: SubmitOptions]
  ): Run<Output>
  /** @param options - over those of the call */
  submit<Input, Output>(call: TaskCall<Input, Output>, options?: SubmitOptions): Run<Output>
  /** Submits a task whose work goes on elsewhere; `complete` or `fail` ends it. */
  submitExternal<Output = unknown>(task: ExternalTask): Run<Output>
  /** @throws OptionError (`ERR_EXTERNAL_UNKNOWN`) when the run does not wait for a report */
  complete(id: string, value?: unknown): void
  /** @throws OptionError (`ERR_EXTERNAL_UNKNOWN`) when the run does not wait for a report */
  fail(id: string, error: unknown): void
  /** Changes sizes while it runs, both ways; what is omitted keeps its value. Pre-empts nothing. */
  resize(options: ResizeOptions): void
  /**
   * Serves a page that shows in a browser what runs, why it waits and how it ends; with the token it cancels and retries,
   * too. It costs nothing while nobody looks. Open until the supervisor has stopped or failed.
   *
   * @throws OptionError for a bad option; StatewardError (`ERR_LISTEN_FAILED`) when it cannot listen there;
   *   SupervisorStateError (`ERR_SUPERVISOR_STOPPED`) when the supervisor stops meanwhile
   */
  serveInspector(options?: InspectorOptions): Promise<Inspector>
  /** Debug mode on or off: a log line for every event and every step of every machine. */
  debug(on: boolean): void
  /**
   * Terminates every live run of the definition, or of the definitions of the group, with reason `demanded`.
   *
   * @returns how many
   * @throws OptionError for what is neither
   */
  terminateAll(target: AnyDefinition | TaskGroup): number
  /**
   * Stops when the condition turns true while it runs. `after(task)` in it means: since the start. One that throws is
   * reported and counts as false.
   *
   * @returns a function that takes the condition away again
   * @throws OptionError for what is no condition, or one that says when a task may start
   */
  shutdownWhen(condition: ConditionLike): () => void
  info(): SupervisorInfo
  /**
   * Makes a named event loop in a thread of its own. It starts with the supervisor, or now if that runs.
   *
   * @throws OptionError (`ERR_LOOP_NAME_TAKEN`, `ERR_CHILD_ID_TAKEN`) when the name is that of another loop or child, or reserved;
   *   SupervisorStateError (`ERR_SUPERVISOR_STOPPED`) while it stops
   */
  createLoop(name: string, options?: LoopOptions): Loop
  /** The loop of this name, the default loop without one. @throws OptionError (`ERR_LOOP_UNKNOWN`) */
  getLoop(name?: string): Loop
  /** Which loop `loop: 'default'` means from now on. @throws OptionError (`ERR_LOOP_UNKNOWN`) */
  setDefaultLoop(name: string): void
  /** Resolves when it is up; at once before `start()`, with which it starts. */
  startLoop(name: string): Promise<void>
  /** Ends what runs on it within the bound, then its thread. Submissions to it are refused from now on. */
  stopLoop(name: string, options?: StopOptions): Promise<void>
  /** Stops it and forgets it: its name is free again. */
  removeLoop(name: string, options?: StopOptions): Promise<void>
  /** A live run, or one of the last that ended (`keep`). */
  get(id: string): Run | undefined
  /** Live runs and the last that ended, oldest first. */
  list(filter?: ListFilter): Run[]
  /** Records of the task log, oldest first. */
  records(query?: TaskLogQuery): TaskRecord[]
  /** When the definition last had each action (epoch ms). */
  last(name: string): ReadonlyMap<TaskAction, number>
  /** @returns a function that takes the listener away again */
  on<Name extends EventName>(type: Name, listener: EventListener<Name>): () => void
  on(type: '*', listener: (...event: AnyEvent) => void): () => void
  /** Events as an async iterator with a bounded buffer. */
  events(options?: EventStreamOptions): EventStream
}

/**
 * Makes a supervisor. Nothing runs before `start()`; submissions wait as queued.
 *
 * @throws OptionError for a bad option; SupervisorStateError (`ERR_SUPERVISOR_IN_TASK`) while a thread
 *   or process loads a task module: there it would make threads without end
 */
export function createSupervisor(options: SupervisorOptions = {}): Supervisor {
  checkSupervisorOptions(options)
  const loading = (globalThis as { [LOADING]?: string })[LOADING]
  if (loading !== undefined) {
    throw new SupervisorStateError(
      `A supervisor was made while the module of task "${loading}" was loaded in a thread or process. ` +
        'Keep definitions in a module of their own, apart from the program that makes the supervisor.',
      { code: 'ERR_SUPERVISOR_IN_TASK', taskName: loading },
    )
  }
  return new LiveSupervisor(options)
}

const LOADING: unique symbol = Symbol.for('stateward.loading') as never
