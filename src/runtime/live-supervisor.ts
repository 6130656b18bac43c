/** The supervisor at work: answers calls by its parts, which wire.ts joins. Its life is machines/supervisor.ts. */
import { type ActorRefFrom, type AnyActorLogic, type AnyActorRef, type SnapshotFrom, waitFor } from 'xstate'
import {
  type AnyDefinition,
  isDefinition,
  type TaskCall,
  type TypedDefinition,
} from '../actors/definition.ts'
import type { Scheduler, SyncScheduler } from '../actors/scheduler.ts'
import type { ChildSpec } from '../actors/supervised.ts'
import type { TaskRun } from '../actors/task-run.ts'
import { TASK_STATES } from '../machines/model.ts'
import type { supervisorMachine } from '../machines/supervisor.ts'
import { type Checks, check, checkOptions, refuse } from './check.ts'
import type { GroupOptions, SpawnOptions } from './child-options.ts'
import { type Child, type ChildCounts, type ChildRow, Children, type Group } from './children.ts'
import type { ConditionLike } from './condition-check.ts'
import type { TaskDefinition, TaskGroup } from './define-task.ts'
import { type StatewardError, SupervisorStateError } from './errors.ts'
import { EventStream, type EventStreamOptions } from './event-stream.ts'
import { type AnyEvent, EVENT_NAMES, type EventListener, type EventName } from './events.ts'
import { type ExternalTask, ExternalTasks } from './external.ts'
import { countRuns, physicalInfo, poolInfo, type SupervisorInfo } from './info.ts'
import type { Inspector, InspectorOptions } from './inspector/inspector.ts'
import type { Loop } from './loop.ts'
import type { LoopOptions } from './loop-options.ts'
import { REFUSES_OTHERS } from './refusing.ts'
import type { Run } from './run.ts'
import type { RegisterOptions, RegisterSyncOptions } from './schedulers.ts'
import { checkStopOptions, planStop, type StopOptions } from './stop-options.ts'
import type { StopReport } from './stop-report.ts'
import type { KeptFacts } from './submissions.ts'
import type { ListFilter, Supervisor, SupervisorState } from './supervisor.ts'
import { noteSupervisor } from './supervisor-access.ts'
import { type ResizeOptions, resizeChecks, type SupervisorOptions } from './supervisor-options.ts'
import type { TaskAction, TaskLogQuery, TaskRecord } from './task-log.ts'
import { overCall, type SubmitOptions } from './task-options.ts'
import { type SupervisorParts, wire } from './wire.ts'
import type { Workers } from './workers.ts'

const recordsChecks: Checks = {
  name: check.text,
  runId: check.text,
  action: check.oneOf('run', 'success', 'fail', 'terminate', 'inaction', 'crash'),
  since: check.instant,
  limit: check.count(0),
}

export class LiveSupervisor implements Supervisor {
  readonly #parts: SupervisorParts
  readonly #external: ExternalTasks = new ExternalTasks()
  readonly #children: Children

  constructor(options: SupervisorOptions) {
    this.#parts = wire(options, this)
    const { children, loopGroup, loops } = this.#parts
    noteSupervisor(this)
    this.#children = new Children(children, () => this.#requireOpen('child'), { group: loopGroup, loops })
  }

  /** For what this package builds on a supervisor: its daemons. */
  get parts(): SupervisorParts {
    return this.#parts
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
    this.#parts.closed.begin()
    actor.send({ type: 'supervisor.start' })
    // A start that fails ends what has come up before it says so.
    const { context, value } = await waitFor(
      actor,
      (snapshot) => !snapshot.matches('starting') && !(snapshot.matches('stopping') && hasFailed(snapshot)),
    )
    // A condition may have stopped it again meanwhile: started it was.
    if (value === 'running' || value === 'paused') return
    const failed = actor.getSnapshot().value === 'failed'
    throw new SupervisorStateError(
      failed
        ? `Supervisor ${this.id} could not start: ${String(context.error)}`
        : `Supervisor ${this.id} was stopped while it started`,
      { code: failed ? 'ERR_SUPERVISOR_START_FAILED' : 'ERR_SUPERVISOR_STOPPED', cause: context.error },
    )
  }

  async stop(options: StopOptions = {}): Promise<StopReport> {
    checkStopOptions(options)
    const { actor, clock, defaultGraceMs, stopLog, inspectors } = this.#parts
    actor.actor.send({ type: 'supervisor.stop', plan: planStop(options, clock.monotonic(), defaultGraceMs) })
    const { report } = stopLog
    // It may have been giving up already.
    await waitFor(actor.actor, (snapshot) => snapshot.matches('stopped') || snapshot.matches('failed'))
    await inspectors.ended()
    return report()
  }

