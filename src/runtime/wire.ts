/** Makes the parts of a supervisor and joins them. */

import type { Logger } from 'pino'
import { ChildGroup } from '../actors/child-group.ts'
import { systemClock } from '../actors/clock.ts'
import type { ConditionWatches } from '../actors/condition-watch.ts'
import type { TypedDefinition } from '../actors/definition.ts'
import { EndConditions } from '../actors/end-conditions.ts'
import type { GroupPolicy } from '../actors/group-ports.ts'
import { KeepAlive } from '../actors/keep-alive.ts'
import { LastResults } from '../actors/parameters.ts'
import { RunIds } from '../actors/run-id.ts'
import { type Inspector, SupervisorActor } from '../actors/supervisor-actor.ts'
import { TaskPool } from '../actors/task-pool.ts'
import type { TaskRun } from '../actors/task-run.ts'
import { WallTimers } from '../actors/wall-timers.ts'
import { type SupervisorFact, supervisorMachine } from '../machines/supervisor.ts'
import { taskMachine } from '../machines/task.ts'
import { policyOf } from './child-options.ts'
import { Closed } from './closed.ts'
import { conditionWatches } from './condition-wiring.ts'
import { Control } from './control.ts'
import { Debug } from './debug.ts'
import { Definitions } from './definitions.ts'
import { EventHub } from './events.ts'
import { createExecutors, type Executors } from './executors.ts'
import { groupPorts } from './group-wiring.ts'
import { Idle } from './idle.ts'
import { isolateInspector } from './inspection.ts'
import { Inspectors } from './inspector/inspectors.ts'
import { runTogether } from './lifecycle-tasks.ts'
import { createLogger, say } from './logger.ts'
import { Loops } from './loops.ts'
import { REFUSES_OTHERS } from './refusing.ts'
import { Reporter } from './reporter.ts'
import { RunHandle } from './run.ts'
import { Schedulers } from './schedulers.ts'
import { ShutdownConditions } from './shutdown-conditions.ts'
import { Sizing } from './sizing.ts'
import { Starvation } from './starvation.ts'
import { planStop } from './stop-options.ts'
import { StopLog } from './stop-report.ts'
import { Submissions } from './submissions.ts'
import type { Supervisor } from './supervisor.ts'
import type { PoolOptions, SupervisorOptions } from './supervisor-options.ts'
import { type PortParts, poolPorts } from './supervisor-ports.ts'
import { TaskLog } from './task-log.ts'
import { BASE_PLAN, overridePlan } from './task-options.ts'
import { tracingOf } from './tracing/tracing-access.ts'
import { workerPorts } from './worker-wiring.ts'
import { LiveWorkers } from './workers.ts'

export interface SupervisorParts {
  readonly id: string
  readonly clock: TaskPool['ports']['clock']
  readonly defaultGraceMs: number
  readonly pool: TaskPool
  readonly sizing: Sizing
  readonly executors: Executors
  readonly hub: EventHub
  readonly reporter: Reporter
  readonly taskLog: TaskLog
  readonly definitions: Definitions
  readonly submissions: Submissions
  readonly conditions: ConditionWatches
  readonly shutdown: ShutdownConditions
  readonly actor: SupervisorActor
  readonly ports: PortParts
  readonly idle: Idle
  readonly debug: Debug
  readonly inspectors: Inspectors
  /** Workers, actors, nested groups: started in order, stopped in reverse. */
  readonly children: ChildGroup
  readonly closed: Closed
  readonly stopLog: StopLog
  /** Started before the children, stopped after them. */
  readonly loopGroup: ChildGroup
  readonly loops: Loops
  readonly workers: LiveWorkers
  readonly schedulers: Schedulers
  handleOf(run: TaskRun): RunHandle
}

