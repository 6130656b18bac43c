/**
 * The supervisor as an XState actor: carries out what its machine asks for. Its children are the task pool
 * `tasks` and the groups `loops` and `children`, so that inspectors see supervisor → tasks → task:… and
 * supervisor → children → … as one tree.
 */
import {
  type Actor,
  type ActorLogic,
  type AnyActorRef,
  type AnyActorScope,
  createActor,
  type InspectionEvent,
  type Observer,
  type Snapshot,
  type SnapshotFrom,
} from 'xstate'
import type { StopPlan, SupervisorEvent, SupervisorFact, supervisorMachine } from '../machines/supervisor.ts'
import type { Slots } from '../machines/worker-model.ts'
import { ActorTimers } from './actor-timers.ts'
import type { Timer, TimerKind, TimerOwner } from './armed-timers.ts'
import type { ChildGroup } from './child-group.ts'
import { statePath } from './state-path.ts'
import type { ChildListener, ChildLook } from './supervised.ts'
import { taskActor } from './task-actor.ts'
import type { TaskPool } from './task-pool.ts'
import type { TaskRun } from './task-run.ts'

export type Inspector = Observer<InspectionEvent> | ((event: InspectionEvent) => void)

export interface SupervisorActorOptions {
  readonly id: string
  readonly pool: TaskPool
  /** Started first, stopped last. */
  readonly loops: ChildGroup
  readonly children: ChildGroup
  readonly machine: typeof supervisorMachine
  readonly inspect: Observer<InspectionEvent> | undefined
  /** The bounds of a stop that nobody asked for: of everything, or of the runs that are left. */
  planStop(cancelTasks: 'queued' | true): StopPlan
  /** Makes an observer harmless that is added later. */
  isolate(observer: Inspector): Observer<InspectionEvent>
  /** Warms threads and processes, reads the task log. */
  prepare(): Promise<void>
  /** Whatever ends from now on, ends by a stop. */
  beginReport(): void
  /** Runs the startup tasks; rejects with what failed, when all of them have ended. */
  runStartup(): Promise<void>
  /** Runs the shutdown tasks; resolves when all of them have ended. */
  runShutdown(): Promise<void>
  /** There is no time left for them. */
  skipShutdown(): void
  /** Ends threads and processes; resolves when they are gone. */
  closeExecutors(): Promise<void>
  /** They are not, and the stop goes on without them. */
  leaveExecutors(): void
  /** `error` says why it has failed. */
  announce(fact: SupervisorFact, error: unknown): void
}

/** How much longer than a stop the end of threads and processes may take (ms). */
const CLOSE_MS = 150

export type PoolSnapshot = Snapshot<undefined> & { readonly live: number }

export class SupervisorActor implements TimerOwner {
  readonly actor: Actor<typeof supervisorMachine>
  readonly #options: SupervisorActorOptions
  #timer: Timer | undefined = undefined
  /** What is done when the new state can be seen: whoever is told, and user code, looks at it. */
  readonly #after: (() => void)[] = []
  /** Counts the starts, to fence what they wait for. */
  #starts = 0
  /** Whether runs are made actors at submission, because somebody watches the system. */
  #inspected: boolean