  register(scheduler: Scheduler, options: RegisterOptions = {}): Child {
    this.#requireOpen('scheduler')
    return this.child(this.#parts.schedulers.register(scheduler, options)) as Child
  }

  registerSync(scheduler: SyncScheduler, options: RegisterSyncOptions = {}): Child {
    this.#requireOpen('scheduler')
    return this.child(this.#parts.schedulers.registerSync(scheduler, options)) as Child
  }

  /** Lists a child of this package's own, started at once if the supervisor runs. */
  supervise(spec: ChildSpec): Child {
    this.#requireOpen('child')
    this.#parts.children.add(spec)
    return this.child(spec.id) as Child
  }

  unregister(scheduler: string | Scheduler | SyncScheduler): Promise<void> {
    return this.#parts.schedulers.unregister(scheduler)
  }

  get workers(): Workers {
    return this.#parts.workers
  }

  get closed(): Promise<void> {
    return this.#parts.closed.promise
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
    const isOver = (snapshot: SnapshotFrom<typeof supervisorMachine>): boolean =>
      snapshot.matches('stopped') || snapshot.matches('failed')
    const { context } = await waitFor(this.#parts.actor.actor, isOver)
    if (context.error !== undefined) throw context.error
  }

  spawn<Logic extends AnyActorLogic>(logic: Logic, options: SpawnOptions<Logic>): Child<ActorRefFrom<Logic>> {
    return this.#children.spawn(logic, options)
  }

  group(id: string, options: GroupOptions = {}): Group {
    return this.#children.group(id, options)
  }

  child(path: string): Child | undefined {
    return this.#children.child(path)
  }

  which(): ChildRow[] {
    return this.#children.which()
  }

  count(): ChildCounts {
    return this.#children.count()
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
    if (options !== undefined)
      refuse('submit() of a call', 'given the call and its options', [input, options])
    const merged = overCall(call.options as SubmitOptions | undefined, input as SubmitOptions | undefined)
    return handleOf(submissions.submit(call.definition, call.input, merged)) as Run<Output>
  }

  /** For children of this supervisor: accepted while it drains, too. */
  submitInside<Input, Output>(
    definition: TypedDefinition<Input, Output>,
    input: Input,
    options: SubmitOptions,
  ): Run<Output> {
    const { submissions, handleOf } = this.#parts
    submissions.requireNotSignalled('submission')
    return handleOf(submissions.submit(definition, input, options)) as Run<Output>
  }

  /** For a daemon: one attempt of a run that a store keeps. Accepted as long as runs are. */
  submitKept(call: TaskCall, facts: KeptFacts): TaskRun {
    this.#requireOpen()
    return this.#parts.submissions.submitKept(call, facts)
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

  debug(on: boolean): void {
    check.boolean('debug(on)', on)
    this.#parts.debug.turn(on)
  }

  async serveInspector(options: InspectorOptions = {}): Promise<Inspector> {
    return this.#parts.inspectors.serve(this, options)
  }

  terminateAll(target: AnyDefinition | TaskGroup): number {
    const isGroup = !isDefinition(target)
    if (isGroup && typeof (target as TaskGroup | undefined)?.prefix !== 'string')
      refuse('terminateAll()', 'given a definition made by defineTask(), or a group', target)
    const { pool } = this.#parts
    const runs = pool.registry.live().filter(({ definition }) => {
      if (!isGroup) return definition === target
      return (definition as TaskDefinition).options.group === target
    })
    for (const run of runs) pool.deliver(run, { type: 'task.terminate', reason: 'demanded' })
    return runs.length
  }

  shutdownWhen(condition: ConditionLike): () => void {
    return this.#parts.shutdown.add(condition)
  }

  info(): SupervisorInfo {
    const { pool, sizing, executors, ports, loops } = this.#parts
    return {
      id: this.id,
      state: this.state,
      pool: poolInfo(pool.pool),
      processes: poolInfo(pool.processes),
      threads: physicalInfo(executors.thread, sizing.pool.min, sizing.pool.lane.max),
      children: physicalInfo(executors.process, sizing.processes.min, sizing.processes.lane.max),
      loops: loops.info(),
      runs: countRuns(pool, ports.counts),
      abandoned: ports.abandoned,
      workers: this.#parts.workers.info(),
      schedulers: this.#parts.schedulers.info,
    }
  }

  createLoop(name: string, options?: LoopOptions): Loop {
    return this.#parts.loops.create(name, options)
  }

  getLoop(name?: string): Loop {
    return this.#parts.loops.get(name)
  }

  setDefaultLoop(name: string): void {
    this.#parts.loops.setDefault(name)
  }

  startLoop(name: string): Promise<void> {
    return this.#parts.loops.start(name)
  }

  stopLoop(name: string, options?: StopOptions): Promise<void> {
    return this.#parts.loops.stop(name, options)
  }

  removeLoop(name: string, options?: StopOptions): Promise<void> {
    return this.#parts.loops.remove(name, options)
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

  #requireOpen(what: 'submission' | 'child' | 'scheduler' = 'submission'): void {
    const { state } = this
    if (!REFUSES_OTHERS.includes(state)) return
    throw new SupervisorStateError(`Supervisor ${this.id} is ${state}: it accepts no ${what}.`, {
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

/** What it failed with is kept until it is started again or stopped. */
function hasFailed({ context }: SnapshotFrom<typeof supervisorMachine>): boolean {
  return context.error !== undefined
}
