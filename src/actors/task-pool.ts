/**
 * The pool that owns every run of a supervisor and drives it through its statechart.
 *
 * A run is a compiled snapshot in a record; it becomes an XState actor when somebody looks (see
 * task-actor.ts), and from then on its events pass through that actor's mailbox. Either way one step
 * of the machine is: new snapshot stored, then its effects carried out (task-effects.ts), then the next
 * event. Effects that cause further events queue them here, so every run sees run-to-completion.
 *
 * Admission (slot-pool.ts) is looked at whenever the mailbox is empty: after every submit, settle and
 * resize. Nothing polls.
 */
import type { CompiledLogic } from '../machines/compile.ts'
import { compile } from '../machines/compile.ts'
import { inheritDeadline } from '../machines/deadlines.ts'
import type { Execution } from '../machines/model.ts'
import { taskMachine } from '../machines/task.ts'
import type { TaskEvent } from '../machines/task-model.ts'
import type { TimerKind } from './armed-timers.ts'
import type { DefinitionEntry } from './definition-entry.ts'
import { saidBy } from './foreign-value.ts'
import type { KeptRun } from './kept-run.ts'
import type { PoolPorts } from './pool-ports.ts'
import { RunRegistry } from './run-registry.ts'
import { ADMIT, isShareable, type SharedStep, SUBMIT } from './shared-step.ts'
import { type LendingPool, SlotLending } from './slot-lending.ts'
import { SlotPool } from './slot-pool.ts'
import { StartQueue } from './start-queue.ts'
import { runEffect } from './task-effects.ts'
import { type RunPlan, TaskRun, type TaskSnapshot } from './task-run.ts'
import { TaskStep } from './task-step.ts'
import { type TaskTimerKind, timerEvent } from './task-timers.ts'
import { TimerQueue } from './timer-queue.ts'
import { Tracer } from './tracer.ts'

const UNLIMITED = { size: 0, reserveNormal: 0, reserveHigh: 0 }

/** What a submission says about one run beyond its plan. */
export interface SubmissionFacts {
  /** `undefined`: one is made when somebody asks. */
  readonly id: string | undefined
  /** How long from now until it expires unless it has run; infinite = never. */
  readonly expiresInMs: number
  readonly parent: TaskRun | undefined
  /** Name of the worker that submits it. */
  readonly worker?: string | undefined
  /** See `KeptRun`; `attempt`: how many it has had. */
  readonly kept?: { readonly run: KeptRun; readonly attempt: number } | undefined
  /** See `TaskRun.early`. */
  readonly early?: boolean | undefined
}

export interface TaskPoolOptions {
  readonly ports: PoolPorts
  readonly machine: typeof taskMachine
  /** Ended runs to remember. */
  readonly keep: number
  /** Told of what was thrown where nothing may throw. */
  onError(error: unknown): void
}

export class TaskPool implements LendingPool {
  readonly ports: PoolPorts
  readonly timers: TimerQueue
  /** The statechart of every run. */
  readonly logic: CompiledLogic<typeof taskMachine>
  readonly registry: RunRegistry
  readonly pool: SlotPool = new SlotPool(['async', 'thread', 'main'], UNLIMITED)
  readonly processes: SlotPool = new SlotPool(['process'], UNLIMITED)
  readonly lending: SlotLending
  readonly starts: StartQueue = new StartQueue()
  /** Told whenever there may be more room: a run gave its slot back, a pool was resized or opened. */
  readonly freed: Set<() => void> = new Set()
  /** Who debugs hears here of every step, of runs and of the supervisor's other machines. */
  readonly tracer: Tracer = new Tracer()
  /** Main tasks that run: each has the loop to itself. */
  exclusive = 0
  /** The monotonic clock as of the event that is being worked off: one reading for all its effects. */
  now = 0
  /** When a run was last admitted. */
  admittedMono = 0

