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
import type { Execution, TaskState } from '../machines/model.ts'
import type { taskMachine } from '../machines/task.ts'
import type { TaskEvent } from '../machines/task-model.ts'
import type { DefinitionEntry } from './definition-entry.ts'
import type { PoolPorts } from './pool-ports.ts'
import { type LendingPool, SlotLending } from './slot-lending.ts'
import { SlotPool } from './slot-pool.ts'
import { StartQueue } from './start-queue.ts'
import { runEffect } from './task-effects.ts'
import { type RunPlan, TaskRun, type TimerHost } from './task-run.ts'
import { type TaskTimerKind, timerEvent } from './task-timers.ts'
import { type TimerKind, TimerQueue } from './timer-queue.ts'

const ADMIT: TaskEvent = { type: 'task.admit' }
const UNLIMITED = { size: 0, reserveNormal: 0, reserveHigh: 0 }

/** What a submission says about one run beyond its plan. */
export interface RunTimes {
  readonly delayMs: number
  /** How long from now until it expires unless it has run; infinite = never. */
  readonly expiresInMs: number
}

export class TaskPool implements LendingPool, TimerHost {
  readonly ports: PoolPorts
  /** The statechart of every run. */
  readonly logic: CompiledLogic<typeof taskMachine>
  readonly timers: TimerQueue
  readonly pool: SlotPool = new SlotPool('pool', ['main', 'async', 'thread'], UNLIMITED)
  readonly processes: SlotPool = new SlotPool('processes', ['process'], UNLIMITED)
  readonly lending: SlotLending
  readonly starts: StartQueue = new StartQueue()
  /** Every run that has not ended, by id. */
  readonly live: Map<string, TaskRun> = new Map()
  /** Main tasks that run: each has the loop to itself. */
  exclusive = 0
  /** Monotonic ms of the last admission. */
  admittedMono = 0

  #open = false
  #seq = 0
  #delivering = false
  readonly #mailRuns: TaskRun[] = []
  readonly #mailEvents: TaskEvent[] = []
  // Effects of the steps under way, as a stack: a step inside an effect pushes on top of the rest.
  readonly #effects: string[] = []
  readonly #params: unknown[] = []
  readonly #events: TaskEvent[] = []
  readonly #collect = (type: string, params: unknown, _context: unknown, event: unknown): void => {
    this.#effects.push(type)
    this.#params.push(params)
    this.#events.push(event as TaskEvent)
  }

  constructor(ports: PoolPorts, machine: typeof taskMachine, onTimerError: (error: unknown) => void) {
    this.ports = ports
    this.logic = compile(machine)
    this.timers = new TimerQueue(ports.clock, onTimerError)
    this.lending = new SlotLending(this)
  }

  slots(execution: Execution): SlotPool {
    return execution === 'process' ? this.processes : this.pool
  }

  get open(): boolean {
    return this.#open
  }

  /** Starts or holds admission. What runs goes on. */
  setOpen(open: boolean): void {
    this.#open = open
    this.settleDown()
  }

  /** Makes a run and submits it. It may be running when this returns. */
  submit(
    id: string,
    entry: DefinitionEntry,
    input: unknown,
    plan: RunPlan,
    times: RunTimes,
    parent: TaskRun | undefined,
    prepare?: (run: TaskRun) => void,
  ): TaskRun {
    const now = this.ports.clock.monotonic()
    const snapshot = this.logic.initial(
      {
        runId: id,
        name: entry.definition.name,
        priority: plan.priority,
        execution: plan.execution,
        attempts: plan.attempts,
      },
      this.#collect,
    )
    const run = new TaskRun(this, id, entry, input, plan, snapshot, now, parent)
    run.deadlineMono = inheritDeadline(
      now + plan.deadlineMs,
      plan.detached ? undefined : parent?.deadlineMono,
    )
    run.expiryMono = now + times.expiresInMs
    this.live.set(id, run)
    entry.live += 1
    if (parent !== undefined && !plan.detached) {
      parent.children ??= new Set()
      parent.children.add(run)
    }
    prepare?.(run)
    this.ports.created(run)
    this.deliver(run, { type: 'task.submit', delayMs: times.delayMs })
    return run
  }

  /** Sends an event to a run, after those that are under way. Ended runs ignore it. */
  deliver(run: TaskRun, event: TaskEvent): void {
    if (run.snapshot.status !== 'active') return
    if (run.actor !== undefined) {
      run.actor.send(event)
      this.settleDown()
      return
    }
    if (this.#delivering) {
      this.#mailRuns.push(run)
      this.#mailEvents.push(event)
      return
    }
    this.#delivering = true
    this.#step(run, event)
    this.#drain()
  }

  timerFired(run: TaskRun, kind: TimerKind): void {
    this.deliver(run, timerEvent(this, run, kind as TaskTimerKind))
  }

  /** Works off what is queued and admits whoever may run now. */
  settleDown(): void {
    if (this.#delivering) return
    this.#delivering = true
    this.#drain()
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
    const base = this.#effects.length
    run.snapshot = this.logic.step(run.snapshot, event, this.#collect)
    const effects = this.#effects.splice(base)
    const params = this.#params.splice(base)
    const events = this.#events.splice(base)
    return () => {
      for (let i = 0; i < effects.length; i += 1) {
        runEffect(this, run, effects[i] as string, params[i], events[i] as TaskEvent)
      }
    }
  }

  /** The latest value wins; whoever watches is told. */
  progress(run: TaskRun, percent: number, note: string | undefined): void {
    run.progress = { percent: Math.min(100, Math.max(0, Number(percent) || 0)), note }
    for (const watcher of run.watchers ?? []) watcher.onProgress?.(run.progress)
    this.ports.progressed(run)
  }

  /** Live runs, oldest first. */
  *runs(state?: TaskState): Generator<TaskRun> {
    for (const run of this.live.values()) if (state === undefined || run.state === state) yield run
  }

  /** Sends `event` to every live run that `matches`. */
  broadcast(event: TaskEvent, matches: (run: TaskRun) => boolean): void {
    for (const run of [...this.live.values()]) if (matches(run)) this.deliver(run, event)
  }

  #step(run: TaskRun, event: TaskEvent): void {
    if (run.actor !== undefined) {
      run.actor.send(event)
      return
    }
    const base = this.#effects.length
    run.snapshot = this.logic.step(run.snapshot, event, this.#collect)
    const end = this.#effects.length
    for (let i = base; i < end; i += 1) {
      runEffect(this, run, this.#effects[i] as string, this.#params[i], this.#events[i] as TaskEvent)
    }
    this.#effects.length = this.#params.length = this.#events.length = base
  }

  #drain(): void {
    const runs = this.#mailRuns
    const events = this.#mailEvents
    try {
      for (;;) {
        for (let i = 0; i < runs.length; i += 1) this.#step(runs[i] as TaskRun, events[i] as TaskEvent)
        runs.length = events.length = 0
        const run = this.#nextAdmission()
        if (run === undefined) return
        this.#step(run, ADMIT)
      }
    } finally {
      this.#delivering = false
      runs.length = events.length = 0
    }
  }

  #nextAdmission(): TaskRun | undefined {
    if (!this.#open) return undefined
    const exclusive = this.exclusive > 0
    return (
      this.processes.next(exclusive) ??
      this.pool.next(exclusive) ??
      (this.lending.idle ? undefined : this.lending.relieve())
    )
  }
}
