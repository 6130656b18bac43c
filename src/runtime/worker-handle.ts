/** The handle of one worker: what it is doing, and how it is told to do something else. */
import type { AnyActorRef } from 'xstate'
import type { Calendar } from '../actors/calendar.ts'
import type { Ticker } from '../actors/ticker.ts'
import type { WorkerActor } from '../actors/worker.ts'
import type { WorkerExit, WorkerKind, WorkerState } from '../machines/worker-model.ts'
import { check, checkOptions } from './check.ts'
import { WorkerError } from './errors.ts'
import type { CronSchedule, RruleSchedule } from './schedule-options.ts'
import type {
  CronOverrides,
  EventOverrides,
  IntervalOverrides,
  IntervalTimes,
  RruleOverrides,
  WorkerBehaviour,
} from './worker-options.ts'

/** A worker in plain data. */
export interface WorkerInfo {
  readonly name: string
  readonly kind: WorkerKind
  readonly state: WorkerState
  /** Live runs. */
  readonly live: number
  /** Runs that wait for the live one to end. */
  readonly owed: number
  /** Epoch ms of its next occurrence, if one is armed. */
  readonly nextAt: number | undefined
  /** Lives begun, runs ended, failed ones among them, occurrences and triggers skipped: since it was made. */
  readonly lives: number
  readonly runs: number
  readonly failures: number
  readonly skipped: number
}

export interface WorkerStopOptions {
  /**
   * How long it may take: ms, `true` for no bound but its `shutdownMs`, `false` for no time at all. Live runs are signalled
   * at `wait` less their `graceMs` (at once if there is less), and killed at `wait`. A second stop with a sooner bound
   * escalates. @defaultValue true
   */
  readonly wait?: boolean | number
}

/** What all workers have in common. */
// biome-ignore lint/suspicious/noExplicitAny: workers of every input and output meet here
export interface Worker<Overrides = WorkerBehaviour<any, any>> {
  readonly name: string
  readonly kind: WorkerKind
  readonly state: WorkerState
  /** The XState actor of the worker. */
  readonly actor: AnyActorRef
  /** How its life ended, once nothing lives and nothing follows; one that never lived ends with its supervisor. */
  readonly ended: Promise<WorkerExit>
  info(): WorkerInfo
  /**
   * Starts it unless it lives, with other options than it was made with if need be: they hold until the next
   * `start`. Resolves when it is up; at once before the supervisor is started, which starts it then.
   *
   * @throws OptionError for bad overrides; WorkerError (`ERR_WORKER_STATE`) for overrides while it lives; SupervisionError
   *   (`ERR_CHILD_START_FAILED`) when it does not come up: it is `failed` then, and rests
   */
  start(overrides?: Overrides): Promise<void>
  /**
   * Begins no run any more and resolves when live ones have ended, within `shutdownMs` or `wait`. One that waits for its
   * first slot is terminated, unless the supervisor stops and works off what is queued. Resolves at once when it does
   * not live. Do not await it in the worker's own handler: that waits for its own end.
   */
  stop(options?: WorkerStopOptions): Promise<WorkerExit>
  /** Ends it as `stop` does, and starts it. Resolves when it is up again. Not to be awaited in its own handler. */
  restart(): Promise<void>
  /** Begins no run until `resume`; live ones go on. @throws WorkerError (`ERR_WORKER_STOPPED`) */
  pause(): void
  /** @throws WorkerError (`ERR_WORKER_STOPPED`) */
  resume(): void
}

export interface TriggerOptions {
  /** Also while a run is live (then exactly one more follows), `when` does not hold, or the definition is disabled. */
  readonly force?: boolean
  /** Runs nothing: lets the next occurrence go by. */
  readonly skip?: boolean
}

/** A worker whose runs come at an interval. */
export interface IntervalWorker<Input = unknown, Output = unknown>
  extends Worker<IntervalOverrides<Input, Output>> {
  /** Runs it now; its grid stays. While a run is live it is skipped, unless forced. @throws WorkerError (`ERR_WORKER_STOPPED`) */
  trigger(options?: TriggerOptions): void
  /** Other times from now on, also while it lives: the next occurrence is one interval from now. */
  reschedule(times: IntervalTimes): void
}

/** A worker whose runs come at the instants of a calendar. */
export interface CalendarWorker<Overrides> extends Worker<Overrides> {
  /** Runs it now; its calendar stays. While a run is live it is skipped, unless forced. @throws WorkerError (`ERR_WORKER_STOPPED`) */
  trigger(options?: TriggerOptions): void
  /** Epoch ms of its next occurrence, jitter included; `undefined` while none is armed. */
  readonly nextAt: number | undefined
  /** The next `count` instants of its calendar from now on, epoch ms, without jitter. */
  preview(count: number): number[]
}

