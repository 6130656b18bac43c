/**
 * A worker as an actor: carries out what its machine asks for (machines/worker-life.ts). One object per
 * worker over all its lives; it is both what its group supervises and the incarnation that lives.
 *
 * The machine is authoritative for the state, the ticker for when, the task pool for the runs.
 */
import type { AnyActorRef } from 'xstate'
import { backoffMs } from '../machines/backoff.ts'
import type { RestartType } from '../machines/restart.ts'
import type { TaskEvent } from '../machines/task-model.ts'
import type {
  Block,
  RunCause,
  RunEnd,
  SkipReason,
  TickOccasion,
  WorkerEvent,
  WorkerFact,
  WorkerKind,
  WorkerState,
} from '../machines/worker-model.ts'
import type { Timer, TimerOwner } from './armed-timers.ts'
import { type DriverOptions, MachineDriver } from './machine-driver.ts'
import type { ChildListener, ChildLook, ChildSpec, Incarnation } from './supervised.ts'
import type { SubmissionFacts } from './task-pool.ts'
import type { TaskRun } from './task-run.ts'
import type { Ticker, TickListener } from './ticker.ts'
import type { Hook, WorkerMachine, WorkerPlan } from './worker-plan.ts'
import type { WorkerPorts } from './worker-ports.ts'
import { WorkerRun } from './worker-run.ts'

export interface WorkerOptions {
  readonly name: string
  readonly kind: WorkerKind
  readonly restart: RestartType
  readonly shutdownMs: number
  readonly ports: WorkerPorts
  readonly plan: WorkerPlan
  /** One object for all workers of a kind: {@link workerDriverOptions}. */
  readonly driver: DriverOptions<WorkerActor, WorkerMachine>
}

const BEGAN: WorkerEvent = { type: 'run.began' }

export class WorkerActor implements ChildSpec, Incarnation, TickListener, TimerOwner {
  readonly id: string
  readonly kind = 'worker'
  readonly workerKind: WorkerKind
  readonly restart: RestartType
  readonly shutdownMs: number
  readonly ports: WorkerPorts
  /** What every submission of it says. */
  readonly facts: SubmissionFacts
  /** The present one; the next life obeys what stands here when it begins. */
  plan: WorkerPlan
  ticker: Ticker | undefined = undefined
  /** Lives begun, runs ended, runs failed, occurrences and triggers skipped: over all its lives. */
  lives = 0
  ran = 0
  failed = 0
  skipped = 0
  /** The public handle. */
  handle: unknown = undefined

  readonly #driver: MachineDriver<WorkerActor, WorkerMachine>
  /** The live run that was begun last; it knows the one before. An array that is emptied and filled costs garbage. */
  #newest: WorkerRun | undefined = undefined
  #listener: ChildListener | undefined = undefined
  #backoff: Timer | undefined = undefined
  #unwatch: (() => void) | undefined = undefined
  /** The hook that is under way; another one waits for it. */
  #hook: Promise<void> | undefined = undefined
  #hooks = 0
  /** Whether the next life follows one that ended by itself, or was asked to for its sake. */
  #follows = false
  #isLooking = false
  #isOver = false
  #restarts = false

  constructor({ name, kind, restart, shutdownMs, ports, plan, driver }: WorkerOptions) {
    this.id = name
    this.workerKind = kind
    this.restart = restart
    this.shutdownMs = shutdownMs
    this.ports = ports
    this.plan = plan
    this.facts = { id: undefined, expiresInMs: Number.POSITIVE_INFINITY, parent: undefined, worker: name }
    this.#driver = new MachineDriver<WorkerActor, WorkerMachine>(this, driver)
  }

  /** That of its runs. */
  get graceMs(): number {
    return this.plan.run.graceMs
  }

  get state(): WorkerState {
    return this.#driver.state.split('.', 1)[0] as WorkerState
  }

  get context(): MachineDriver<WorkerActor, WorkerMachine>['snapshot']['context'] {
    return this.#driver.snapshot.context
  }

  /** A life is ending. */
  get isStopping(): boolean {
    return this.isAlive && typeof this.#driver.snapshot.value !== 'string'
  }

  /** A life has begun and has not ended. */
  get isAlive(): boolean {
    return this.#listener !== undefined
  }

  send(event: WorkerEvent): void {
    this.#driver.send(event)
  }