/** The options have been checked. */
export function wire(options: SupervisorOptions, supervisor: Supervisor): SupervisorParts {
  const clock = options.clock ?? systemClock
  const id = options.id ?? new RunIds().next(clock.now())
  const sizing = new Sizing({ pool: poolOptions(options), processes: options.processes ?? {} })
  const logger = createLogger(id, options.logger)
  const hub = new EventHub((error, type) =>
    say(logger, 'error', { err: error, event: type }, 'an event listener threw'),
  )
  const storeFailed = (error: unknown): void =>
    say(logger, 'error', { err: error }, 'the task log store failed')
  const taskLog = new TaskLog(clock, options.taskLog?.keep ?? 1_000, options.taskLog?.store, storeFailed)
  const reporter = new Reporter({ id, clock, logger, hub, taskLog })
  const defaults = overridePlan(BASE_PLAN, options.defaults ?? {})
  const definitions = new Definitions(defaults, {
    named: (entry) => conditions.facts.attach(entry),
    used: ({ definition: { name, module }, plan: { priority, execution } }) =>
      reporter.emit('definition.used', { name, module, priority, execution }),
  })
  const executors = createExecutors(options, sizing, logger.level, (name) => definitions.find(name))
  const alive = new KeepAlive()
  const closed = new Closed()
  const stopLog = new StopLog()
  const inspectors = new Inspectors()
  const random = safeRandom(options.random, logger)
  const pluggedInThrew = (error: unknown): void =>
    say(logger, 'error', { err: error }, 'something plugged in threw')

  const ports = {
    id,
    clock,
    random,
    tracing: options.tracing && tracingOf(options.tracing).runs(id, pluggedInThrew),
    logger,
    executors,
    reporter,
    counts: { finished: 0, failed: 0, cancelled: 0, terminated: 0 },
    abandoned: 0,
    stopLog,
    queued: () => starvation.watch(),
    waiting(run: TaskRun) {
      // What waits for its time when a stop has begun would wait for nothing.
      if (actor.state === 'draining' || actor.state === 'stopping') {
        pool.deliver(run, { type: 'task.terminate', reason: 'stop' })
      }
    },
    actorOf: (run: TaskRun) => actor.actorOf(run),
    drained() {
      starvation.rest()
      idle.reached()
      actor.drained()
    },
    inspected(run: TaskRun) {
      if (actor.inspected) actor.actorOf(run)
    },
  } as Omit<PortParts, 'control' | 'submissions' | 'loops' | 'facts' | 'ends' | 'results'> as {
    -readonly [K in keyof PortParts]: PortParts[K]
  }

  const pool = new TaskPool({
    ports: poolPorts(ports),
    machine: options.logic?.task ?? taskMachine,
    keep: options.keep ?? 1_000,
    onError: pluggedInThrew,
  })
  const wall = new WallTimers(clock, pool.timers, pluggedInThrew)
  const conditions = conditionWatches({ clock, definitions, taskLog, reporter, timers: wall, pool })
  ports.facts = conditions.facts
  ports.ends = new EndConditions(conditions)
  ports.results = new LastResults(() => pool.registry.ended())
  const idle = new Idle(() => pool.registry.size === 0)
  const starvation = new Starvation(pool, options.starvedAfterMs ?? 30_000, (waiting, idleMs) =>
    reporter.emit('pool.starved', { waiting, idleMs }),
  )
  const handleOf = (run: TaskRun): RunHandle => {
    run.handle ??= new RunHandle(run)
    return run.handle as RunHandle
  }
  const policy = policyOf(options.supervision ?? {})
  const loops = new Loops({
    supervisorId: id,
    pool,
    reporter,
    logLevel: logger.level,
    defaultGraceMs: defaults.graceMs,
    limits: policy,
    state: () => actor.state,
    isOverdue: () => actor.isOverdue,
    onError: pluggedInThrew,
    submit: (definition, input, submitOptions) =>
      supervisor.submit(definition as TypedDefinition<unknown, unknown>, input, submitOptions),
    group: () => loopGroup,
  })
  ports.loops = loops
  const submissions: Submissions = new Submissions({
    clock,
    definitions,
    loops,
    defaultRunId: options.defaults?.runId,
    pool,
    handleOf,
    state: () => actor.state,
  })
  ports.submissions = submissions
  ports.control = new Control({
    supervisor,
    definitions,
    submissions,
    workers: {
      trigger: (worker, given) => workers.trigger(worker, given),
      put: (worker, item, by) => workers.put(worker, item, by),
    },
    find: (runId) => pool.registry.get(runId),
    awaited: (waiter, run) => pool.lending.await(waiter, run),
  })
  const announce = (fact: SupervisorFact, error: unknown): void => {
    if (fact === 'stopping' || fact === 'failed') shutdown.end()
    if (fact === 'stopped' || fact === 'failed') {
      alive.release()
      workers.giveBack()
      stopLog.end()
    }
    if (fact === 'failed') reporter.emit('supervisor.failed', { error })
    else reporter.emit(`supervisor.${fact}`, {})
    if (fact === 'started') shutdown.begin()
    if (fact === 'stopped') closed.stopped()
    if (fact === 'failed') closed.failed(error)
    if (fact === 'stopped' || fact === 'failed') inspectors.end()
  }
  const shutdown = new ShutdownConditions(conditions, () => void supervisor.stop())
  if (options.shutdownWhen !== undefined) shutdown.add(options.shutdownWhen)
  const isolate = (inspector: Inspector) =>
    isolateInspector(inspector, (error) => say(logger, 'error', { err: error }, 'an inspector threw'))
  const wiring = groupPorts({
    clock,
    timers: pool.timers,
    tracer: pool.tracer,
    reporter,
    random,
    inspected: () => actor.inspected,
    ending: () => REFUSES_OTHERS.includes(actor.state),
    onError: pluggedInThrew,
    ended: (child, step, ms) => stopLog.child(child, { id: child.path, kind: child.spec.kind, step, ms }),
  })
  const listener = { ready() {}, exited: () => actor.drained() }
  const groupOf = (groupId: string, groupPolicy: GroupPolicy, beside: () => ChildGroup): ChildGroup =>
    new ChildGroup({
      id: groupId,
      path: '',
      policy: groupPolicy,
      ports: wiring,
      parent: () => actor.actor,
      listener,
      beside,
    })
  const loopGroup: ChildGroup = groupOf('loops', { ...policy, strategy: 'one-for-one' }, () => children)
  const children: ChildGroup = groupOf('children', policy, () => loopGroup)
  const workers = new LiveWorkers({
    definitions,
    defaults,
    logLevel: logger.level,
    home: children,
    stopLog,
    state: () => actor.state,
    ports: workerPorts({
      clock,
      timers: pool.timers,
      wall,
      tracer: pool.tracer,
      random,
      slots: () => actor.slots,
      reporter,
      submissions,
      logger,
      conditions,
      handleOf,
      onError: pluggedInThrew,
    }),
  })
  const schedulers = new Schedulers(children, pool.tracer, (scheduler, error) =>
    say(logger, 'error', { err: error, scheduler }, 'a scheduler threw'),
  )
  const actor = new SupervisorActor({
    id,
    pool,
    loops: loopGroup,
    children,
    planStop: (cancelTasks) => planStop({ cancelTasks }, clock.monotonic(), defaults.graceMs),
    machine: options.logic?.supervisor ?? supervisorMachine,
    inspect: options.inspect === undefined ? undefined : isolate(options.inspect),
    isolate,
    async prepare() {
      stopLog.forget()
      if (options.daemon !== true) alive.hold()
      if (await taskLog.restore()) conditions.facts.restored()
      // Stopped meanwhile: nothing is to be made any more.
      if (actor.state !== 'starting') return
      sizing.apply(pool, executors, true)
      await Promise.all([executors.thread.warm(), executors.process.warm()])
    },
    beginReport: () => stopLog.begin(),
    runStartup: () => runTogether(options.onStartup ?? [], 'succeed', submissions, pool),
    runShutdown: () =>
      runTogether(options.onShutdown ?? [], 'end', submissions, pool).catch((error: unknown) =>
        say(logger, 'error', { err: error }, 'not every onShutdown task could be submitted'),
      ),
    skipShutdown() {
      if (options.onShutdown !== undefined && options.onShutdown.length > 0)
        say(logger, 'warn', {}, 'onShutdown tasks were not run: the bound of the stop has come')
    },
    async closeExecutors() {
      starvation.rest()
      sizing.apply(pool, executors, false)
      await Promise.all([
        executors.thread.close(),
        executors.process.close(),
        executors.command.close(),
        taskLog.flushed(),
      ])
    },
    // An executor of the user's own may refuse to close.
    leaveExecutors: () =>
      say(
        logger,
        'error',
        {},
        'threads, processes or the task log store did not close by the bound of the stop',
      ),
    announce,
  })
  if (actor.inspected) actor.reveal()
  const debug = new Debug({ id, logger, hub, actor, tracer: pool.tracer, reporter })
  debug.turn(options.debug === true)
  sizing.apply(pool, executors, false)
  for (const [name, listener] of Object.entries(options.hooks ?? {})) hub.on(name, listener as never)
  return {
    id,
    clock,
    defaultGraceMs: defaults.graceMs,
    pool,
    sizing,
    executors,
    hub,
    reporter,
    taskLog,
    definitions,
    submissions,
    conditions,
    shutdown,
    actor,
    ports,
    idle,
    debug,
    inspectors,
    children,
    loopGroup,
    loops,
    closed,
    stopLog,
    workers,
    schedulers,
    handleOf,
  }
}

/** Chance that users bring may be broken: then jitter is in the middle, and the log says why. */
function safeRandom(given: (() => number) | undefined, logger: Logger): () => number {
  if (given === undefined) return Math.random
  return () => {
    try {
      const value = given()
      if (value >= 0 && value < 1) return value
      say(logger, 'error', { value }, 'random gave no number from 0 to below 1')
    } catch (error) {
      say(logger, 'error', { err: error }, 'random threw')
    }
    return 0.5
  }
}

/** A pool of the user's own has as many threads as it has: none are added for critical tasks. */
function poolOptions({ pool = {}, executors = {} }: SupervisorOptions): PoolOptions {
  const own = executors.thread
  if (own === undefined || 'start' in own || own.maxThreads === undefined) return pool
  return { maxThreads: own.maxThreads, maxOverflowThreads: 0, ...pool }
}
