/** The supervisor: the public face. Its parts are joined in wire.ts, its life is machines/supervisor.ts. */
import { type AnyActorRef, waitFor } from 'xstate'
import {
  type AnyDefinition,
  isDefinition,
  type TaskCall,
  type TypedDefinition,
} from '../actors/definition.ts'
import type { TaskRun } from '../actors/task-run.ts'
import { TASK_STATES, type TaskState } from '../machines/model.ts'
import { type Checks, check, checkOptions, refuse } from './check.ts'
import { type StatewardError, SupervisorStateError } from './errors.ts'
import { EventStream, type EventStreamOptions } from './event-stream.ts'
import { type AnyEvent, EVENT_NAMES, type EventListener, type EventName } from './events.ts'
import { type ExternalTask, ExternalTasks } from './external.ts'
import { countRuns, physicalInfo, poolInfo, type SupervisorInfo } from './info.ts'
import type { Run } from './run.ts'
import { checkStopOptions, planStop, type StopOptions } from './stop-options.ts'
import {
  checkSupervisorOptions,
  type ResizeOptions,
  resizeChecks,
  type SupervisorOptions,
} from './supervisor-options.ts'
import type { TaskAction, TaskLogQuery, TaskRecord } from './task-log.ts'
import type { SubmitOptions } from './task-options.ts'
import { type SupervisorParts, wire } from './wire.ts'

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
export interface Supervisor extends AsyncDisposable {
  readonly id: string
  readonly state: SupervisorState
  /** The root of the actor system: supervisor → tasks → one actor per run. */
  readonly actor: AnyActorRef
  /**
   * Warms threads and processes, reads the task log, admits. Resolves at once when it runs already.
   *
   * @throws SupervisorStateError (`ERR_SUPERVISOR_START_FAILED`, `ERR_SUPERVISOR_STATE`)
   */
  start(): Promise<void>
  /** Stops everything within a bound; resolves when nothing is left. Accepted in every state. */
  stop(options?: StopOptions): Promise<void>
  /** Admits nothing until `resume`; what runs goes on. */
  pause(): void
  resume(): void
  /** Resolves when it has stopped. */
  block(): Promise<void>
  /** Resolves when no run is live: at once when there is none. New runs may come afterwards. */
  idle(): Promise<void>
  /**
   * Submits a run. It is admitted before this returns if it may be; its handler begins in a microtask.
   *
   * @throws OptionError when the call is wrong; SupervisorStateError (`ERR_SUPERVISOR_STOPPED`)
   */
  submit<Input, Output>(
    definition: TypedDefinition<Input, Output>,
    ...rest: undefined extends Input
      ? [input?: Input, options?: SubmitOptions]
      : [input: Input, options?: SubmitOptions]
  ): Run<Output>
  submit<Input, Output>(call: TaskCall<Input, Output>): Run<Output>
  /** Submits a task whose work goes on elsewhere; `complete` or `fail` ends it. */
  submitExternal<Output = unknown>(task: ExternalTask): Run<Output>
  /** @throws OptionError (`ERR_EXTERNAL_UNKNOWN`) when the run does not wait for a report */
  complete(id: string, value?: unknown): void
  /** @throws OptionError (`ERR_EXTERNAL_UNKNOWN`) when the run does not wait for a report */
  fail(id: string, error: unknown): void
  /** Changes sizes while it runs, both ways; what is omitted keeps its value. Pre-empts nothing. */
  resize(options: ResizeOptions): void
  info(): SupervisorInfo
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

const recordsChecks: Checks = {
  name: check.text,
  runId: check.text,
  action: check.oneOf('run', 'success', 'fail', 'terminate', 'inaction', 'crash'),
  since: check.instant,
  limit: check.count(0),
}

const LOADING: unique symbol = Symbol.for('stateward.loading') as never

class LiveSupervisor implements Supervisor {
  readonly #parts: SupervisorParts
  readonly #external: ExternalTasks = new ExternalTasks()

  constructor(options: SupervisorOptions) {
    this.#parts = wire(options, this)
  }

  get id(): string {
    return this.#parts.id
  }

  get state(): SupervisorState {
    return this.#parts.actor.state as SupervisorState
  }

  get actor(): AnyActorRef {
    return this.#parts.actor.actor
  }

  start(): Promise<void> {
    const started = this.#start()
    // Somebody who only stops it need not have awaited this.
    started.catch(() => {})
    return started
  }

  async #start(): Promise<void> {
    const { actor } = this.#parts.actor
    if (this.state === 'running' || this.state === 'paused') return
    if (this.state === 'draining' || this.state === 'stopping') {
      throw this.#wrongState('start()', 'Wait for stop() to resolve first.')
    }
    actor.send({ type: 'supervisor.start' })
    const { context } = await waitFor(actor, (snapshot) => !snapshot.matches('starting'))
    const state: SupervisorState = actor.getSnapshot().value as SupervisorState
    if (state === 'running' || state === 'paused') return
    const failed = state === 'failed'
    throw new SupervisorStateError(
      failed
        ? `Supervisor ${this.id} could not start: ${String(context.error)}`
        : `Supervisor ${this.id} was stopped while it started`,
      { code: failed ? 'ERR_SUPERVISOR_START_FAILED' : 'ERR_SUPERVISOR_STOPPED', cause: context.error },
    )
  }