  /** Steps are alike for all runs only if no guard of the user's own looks elsewhere. */
  readonly #sharesSteps: boolean
  readonly #onError: (error: unknown) => void
  #open: 'none' | 'early' | 'all' = 'none'
  #order = 0
  #seq = 0
  #delivering = false
  readonly #mailRuns: TaskRun[] = []
  readonly #mailEvents: TaskEvent[] = []
  // Effects of the steps under way, as a stack: a step inside an effect pushes on top of the rest. The
  // arrays keep their length, which is dear to change; `#top` says how much of them is in use.
  readonly #effects: string[] = []
  readonly #params: unknown[] = []
  #top = 0
  readonly #collect = (type: string, params: unknown): void => {
    this.#effects[this.#top] = type
    this.#params[this.#top] = params
    this.#top += 1
  }

  constructor({ ports, machine, keep, onError }: TaskPoolOptions) {
    this.#sharesSteps = machine === taskMachine
    this.#onError = onError
    this.ports = ports
    this.logic = compile(machine)
    this.timers = new TimerQueue(ports.clock, onError)
    this.registry = new RunRegistry(keep, () => ports.clock.now())
    this.lending = new SlotLending(this)
  }

  /** How many runs there have been. */
  get submitted(): number {
    return this.#order
  }

  slots(execution: Execution): SlotPool {
    return execution === 'process' ? this.processes : this.pool
  }

  /** Whether every run may be admitted. */
  get open(): boolean {
    return this.#open === 'all'
  }

  /** Whom admission is open for: nobody, early runs (see `TaskRun.early`) or all. What runs goes on. */
  setOpen(open: 'none' | 'early' | 'all'): void {
    this.#open = open
    this.pool.onlyEarly = this.processes.onlyEarly = open === 'early'
    this.settleDown()
  }

  /** Makes a run, not yet submitted. */
  create(entry: DefinitionEntry, input: unknown, plan: RunPlan, facts: SubmissionFacts): TaskRun {
    const { parent } = facts
    const { deadlineMs, detached } = plan
    const before = facts.kept?.attempt ?? 0
    const shared = this.#sharesSteps && before === 0 ? entry.bornAs(plan, this.#birth) : undefined
    const snapshot = shared === undefined ? this.#born(entry, plan, before) : shared.snapshot
    this.#order += 1
    const now = this.#delivering ? this.now : this.#tick()
    const run = new TaskRun(
      this,
      facts.id,
      entry,
      input,
      plan,
      snapshot,
      this.#order,
      now,
      detached ? undefined : parent,
    )
    run.shared = shared
    if (facts.early === true || parent?.early === true) run.early = true
    run.worker = facts.worker
    run.kept = facts.kept?.run
    if (deadlineMs !== Number.POSITIVE_INFINITY) run.deadlineMono = now + deadlineMs
    if (facts.expiresInMs !== Number.POSITIVE_INFINITY) run.expiryMono = now + facts.expiresInMs
    if (parent !== undefined && !detached) adopt(parent, run)
    entry.live += 1
    this.registry.add(run)
    this.ports.created(run)
    return run
  }

  /** Submits a run. It may be admitted when this returns. */
  submit(run: TaskRun, delayMs: number): void {
    this.#send(run, delayMs === 0 ? SUBMIT : { type: 'task.submit', delayMs })
  }

  /** Sends an event to a run, after those that are under way. Ended runs ignore it. */
  deliver(run: TaskRun, event: TaskEvent): void {
    if (run.snapshot.status !== 'active') return
    if (!this.#delivering) this.#tick()
    this.#send(run, event)
  }

  timerFired(run: TaskRun, kind: TimerKind): void {
    this.deliver(run, timerEvent(this, run, kind as TaskTimerKind))
  }

  /** A run that waits becomes an early one. */
  hasten(run: TaskRun): void {
    if (run.early) return
    const isQueued = run.list !== undefined && !run.entry.isGated(run)
    const slots = this.slots(run.execution)
    if (isQueued) slots.dequeue(run, run.snapshot.context.band)
    run.early = true
    if (isQueued) slots.enqueue(run)
  }

  /** Works off what is queued and admits whoever may run now. */
  settleDown(): void {
    if (this.#delivering) return
    this.#tick()
    this.#delivering = true
    this.#drain()
    for (const told of this.freed) told()
  }

  nextSeq(): number {
    this.#seq += 1
    return this.#seq
  }

  /**
   * One step of the statechart, without its effects. For the actor of a run, which stores the snapshot
   * itself and then calls the returned function.
   */
  stepActor(run: TaskRun, event: TaskEvent): () => void {
    // Somebody outside may have sent the event. Until the actor is done with it, nobody is admitted: an
    // admission sent to it would wait in its mailbox while the run still stands first in line.
    const fromOutside = !this.#delivering
    if (fromOutside) {
      this.#tick()
      this.#delivering = true
      queueMicrotask(() => this.#drain())
    }
    run.shared = undefined
    const base = this.#top
    const before = run.snapshot
    run.snapshot = this.logic.step(before, event, this.#collect)
    this.tracer.listener?.(new TaskStep(run, event.type, before))
    const effects = this.#effects.slice(base, this.#top)
    const params = this.#params.slice(base, this.#top)
    this.#top = base
    return () => {
      for (let i = 0; i < effects.length; i += 1) {
        this.#carryOut(run, effects[i] as string, params[i], event)
      }
    }
  }

  /** The latest value wins; whoever watches is told. */
  progress(run: TaskRun, percent: number, note: string | undefined): void {
    run.progress = { percent: Math.min(100, Math.max(0, Number(percent) || 0)), note: saidBy(note) }
    for (const watcher of run.watchers ?? []) watcher.onProgress?.(run.progress)
    this.ports.progressed(run)
  }

  /** Sends `event` to every live run that `matches`, the oldest first. */
  broadcast(event: TaskEvent, matches: (run: TaskRun) => boolean): void {
    for (const run of this.registry.live()) if (matches(run)) this.deliver(run, event)
  }

  readonly #birth = (entry: DefinitionEntry, plan: RunPlan): TaskSnapshot => this.#born(entry, plan, 0)

  #born(
    entry: DefinitionEntry,
    { priority, execution, loop, attempts }: RunPlan,
    attempt: number,
  ): TaskSnapshot {
    const { name } = entry.definition
    return this.logic.initial({ name, priority, execution, loop, attempts, attempt }, this.#collect)
  }

  #tick(): number {
    this.now = this.ports.clock.monotonic()
    return this.now
  }

  #send(run: TaskRun, event: TaskEvent): void {
    if (run.actor !== undefined && this.#delivering) run.actor.send(event)
    else if (this.#delivering) {
      this.#mailRuns.push(run)
      this.#mailEvents.push(event)
    } else {
      this.#delivering = true
      try {
        this.#step(run, event)
      } finally {
        this.#drain()
      }
    }
  }

  #step(run: TaskRun, event: TaskEvent): void {
    if (run.actor !== undefined) {
      run.actor.send(event)
      return
    }
    // It may have ended since the event was queued.
    if (run.snapshot.status !== 'active') return
    if (run.shared !== undefined) return this.#stepShared(run, run.shared, event)
    const base = this.#top
    const before = run.snapshot
    try {
      run.snapshot = this.logic.step(before, event, this.#collect)
    } catch (error) {
      // Only a guard of the user's own throws. The run stays where it is.
      this.#top = base
      return this.#onError(error)
    }
    this.tracer.listener?.(new TaskStep(run, event.type, before))
    const end = this.#top
    for (let i = base; i < end; i += 1) {
      this.#carryOut(run, this.#effects[i] as string, this.#params[i], event)
    }
    this.#top = base
  }

  /** A step from a snapshot that others share, to one that they share as well if the event is alike for all. */
  #stepShared(run: TaskRun, from: SharedStep, event: TaskEvent): void {
    if (!isShareable(event)) {
      run.shared = undefined
      return this.#step(run, event)
    }
    let step = from.following
    if (step === undefined || step.event !== event) {
      const base = this.#top
      const snapshot = this.logic.step(from.snapshot, event, this.#collect)
      const effects = this.#effects.slice(base, this.#top)
      const params = this.#params.slice(base, this.#top)
      this.#top = base
      step = from.follow(event, snapshot, effects, params)
    }
    run.snapshot = step.snapshot
    run.shared = step
    this.tracer.listener?.(new TaskStep(run, event.type, from.snapshot))
    const { effects, params } = step
    for (let i = 0; i < effects.length; i += 1) {
      this.#carryOut(run, effects[i] as string, params[i], event)
    }
  }

  /** What users plugged in may throw: that must not keep the other effects, or other runs, from their turn. */
  #carryOut(run: TaskRun, effect: string, params: unknown, event: TaskEvent): void {
    try {
      runEffect(this, run, effect, params, event)
    } catch (error) {
      this.#onError(error)
    }
  }

  #drain(): void {
    const runs = this.#mailRuns
    const events = this.#mailEvents
    try {
      for (;;) {
        if (runs.length > 0) {
          for (let i = 0; i < runs.length; i += 1) this.#step(runs[i] as TaskRun, events[i] as TaskEvent)
          runs.length = events.length = 0
        }
        const run = this.#nextAdmission()
        if (run === undefined) return
        const late = this.#overdue(run) ?? this.#over(run)
        if (late !== undefined) this.slots(run.execution).takeBack(run)
        this.#step(run, late ?? ADMIT)
      }
    } finally {
      this.#delivering = false
      if (runs.length > 0) runs.length = events.length = 0
    }
  }

  /** A clock of the run that ran out before it could be told: the loop was blocked, or it was late already. */
  #overdue(run: TaskRun): TaskEvent | undefined {
    const { timer } = run
    if (timer === undefined || timer.due >= this.now) return undefined
    this.timers.cancel(timer)
    run.timer = undefined
    return timerEvent(this, run, timer.kind as TaskTimerKind)
  }

  /** What ends a run before it begins. */
  #over(run: TaskRun): TaskEvent | undefined {
    return run.plan.endCondition === undefined ? undefined : this.ports.instead(run)
  }

  #nextAdmission(): TaskRun | undefined {
    if (this.#open === 'none') return undefined
    const exclusive = this.exclusive > 0
    return (
      // First: a stream of main tasks, each exclusive, would keep every process task waiting.
      this.processes.next(exclusive) ??
      this.pool.next(exclusive) ??
      (this.lending.idle ? undefined : this.lending.relieve(exclusive))
    )
  }
}

function adopt(parent: TaskRun, child: TaskRun): void {
  parent.children ??= new Set()
  parent.children.add(child)
  if (parent.deadlineMono === undefined) return
  child.deadlineMono = inheritDeadline(child.deadlineMono ?? Number.POSITIVE_INFINITY, parent.deadlineMono)
}
