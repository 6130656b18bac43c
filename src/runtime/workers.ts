/** `supervisor.workers`: makes workers, finds them by name, takes them away. */
import type { AnyActorRef } from 'xstate'
import type { DriverOptions } from '../actors/machine-driver.ts'
import { QueueWorkerActor } from '../actors/queue-worker.ts'
import type { ChildSpec } from '../actors/supervised.ts'
import type { TaskRun } from '../actors/task-run.ts'
import type { WorkerActor } from '../actors/worker.ts'
import { workerDriverOptions } from '../actors/worker-effects.ts'
import type { WorkerMachine } from '../actors/worker-plan.ts'
import type { WorkerPorts } from '../actors/worker-ports.ts'
import { compile } from '../machines/compile.ts'
import type { WorkerKind } from '../machines/worker-model.ts'
import type { ControlledWorkers } from './control.ts'
import { OptionError, SupervisorStateError, WorkerError } from './errors.ts'
import { QueueHandle, type QueueWorker } from './queue-handle.ts'
import { queueKind } from './queue-kind.ts'
import type { QueueWorkerOptions } from './queue-options.ts'
import { REFUSES_OTHERS } from './refusing.ts'
import type { StopLog } from './stop-report.ts'
import { EventHandle, IntervalHandle } from './timed-handle.ts'
import { WorkerCalendars } from './worker-calendar.ts'
import type {
  CronWorker,
  EventWorker,
  IntervalWorker,
  ListedWorker,
  PlainWorker,
  RruleWorker,
  Worker,
  WorkerHandle,
  WorkerInfo,
} from './worker-handle.ts'
import { CRON, EVENT, INTERVAL, type Kind, PLAIN, RRULE } from './worker-kinds.ts'
import { type ListingParts, WorkerListing } from './worker-listing.ts'
import {
  type CronWorkerOptions,
  checkWorker,
  type EventWorkerOptions,
  type IntervalWorkerOptions,
  type PlainWorkerOptions,
  type RruleWorkerOptions,
} from './worker-options.ts'
import type { AnyWorkerOptions, PlanParts } from './worker-plan.ts'

/**
 * Makes and finds the workers of a supervisor. Every name is unique among them. While the supervisor runs, a worker is
 * started when it is made: the call throws a SupervisionError (`ERR_CHILD_START_FAILED`) when that fails at once; when it
 * fails later, the worker is `failed` and rests.
 */
export interface Workers {
  /**
   * A worker whose runs come at an interval.
   *
   * @throws OptionError for bad options; WorkerError (`ERR_WORKER_NAME_TAKEN`)
   */
  interval<Input = void, Output = unknown>(
    options: IntervalWorkerOptions<Input, Output>,
  ): IntervalWorker<Input, Output>
  /**
   * A worker that runs when it is triggered.
   *
   * @throws OptionError for bad options; WorkerError (`ERR_WORKER_NAME_TAKEN`)
   */
  event<Input = void, Output = unknown>(
    options: EventWorkerOptions<Input, Output>,
  ): EventWorker<Input, Output>
  /**
   * A worker that runs again and again.
   *
   * @throws OptionError for bad options; WorkerError (`ERR_WORKER_NAME_TAKEN`)
   */
  plain<Input = void, Output = unknown>(
    options: PlainWorkerOptions<Input, Output>,
  ): PlainWorker<Input, Output>
  /**
   * A worker that runs once for each item that is put into it.
   *
   * @throws OptionError for bad options; WorkerError (`ERR_WORKER_NAME_TAKEN`)
   */
  queue<Item = unknown, Output = unknown>(
    options: QueueWorkerOptions<Item, Output>,
  ): QueueWorker<Item, Output>
  /**
   * A worker whose runs come at the instants of a cron expression.
   *
   * @throws OptionError for bad options (`ERR_SCHEDULE_INVALID`, `ERR_TIMEZONE_UNKNOWN`); WorkerError
   *   (`ERR_WORKER_NAME_TAKEN`)
   */
  cron<Input = void, Output = unknown>(options: CronWorkerOptions<Input, Output>): CronWorker<Input, Output>
  /**
   * A worker whose runs come at the instants of a recurrence rule (RFC 5545), and which ends with it.
   *
   * @throws OptionError for bad options (`ERR_SCHEDULE_INVALID`, `ERR_TIMEZONE_UNKNOWN`); WorkerError
   *   (`ERR_WORKER_NAME_TAKEN`)
   */
  rrule<Input = void, Output = unknown>(
    options: RruleWorkerOptions<Input, Output>,
  ): RruleWorker<Input, Output>
  get(name: string): Worker | undefined
  /** In the order in which they were made. */
  list(): Worker[]
  /**
   * Ends it if it lives, and forgets it. Resolves with the items that a queue worker hands back.
   *
   * @throws WorkerError (`ERR_WORKER_UNKNOWN`)
   */
  remove(name: string): Promise<unknown[]>
}