  async stop(options: StopOptions = {}): Promise<void> {
    checkStopOptions(options)
    const { actor, clock, defaultGraceMs } = this.#parts
    actor.actor.send({ type: 'supervisor.stop', plan: planStop(options, clock.monotonic(), defaultGraceMs) })
    await waitFor(actor.actor, (snapshot) => snapshot.matches('stopped'))
  }

  pause(): void {
    if (this.state === 'paused') return
    if (this.state !== 'running') throw this.#wrongState('pause()')
    this.#parts.actor.actor.send({ type: 'supervisor.pause' })
  }

  resume(): void {
    if (this.state === 'running') return
    if (this.state !== 'paused') throw this.#wrongState('resume()')
    this.#parts.actor.actor.send({ type: 'supervisor.resume' })
  }

  async block(): Promise<void> {
    await waitFor(this.#parts.actor.actor, (snapshot) => snapshot.matches('stopped'))
  }

  idle(): Promise<void> {
    return this.#parts.idle.wait()
  }

  submit<Output>(task: AnyDefinition | TaskCall, input?: unknown, options?: SubmitOptions): Run<Output> {
    this.#requireOpen()
    const { submissions, handleOf } = this.#parts
    if (isDefinition(task)) return handleOf(submissions.submit(task, input, options)) as Run<Output>
    const call: TaskCall | null | undefined = task
    if (!isDefinition(call?.definition))
      refuse('submit()', 'given a definition made by defineTask(), or a call of one', task)
    return handleOf(submissions.submit(call.definition, call.input, call.options)) as Run<Output>
  }

  submitExternal<Output>(task: ExternalTask): Run<Output> {
    return this.#external.submit(task, (definition, start, options) =>
      this.submit(definition as never, start, options),
    ) as Run<Output>
  }

  complete(id: string, value?: unknown): void {
    this.#external.complete(id, value)
  }

  fail(id: string, error: unknown): void {
    this.#external.fail(id, error)
  }

  resize(options: ResizeOptions): void {
    checkOptions('resize()', options, resizeChecks)
    const { sizing, pool, executors, reporter } = this.#parts
    sizing.merge(options)
    const { state } = this
    sizing.apply(pool, executors, state !== 'idle' && state !== 'stopped' && state !== 'failed')
    reporter.emit('pool.resized', { pool: sizing.pool.limits, processes: sizing.processes.limits })
  }

  info(): SupervisorInfo {
    const { pool, sizing, executors, ports } = this.#parts
    return {
      id: this.id,
      state: this.state,
      pool: poolInfo(pool.pool),
      processes: poolInfo(pool.processes),
      threads: physicalInfo(executors.thread, sizing.pool.min, sizing.pool.lane.max),
      children: physicalInfo(executors.process, sizing.processes.min, sizing.processes.lane.max),
      runs: countRuns(pool, ports.counts),
      abandoned: ports.abandoned,
    }
  }

  get(id: string): Run | undefined {
    const { pool, handleOf } = this.#parts
    const run = pool.registry.get(id)
    return run === undefined ? undefined : handleOf(run)
  }

  list(filter: ListFilter = {}): Run[] {
    checkOptions('list()', filter, { state: check.oneOf(...TASK_STATES), name: check.text })
    const { pool, handleOf } = this.#parts
    const matches = (run: TaskRun): boolean =>
      (filter.state === undefined || run.state === filter.state) &&
      (filter.name === undefined || run.definition.name === filter.name)
    return [...pool.registry.ended(), ...pool.registry.live()].filter(matches).map(handleOf)
  }

  records(query: TaskLogQuery = {}): TaskRecord[] {
    checkOptions('records()', query, recordsChecks)
    return this.#parts.taskLog.query(query)
  }

  last(name: string): ReadonlyMap<TaskAction, number> {
    return this.#parts.taskLog.last(name)
  }

  on<Name extends EventName>(type: Name, listener: EventListener<Name>): () => void
  on(type: '*', listener: (...event: AnyEvent) => void): () => void
  on(type: EventName | '*', listener: EventListener<never> | ((...event: AnyEvent) => void)): () => void {
    check.oneOf(...EVENT_NAMES, '*')('on(type)', type)
    check.fn('on(…, listener)', listener)
    return this.#parts.hub.on(type, listener as never)
  }

  events(options: EventStreamOptions = {}): EventStream {
    checkOptions('events()', options, { buffer: check.count(1) })
    const { buffer = 1_000 } = options
    const { hub } = this.#parts
    return new EventStream((push) => hub.on('*', (type, payload) => push({ type, payload } as never)), buffer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #requireOpen(): void {
    const { state } = this
    if (state !== 'draining' && state !== 'stopping' && state !== 'stopped') return
    throw new SupervisorStateError(`Supervisor ${this.id} is ${state}: it accepts no submission.`, {
      code: 'ERR_SUPERVISOR_STOPPED',
    })
  }

  #wrongState(call: string, hint = ''): StatewardError {
    return new SupervisorStateError(
      `${call} is not possible while supervisor ${this.id} is ${this.state}. ${hint}`.trim(),
      {
        code: 'ERR_SUPERVISOR_STATE',
      },
    )
  }
}