  constructor(options: SupervisorActorOptions) {
    this.#options = options
    this.#inspected = options.inspect !== undefined
    const { pool } = options
    const machine = options.machine.provide({
      actors: {},
      actions: {
        prepare: () => this.#prepare(),
        // At once: the first ends come with this very step.
        beginReport: () => options.beginReport(),
        startLoops: () => this.#later(() => this.#startLoops()),
        runStartup: () => this.#later(() => this.#runStartup()),
        startChildren: () => this.#later(() => this.#startChildren()),
        stopChildren: () => this.#later(() => options.children.stop()),
        hurryChildren: () => this.#later(() => this.#hurryChildren()),
        killChildren: () => this.#later(() => options.children.kill()),
        stopLoops: () => this.#later(() => this.#stopLoops()),
        killLoops: () => this.#later(() => options.loops.kill()),
        runShutdown: () => this.#later(() => this.#runShutdown()),
        skipShutdown: () => options.skipShutdown(),
        openAdmission: () => pool.setOpen('all'),
        openEarly: () => pool.setOpen('early'),
        holdAdmission: () => pool.setOpen('none'),
        endWaiting: ({ context }) => this.#endWaiting(context.plan?.endQueued === true),
        signalAll: ({ context }) => this.#signalAll(context.plan),
        killAll: () => this.#killAll(),
        closeExecutors: () => this.#closeExecutors(),
        leaveExecutors: () => options.leaveExecutors(),
        armSignalTimer: ({ context }) => this.#arm('timer.signal', context.plan?.signalAt),
        armKillTimer: ({ context }) => this.#arm('timer.kill', this.#killAt(context.plan)),
        armCloseTimer: ({ context }) => this.#arm('timer.kill', this.#closeAt(context.plan)),
        disarmTimers: () => this.#disarm(),
        announce: ({ context }, params) => {
          this.#later(() => options.announce(params.fact, context.error))
        },
      },
    })
    this.actor = createActor(machine, {
      id: options.id,
      systemId: 'supervisor',
      input: { id: options.id },
      clock: pool.ports.clock,
      ...(options.inspect === undefined ? {} : { inspect: options.inspect }),
    })
    new ActorTimers(this.actor, pool.timers, () => this.#now())
    this.#watchInspection()
    // Without an error observer a bug in here would take the process down.
    this.actor.subscribe({ next: () => this.#actAfter(), error: () => {} })
    this.actor.start()
    this.#tasks = createActor(poolLogic(pool), { parent: this.actor, id: 'tasks', systemId: 'tasks' })
    this.#tasks.start()
  }

  readonly #tasks: AnyActorRef
  /** The system's own: to follow a machine makes no actors. */
  #inspect: AnyActorScope['system']['inspect'] = () => ({ unsubscribe() {} })

  get state(): string {
    const { value } = this.actor.getSnapshot()
    return typeof value === 'string' ? value : (Object.keys(value)[0] as string)
  }

  /** What an inspector draws. */
  look(): ChildLook {
    return { machine: this.#options.machine, state: statePath(this.actor.getSnapshot().value) }
  }

  /** What a queued run may expect. */
  get slots(): Slots {
    const { value, context } = this.actor.getSnapshot()
    if (value === 'running') return 'given'
    return this.state === 'draining' && context.plan?.endQueued === false ? 'drained' : 'held'
  }

  get inspected(): boolean {
    return this.#inspected
  }

  /** The bound of a stop has come: whatever ends now is not to be followed. */
  get isOverdue(): boolean {
    const { plan } = this.actor.getSnapshot().context
    return plan !== undefined && this.#now() >= plan.killAt
  }

  actorOf(run: TaskRun): AnyActorRef {
    return taskActor(run, this.#tasks)
  }

  #later(act: () => void): void {
    this.#after.push(act)
  }

  #actAfter(): void {
    for (const act of this.#after.splice(0)) act()
  }

  /** Tells of the steps of the supervisor's own machine. @returns a function that ends it */
  follow(tell: (event: string, from: string, to: string) => void): () => void {
    let from = statePath(this.actor.getSnapshot().value)
    const subscription = this.#inspect({
      next: (inspected) => {
        if (inspected.type !== '@xstate.snapshot' || inspected.actorRef !== this.actor) return
        const to = statePath((inspected.snapshot as SnapshotFrom<typeof supervisorMachine>).value)
        tell(inspected.event.type, from, to)
        from = to
      },
    })
    return () => subscription.unsubscribe()
  }

  onTimer(kind: TimerKind): void {
    this.#timer = undefined
    this.actor.send({ type: kind as 'timer.signal' | 'timer.kill' })
  }

  #prepare(): void {
    this.#starts += 1
    const start = this.#starts
    // What a start was waiting for that has been stopped since says nothing about a later one.
    const tell = (event: SupervisorEvent): void => {
      if (start === this.#starts) this.actor.send(event)
    }
    this.#options.prepare().then(
      () => tell({ type: 'supervisor.prepared' }),
      (error: unknown) => tell({ type: 'supervisor.startFailed', error }),
    )
  }

  #startLoops(): void {
    const { loops } = this.#options
    loops.start(
      this.#listenTo(
        () => this.actor.send({ type: 'loops.started' }),
        () => this.actor.send({ type: 'loops.ended' }),
      ),
    )
  }

  #runStartup(): void {
    const start = this.#starts
    const tell = (event: SupervisorEvent): void => {
      if (start === this.#starts) this.actor.send(event)
    }
    this.#options.runStartup().then(
      () => tell({ type: 'startup.ended' }),
      (error: unknown) => tell({ type: 'supervisor.startFailed', error }),
    )
  }

  #runShutdown(): void {
    const ended = (): void => this.actor.send({ type: 'shutdown.ended' })
    this.#options.runShutdown().then(ended, ended)
  }

  /**
   * Behind the step under way: a child whose start stops the supervisor is heard then before the next one is started,
   * and not when all are up.
   */
  #startChildren(): void {
    const start = this.#starts
    queueMicrotask(() => {
      // A stop may have come first.
      if (start !== this.#starts || this.state !== 'starting') return
      this.#options.children.start(
        this.#listenTo(
          () => this.actor.send({ type: 'children.started' }),
          () => this.drained(),
        ),
      )
    })
  }

  #listenTo(ready: () => void, stopped: () => void): ChildListener {
    return {
      ready,
      escalating: (error) => {
        this.actor.send({ type: 'supervisor.escalate', error, plan: this.#options.planStop('queued') })
      },
      exited: (exit) => {
        if (exit.kind !== 'failed' || this.state !== 'starting') return stopped()
        this.actor.send({ type: 'supervisor.startFailed', error: exit.error })
      },
    }
  }

  #hurryChildren(): void {
    const { children } = this.#options
    children.stop()
    children.hurry()
  }

  #stopLoops(): void {
    const { loops } = this.#options
    if (loops.rests) this.actor.send({ type: 'loops.ended' })
    else loops.stop()
  }

  #now(): number {
    return this.#options.pool.ports.clock.monotonic()
  }

  #killAt(plan: StopPlan | undefined): number {
    return (plan ?? this.#options.planStop(true)).killAt
  }

  /** What was killed at the bound, or is only killed now, needs a moment to be gone. */
  #closeAt(plan: StopPlan | undefined): number {
    return Math.max(this.#now(), this.#killAt(plan)) + CLOSE_MS
  }

  /** What waits for its time will not come to run any more; what is queued only if it is to. */
  #endWaiting(queued: boolean): void {
    const { pool } = this.#options
    pool.broadcast({ type: 'task.terminate', reason: 'stop' }, (run) => {
      const { state } = run
      return (
        state === 'scheduled' || state === 'retrying' || state === 'snoozed' || (queued && state === 'queued')
      )
    })
    this.drained()
  }

  #signalAll(plan: StopPlan | undefined): void {
    const { pool } = this.#options
    const killAt = plan?.killAt ?? Number.POSITIVE_INFINITY
    const graceMs = Math.max(0, killAt - pool.ports.clock.monotonic())
    pool.broadcast({ type: 'task.terminate', reason: 'stop', graceMs }, () => true)
    this.drained()
  }

  #killAll(): void {
    this.#options.pool.broadcast({ type: 'task.kill' }, () => true)
    this.drained()
  }

  /** Tells the machine when no child lives, and when no run does either. */
  drained(): void {
    const { pool, children, planStop } = this.#options
    if (!children.isOver) return
    this.actor.send({ type: 'children.ended', plan: planStop(true) })
    if (pool.registry.size === 0) this.actor.send({ type: 'supervisor.drained' })
  }

  #closeExecutors(): void {
    const start = this.#starts
    // What an earlier stop has left behind says nothing about a later one.
    const closed = (): void => {
      if (start === this.#starts) this.actor.send({ type: 'supervisor.closed' })
    }
    this.#options.closeExecutors().then(closed, closed)
  }

  #arm(kind: 'timer.signal' | 'timer.kill', dueAt: number | undefined): void {
    this.#disarm()
    if (dueAt === undefined || dueAt === Number.POSITIVE_INFINITY) return
    this.#timer = this.#options.pool.timers.arm(dueAt, this, kind)
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#options.pool.timers.cancel(this.#timer)
    this.#timer = undefined
  }

  /** Makes actors of what somebody who inspects the system wants to see. */
  reveal(): void {
    this.#options.loops.reveal()
    this.#options.children.reveal()
  }

  /** Whoever inspects the system later sees the runs that live already, too. */
  #watchInspection(): void {
    const { system } = this.actor
    this.#inspect = system.inspect.bind(system)
    system.inspect = (observer) => {
      this.#inspected = true
      for (const run of this.#options.pool.registry.live()) this.actorOf(run)
      this.reveal()
      return this.#inspect(this.#options.isolate(observer))
    }
  }
}

/** The actor between the supervisor and its runs. Commands to it are calls of the pool. */
function poolLogic(
  pool: TaskPool,
): ActorLogic<PoolSnapshot, { type: string }, undefined, AnyActorScope['system']> {
  const snapshot = (status: 'active' | 'stopped'): PoolSnapshot => ({
    status,
    output: undefined,
    error: undefined,
    get live() {
      return pool.registry.size
    },
  })
  const active = snapshot('active')
  return {
    getInitialSnapshot: () => active,
    getPersistedSnapshot: () => ({ ...active }),
    transition: (state, event) => (event.type === 'xstate.stop' ? snapshot('stopped') : state),
  }
}