/** Where workers are supervised. */
export interface WorkerHome {
  /** @throws when its id is taken, or it fails to start within the call: then nothing is listed */
  add(spec: ChildSpec, isWanted: boolean): ListedWorker
  readonly actor: AnyActorRef
}

export interface LiveWorkersOptions extends PlanParts {
  readonly home: WorkerHome
  readonly ports: WorkerPorts
  readonly stopLog: StopLog
  /** The supervisor's state. */
  state(): string
}

export class LiveWorkers implements Workers, ControlledWorkers {
  readonly #options: LiveWorkersOptions
  readonly #listed: Map<string, WorkerListing> = new Map()
  readonly #parts: ListingParts
  /** One per kind, made when the first of it is. */
  readonly #drivers: Map<WorkerKind, DriverOptions<WorkerActor, WorkerMachine>> = new Map()

  readonly #queue: Kind
  /** Queue workers that are listed no longer, with items that they have handed back to nobody yet. */
  readonly #leavers: Set<QueueWorkerActor> = new Set()

  constructor(options: LiveWorkersOptions) {
    this.#options = options
    const { definitions, defaults, logLevel, ports, home } = options
    this.#parts = {
      definitions,
      defaults,
      logLevel,
      ports,
      calendars: new WorkerCalendars(),
      parent: () => home.actor,
    }
    this.#queue = queueKind(options.stopLog)
  }

  interval<Input, Output>(options: IntervalWorkerOptions<Input, Output>): IntervalWorker<Input, Output> {
    return this.#make(INTERVAL, options) as unknown as IntervalWorker<Input, Output>
  }

  event<Input, Output>(options: EventWorkerOptions<Input, Output>): EventWorker<Input, Output> {
    return this.#make(EVENT, options) as unknown as EventWorker<Input, Output>
  }

  cron<Input, Output>(options: CronWorkerOptions<Input, Output>): CronWorker<Input, Output> {
    return this.#make(CRON, options) as unknown as CronWorker<Input, Output>
  }

  rrule<Input, Output>(options: RruleWorkerOptions<Input, Output>): RruleWorker<Input, Output> {
    return this.#make(RRULE, options) as unknown as RruleWorker<Input, Output>
  }

  plain<Input, Output>(options: PlainWorkerOptions<Input, Output>): PlainWorker<Input, Output> {
    const { onFailure = 'backOff' } = options
    return this.#make(PLAIN, { ...options, onFailure }) as unknown as PlainWorker<Input, Output>
  }

  queue<Item, Output>(options: QueueWorkerOptions<Item, Output>): QueueWorker<Item, Output> {
    return this.#make(this.#queue, options) as unknown as QueueWorker<Item, Output>
  }

  /** A control call. */
  trigger(name: string, options: object | undefined): void {
    const { handle } = this.#find(name)
    if (!(handle instanceof EventHandle || handle instanceof IntervalHandle)) throw lacks(handle, 'trigger()')
    handle.trigger(options)
  }

  /** A control call. */
  async put(name: string, item: unknown, by: TaskRun): Promise<void> {
    const { handle } = this.#find(name)
    if (!(handle instanceof QueueHandle)) throw lacks(handle, 'put()')
    await handle.putBy(by, item)
  }

  /** What queue workers that do not live have left is handed back. */
  giveBack(): void {
    for (const { worker } of this.#listed.values()) {
      if (worker instanceof QueueWorkerActor) worker.giveBack()
    }
    for (const worker of this.#leavers) {
      worker.giveBack()
      if (!worker.hasReturned) this.#leavers.delete(worker)
    }
  }

  get(name: string): Worker | undefined {
    this.#prune(name)
    return this.#listed.get(name)?.handle as unknown as Worker | undefined
  }

  list(): Worker[] {
    for (const name of this.#listed.keys()) this.#prune(name)
    return [...this.#listed.values()].map(({ handle }) => handle as unknown as Worker)
  }

  info(): WorkerInfo[] {
    return this.list().map((worker) => worker.info())
  }

  async remove(name: string): Promise<unknown[]> {
    const listed = this.#find(name)
    const { listed: child, worker } = listed
    const queue = worker instanceof QueueWorkerActor ? worker : undefined
    queue?.expectReturned()
    await child?.remove()
    if (this.#listed.get(name) === listed) this.#forget(name)
    queue?.giveBack()
    return queue?.takeReturned() ?? []
  }

  /** @throws WorkerError (`ERR_WORKER_UNKNOWN`) */
  #find(name: string): WorkerListing {
    this.#prune(name)
    const listed = this.#listed.get(name)
    if (listed?.listed !== undefined) return listed
    throw new WorkerError(`There is no worker called "${name}".`, {
      code: 'ERR_WORKER_UNKNOWN',
      worker: name,
    })
  }

  #make(kind: Kind, given: object): WorkerHandle {
    const { home } = this.#options
    this.#requireOpen()
    const options = given as AnyWorkerOptions
    checkWorker(`workers.${kind.kind}()`, options, kind.checks)
    const { name } = options
    this.#prune(name)
    if (this.#listed.has(name)) {
      throw new WorkerError(
        `Two workers are called "${name}". Remove the other one first, or choose another name.`,
        {
          code: 'ERR_WORKER_NAME_TAKEN',
          worker: name,
        },
      )
    }
    const listing = new WorkerListing(kind, options, this.#parts, this.#driver(kind))
    this.#listed.set(name, listing)
    try {
      listing.listed = home.add(listing.worker, options.start ?? true)
    } catch (error) {
      this.#forget(name)
      throw error
    }
    return listing.handle
  }

  #requireOpen(): void {
    const state = this.#options.state()
    if (!REFUSES_OTHERS.includes(state)) return
    throw new SupervisorStateError(`The supervisor is ${state}: it accepts no worker.`, {
      code: 'ERR_SUPERVISOR_STOPPED',
    })
  }

  #driver({ kind, machine, effects }: Kind): DriverOptions<WorkerActor, WorkerMachine> {
    let driver = this.#drivers.get(kind)
    if (driver === undefined) {
      driver = workerDriverOptions(compile(machine), this.#options.ports, effects)
      this.#drivers.set(kind, driver)
    }
    return driver
  }

  /** A temporary worker that has ended is no longer listed by its group. */
  #prune(name: string): void {
    const listed = this.#listed.get(name)
    if (listed?.listed?.state !== 'removed') return
    const { worker } = listed
    if (worker instanceof QueueWorkerActor && worker.hasReturned) this.#leavers.add(worker)
    this.#forget(name)
  }

  #forget(name: string): void {
    this.#listed.delete(name)
    this.#options.definitions.forget(name)
  }
}

function lacks({ kind, name }: WorkerHandle, call: string): OptionError {
  return new OptionError(`Worker "${name}" is of kind ${kind}: it has no ${call}.`, {
    code: 'ERR_OPTION_INVALID',
  })
}