  // What its group tells it.

  start(listener: ChildListener): Incarnation {
    this.#listener = listener
    this.send({ type: 'worker.start', settings: this.plan.settings })
    return this
  }

  stop(): void {
    this.send({ type: 'worker.stop' })
  }

  hurry(): void {
    this.send({ type: 'worker.hurry' })
  }

  kill(): void {
    this.send({ type: 'worker.kill' })
  }

  actor(parent: AnyActorRef): AnyActorRef {
    return this.#driver.actorOf(parent, this.id, this.workerKind)
  }

  look(): ChildLook {
    return this.#driver.look()
  }

  // What its user tells it.

  trigger(force: boolean, by: RunCause = 'trigger'): void {
    // What its condition triggers need not ask whether that holds.
    const block = this.plan.isDisabled ? 'disabled' : by === 'condition' ? undefined : this.#block()
    this.send({ type: 'worker.trigger', force, by, block })
  }

  /** What passed while it was paused counts as missed. */
  resume(): void {
    if (this.state !== 'paused') return
    const count = this.ticker?.passed() ?? 0
    this.send({ type: 'worker.resume' })
    if (count > 0) this.send({ type: 'timer.missed', count, block: this.#block() })
  }

  /** From now on its occurrences come as `ticker` says. */
  reschedule(ticker: Ticker): void {
    this.ticker?.disarm()
    this.ticker = ticker
    this.send({ type: 'worker.reschedule' })
  }

  /** The next start is one after another life, also when somebody asked for it. */
  noteRestart(): void {
    this.#restarts = this.isAlive
  }

  // What happens to it.

  onTick(): void {
    const { ticker } = this
    if (ticker === undefined) return
    const { onTime, missed } = ticker.look()
    if (!onTime && missed === 0) return void ticker.arm('begin')
    const block = this.#block()
    // The end of the schedule is news only after what has come of it.
    this.#isLooking = true
    if (onTime) this.send({ type: 'timer.tick', block })
    if (missed > 0) this.send({ type: 'timer.missed', count: missed, block })
    this.#isLooking = false
    if (this.#isOver) this.#endSchedule()
    if (block === 'condition' && this.state === 'idle') this.watch()
  }

  onTimer(): void {
    this.#backoff = undefined
    this.send({ type: 'timer.backoff', passed: this.ticker?.passed() ?? 0 })
  }

  conditionMet(): void {
    this.trigger(false, 'condition')
  }

  runBegan(): void {
    this.send(BEGAN)
  }

  runEnded(run: WorkerRun, end: RunEnd, error: unknown): void {
    this.countEnd(run, end)
    this.send({ type: 'run.ended', end, error })
  }

  /** It is live no longer. */
  protected countEnd(run: WorkerRun, end: RunEnd): void {
    const { older, newer } = run
    if (newer === undefined) this.#newest = older
    else newer.older = older
    if (older !== undefined) older.newer = newer
    this.ran += 1
    if (end === 'failed' || end === 'fatal') this.failed += 1
  }

  /** Begins anew: what is true already is told at once. */
  protected watch(): void {
    this.#unwatch?.()
    this.#unwatch = this.ports.watch(this)
  }

  #block(): Block {
    if (this.plan.isDisabled) return 'disabled'
    return this.plan.when === undefined || this.ports.holds(this) ? undefined : 'condition'
  }

  // From here on: what the machine asks for.

  /** @internal */
  callBeforeStart(): void {
    const { hooks } = this.plan
    this.lives += 1
    this.ticker = undefined
    this.#callHook(
      hooks.beforeStart,
      () => this.send({ type: 'worker.ready' }),
      (error) => this.send({ type: 'worker.startFailed', error }),
    )
  }

  /** @internal */
  reportReady(): void {
    const { plan } = this
    this.ticker = plan.times.ticker(this, true)
    // A plain worker asks before each run, and is told only while it waits.
    if (plan.when !== undefined && this.workerKind === 'event') this.watch()
    this.#listener?.ready()
    if (plan.hooks.afterStart !== undefined) this.#report('afterStart', plan.hooks.afterStart)
  }

  /** @internal */
  callStopHook(name: 'beforeStop' | 'afterStop'): void {
    const done = (): void => this.send({ type: 'hook.done', slots: this.ports.slots() })
    this.#callHook(this.plan.hooks[name], done, (error) => {
      this.ports.hookFailed(this, name, error)
      done()
    })
  }

  /** @internal */
  reportExit(): void {
    const { exit } = this.context
    const listener = this.#listener
    this.#listener = undefined
    this.#hooks += 1
    this.#follows = exit.kind !== 'stopped' || this.#restarts
    this.#restarts = false
    listener?.exited(exit)
  }

  /** @internal */
  armTick(after: TickOccasion): void {
    if (this.ticker?.arm(after) !== false) return
    if (this.#isLooking) this.#isOver = true
    else this.#endSchedule()
  }

  #endSchedule(): void {
    this.#isOver = false
    this.send({ type: 'schedule.ended' })
  }

  /** @internal */
  armBackoff(): void {
    const { clock, timers, random } = this.ports
    const delayMs = backoffMs(this.plan.backoff, Math.max(1, this.context.failures), random())
    this.#backoff = timers.arm(clock.monotonic() + delayMs, this, 'timer.backoff')
  }

  /** @internal */
  disarm(): void {
    this.ticker?.disarm()
    if (this.#backoff !== undefined) this.ports.timers.cancel(this.#backoff)
    this.#backoff = undefined
    if (!this.#driver.state.startsWith('stopping')) return
    this.#unwatch?.()
    this.#unwatch = undefined
  }

  /** @internal */
  startRun(by: RunCause): void {
    this.begin(new WorkerRun(this, by), this.plan.input)
  }

  protected begin(run: WorkerRun, input: () => unknown): void {
    run.older = this.#newest
    if (run.older !== undefined) run.older.newer = run
    this.#newest = run
    run.begin(input)
  }

  /** Task runs that are live. */
  protected liveRuns(): TaskRun[] {
    return this.#live().flatMap(({ run }) => (run === undefined ? [] : [run]))
  }

  /** The oldest first. */
  #live(): WorkerRun[] {
    const runs: WorkerRun[] = []
    for (let run = this.#newest; run !== undefined; run = run.older) runs.push(run)
    return runs.reverse()
  }

  /** @internal */
  tellRuns(event: TaskEvent): void {
    for (const run of this.#live()) run.tell(event)
  }

  /** @internal */
  endUnbegun(event: TaskEvent): void {
    for (const run of this.#live()) if (!run.hasBegun) run.tell(event)
  }

  /** @internal */
  killRuns(): void {
    for (const run of this.#live()) run.kill()
  }

  /** @internal */
  skip(reason: SkipReason, count: number): void {
    if (count === 0) return
    this.skipped += count
    this.ports.announce(this, { fact: 'skipped', reason, count })
  }

  /** @internal */
  announce(fact: WorkerFact): void {
    const { exit } = this.context
    if (fact === 'stopped') this.ports.announce(this, { fact, exit })
    else if (fact === 'failed') {
      this.ports.announce(this, { fact, error: exit.kind === 'failed' ? exit.error : undefined })
    } else if (fact === 'started') this.ports.announce(this, { fact: this.#follows ? 'restarted' : fact })
    else this.ports.announce(this, { fact })
  }

  /** Calls a hook when the one before has ended; only the last that was called is heard. */
  #callHook(hook: Hook | undefined, done: () => void, failed: (error: unknown) => void): void {
    this.#hooks += 1
    const call = this.#hooks
    const heard = <Args extends unknown[]>(tell: (...args: Args) => void): ((...args: Args) => void) => {
      return (...args) => {
        if (call === this.#hooks) tell(...args)
      }
    }
    if (this.#hook !== undefined)
      return this.#await(this.#hook.then(() => hook?.()).then(heard(done), heard(failed)))
    if (hook === undefined) return done()
    let waits: unknown
    try {
      waits = hook()
    } catch (error) {
      return failed(error)
    }
    if (!(waits instanceof Promise)) return done()
    this.#await(waits.then(heard(done), heard(failed)))
  }

  #await(hook: Promise<void>): void {
    const ended = hook.then(() => {
      if (this.#hook === ended) this.#hook = undefined
    })
    this.#hook = ended
  }

  #report(name: string, hook: Hook): void {
    const report = (error: unknown): void => this.ports.hookFailed(this, name, error)
    try {
      const waits = hook()
      if (waits instanceof Promise) waits.catch(report)
    } catch (error) {
      report(error)
    }
  }
}