/** A worker whose runs come at the instants of a cron expression. */
export interface CronWorker<Input = unknown, Output = unknown>
  extends CalendarWorker<CronOverrides<Input, Output>> {
  /** Another expression from now on, also while it lives; what is omitted keeps its value. */
  reschedule(schedule: Partial<CronSchedule>): void
}

/** A worker whose runs come at the instants of a recurrence rule, and which ends with it. */
export interface RruleWorker<Input = unknown, Output = unknown>
  extends CalendarWorker<RruleOverrides<Input, Output>> {
  /** Another rule from now on, also while it lives; what is omitted keeps its value. */
  reschedule(schedule: Partial<RruleSchedule>): void
}

/** A worker that runs when it is triggered. */
export interface EventWorker<Input = unknown, Output = unknown>
  extends Worker<EventOverrides<Input, Output>> {
  /** Triggers before its handler has begun mean one run. @throws WorkerError (`ERR_WORKER_STOPPED`) */
  trigger(options?: Pick<TriggerOptions, 'force'>): void
}

/** A worker that runs again and again. */
export interface PlainWorker<Input = unknown, Output = unknown>
  extends Worker<WorkerBehaviour<Input, Output>> {}

/** A worker as its group lists it. */
export interface ListedWorker {
  readonly state: string
  start(): Promise<void>
  stop(withinMs: number): Promise<WorkerExit>
  restart(): Promise<void>
  remove(): Promise<void>
  whenEnded(): Promise<WorkerExit>
}

/** What its kind knows of a worker. */
export interface WorkerShape {
  readonly worker: WorkerActor
  child(): ListedWorker
  /** The actor that is the parent of its own. */
  parent(): AnyActorRef
  /** Makes the plan of the next life. @throws OptionError */
  override(overrides: object): void
  /** @returns what makes the ticker of a life that goes on. @throws OptionError */
  reschedule(times: object): () => Ticker
  /** What its occurrences go by, if it is a calendar. */
  readonly calendar: Calendar | undefined
}

const stopChecks = {
  wait: check.either('true, false or a number of milliseconds from 0 on', check.boolean, check.duration),
}
const RESTING: readonly string[] = ['stopped', 'failed', 'stopping', 'starting']

/** What every kind has; `timed-handle.ts` and `queue-handle.ts` add what is of theirs. */
export class WorkerHandle implements PlainWorker<unknown, unknown> {
  readonly #shape: WorkerShape

  constructor(shape: WorkerShape) {
    this.#shape = shape
  }

  get name(): string {
    return this.#shape.worker.id
  }

  get kind(): WorkerKind {
    return this.#shape.worker.workerKind
  }

  get state(): WorkerState {
    return this.#shape.worker.state
  }

  get actor(): AnyActorRef {
    return this.#shape.worker.actor(this.#shape.parent())
  }

  get ended(): Promise<WorkerExit> {
    return this.#shape.child().whenEnded()
  }

  info(): WorkerInfo {
    const { worker } = this.#shape
    const { live, owed, next } = worker.context
    return {
      name: this.name,
      kind: this.kind,
      state: this.state,
      live,
      owed: owed + (next === undefined ? 0 : 1),
      nextAt: worker.ticker?.nextAt,
      lives: worker.lives,
      runs: worker.ran,
      failures: worker.failed,
      skipped: worker.skipped,
    }
  }

  async start(overrides?: object): Promise<void> {
    const { worker } = this.#shape
    if (overrides !== undefined && worker.isAlive) {
      throw this.#error(
        'ERR_WORKER_STATE',
        'lives: other options can only be given to a worker that is stopped',
      )
    }
    if (!worker.isAlive) this.#shape.override(overrides ?? {})
    await this.#shape.child().start()
  }

  async stop(options: WorkerStopOptions = {}): Promise<WorkerExit> {
    checkOptions('worker.stop()', options, stopChecks)
    const { wait = true } = options
    return this.#shape.child().stop(wait === true ? Number.POSITIVE_INFINITY : Number(wait))
  }

  async restart(): Promise<void> {
    const { worker } = this.#shape
    worker.noteRestart()
    await this.#shape.child().restart()
  }

  pause(): void {
    this.requireLive('pause()')
    this.#shape.worker.send({ type: 'worker.pause' })
  }

  resume(): void {
    this.requireLive('resume()')
    this.#shape.worker.resume()
  }

  /** @throws WorkerError (`ERR_WORKER_STOPPED`) */
  protected requireLive(call: string): void {
    if (RESTING.includes(this.state))
      throw this.#error('ERR_WORKER_STOPPED', `is ${this.state}: ${call} needs it up`)
  }

  #error(code: string, what: string): WorkerError {
    return new WorkerError(`Worker "${this.name}" ${what}.`, { code, worker: this.name })
  }
}
