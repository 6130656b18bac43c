/** `supervisor.workers`: makes workers, finds them by name, takes them away. */
import type { AnyActorRef } from 'xstate'
import type { DriverOptions } from '../actors/machine-driver.ts'
import { QueueWorkerActor } from '../actors/queue-worker.ts'
import type { ChildSpec } from '../actors/supervised.ts'
import type { TaskRun } from '../actors/task-run.ts'
import type { Ticker } from '../actors/ticker.ts'
import { WorkerActor, type WorkerOptions } from '../actors/worker.ts'
import { workerDriverOptions } from '../actors/worker-effects.ts'
import type { WorkerMachine, WorkerPlan } from '../actors/worker-plan.ts'
import type { WorkerPorts } from '../actors/worker-ports.ts'
import { compile } from '../machines/compile.ts'
import type { WorkerKind } from '../machines/worker-model.ts'
import type { ControlledWorkers } from './control.ts'
import { OptionError, SupervisorStateError, WorkerError } from './errors.ts'
import { QueueHandle, type QueueWorker } from './queue-handle.ts'
import { queueKind } from './queue-kind.ts'
import type { QueueWorkerOptions } from './queue-options.ts'
import type { StopLog } from './stop-report.ts'
import { WorkerCalendars } from './worker-calendar.ts'
import {
  type CronWorker,
  type EventWorker,
  type IntervalWorker,
  type ListedWorker,
  type PlainWorker,
  type RruleWorker,
  type Worker,
  WorkerHandle,
  type WorkerInfo,
  type WorkerShape,
} from './worker-handle.ts'
import { CRON, EVENT, INTERVAL, type Kind, PLAIN, RRULE, type WorkerTimes } from './worker-kinds.ts'
import {
  type CronWorkerOptions,
  checkOverrides,
  checkWorker,
  type EventWorkerOptions,
  type IntervalTimes,
  type IntervalWorkerOptions,
  type PlainWorkerOptions,
  type RruleWorkerOptions,
} from './worker-options.ts'
import { type AnyWorkerOptions, type PlanParts, workerPlan, workerTask } from './worker-plan.ts'

/** Makes and finds the workers of a supervisor. Every name is unique among them. */
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

interface Listed {
  readonly worker: WorkerActor
  readonly handle: WorkerHandle
  child: ListedWorker | undefined
}

export class LiveWorkers implements Workers, ControlledWorkers {
  readonly #options: LiveWorkersOptions
  readonly #listed: Map<string, Listed> = new Map()
  readonly #calendars: WorkerCalendars = new WorkerCalendars()
  /** One per kind, made when the first of it is. */
  readonly #drivers: Map<WorkerKind, DriverOptions<WorkerActor, WorkerMachine>> = new Map()

  readonly #queue: Kind

  constructor(options: LiveWorkersOptions) {
    this.#options = options
    this.#queue = queueKind(options.stopLog)
  }

  interval<Input, Output>(options: IntervalWorkerOptions<Input, Output>): IntervalWorker<Input, Output> {
    return this.#make(INTERVAL, 'workers.interval()', options) as unknown as IntervalWorker<Input, Output>
  }

  event<Input, Output>(options: EventWorkerOptions<Input, Output>): EventWorker<Input, Output> {
    return this.#make(EVENT, 'workers.event()', options) as unknown as EventWorker<Input, Output>
  }

  cron<Input, Output>(options: CronWorkerOptions<Input, Output>): CronWorker<Input, Output> {
    return this.#make(CRON, 'workers.cron()', options) as unknown as CronWorker<Input, Output>
  }

  rrule<Input, Output>(options: RruleWorkerOptions<Input, Output>): RruleWorker<Input, Output> {
    return this.#make(RRULE, 'workers.rrule()', options) as unknown as RruleWorker<Input, Output>
  }

  plain<Input, Output>(options: PlainWorkerOptions<Input, Output>): PlainWorker<Input, Output> {
    const { onFailure = 'backOff' } = options
    return this.#make(PLAIN, 'workers.plain()', { ...options, onFailure }) as unknown as PlainWorker<
      Input,
      Output
    >
  }

  queue<Item, Output>(options: QueueWorkerOptions<Item, Output>): QueueWorker<Item, Output> {
    return this.#make(this.#queue, 'workers.queue()', options) as unknown as QueueWorker<Item, Output>
  }

  /** A control call. */
  trigger(name: string, options: object | undefined): void {
    const { handle } = this.#find(name)
    if (handle.kind === 'queue' || handle.kind === 'plain') throw lacks(handle, 'trigger()')
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
    const { child, worker } = listed
    const queue = worker instanceof QueueWorkerActor ? worker : undefined
    queue?.expectReturned()
    await child?.remove()
    if (this.#listed.get(name) === listed) this.#forget(name)
    queue?.giveBack()
    return queue?.takeReturned() ?? []
  }

  /** @throws WorkerError (`ERR_WORKER_UNKNOWN`) */
  #find(name: string): Listed {
    this.#prune(name)
    const listed = this.#listed.get(name)
    if (listed?.child !== undefined) return listed
    throw new WorkerError(`There is no worker called "${name}".`, {
      code: 'ERR_WORKER_UNKNOWN',
      worker: name,
    })
  }

  #make(kind: Kind, where: string, given: object): WorkerHandle {
    const { home, ports, definitions } = this.#options
    this.#requireOpen()
    let options = given as AnyWorkerOptions
    checkWorker(where, options, kind.checks)
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
    let task = workerTask(where, options, this.#options)
    const parts = { ports, calendars: this.#calendars }
    let times = kind.times(where, options, parts)
    const planOf = (of: AnyWorkerOptions, at: WorkerTimes): WorkerPlan => ({
      ...workerPlan(where, of, task, () => handle as unknown as Worker),
      ticker: (owner) => at.ticker(owner, true),
    })
    let plan = planOf(options, times)
    if (!task.entry.met) {
      // All is well: from now on the name of the task is taken.
      task = { ...task, entry: definitions.meet(task.entry) }
      plan = planOf(options, times)
    }
    const adopt = (made: WorkerPlan): void => {
      if (made.when !== undefined && options.handler !== undefined) definitions.adopt(made.entry)
    }
    adopt(plan)
    const actorOptions: WorkerOptions = {
      name,
      kind: kind.kind,
      restart: options.restart ?? 'transient',
      shutdownMs: options.shutdownMs ?? Number.POSITIVE_INFINITY,
      ports,
      plan,
      driver: this.#driver(kind),
    }
    const worker = kind.actor?.(actorOptions, options) ?? new WorkerActor(actorOptions)
    const makeHandle = kind.handle ?? ((shape: WorkerShape) => new WorkerHandle(shape))
    const listed: Listed = {
      child: undefined,
      worker,
      handle: makeHandle({
        worker,
        child() {
          if (listed.child !== undefined) return listed.child
          throw new WorkerError(`Worker "${name}" is just being made: it can be told when that is done.`, {
            code: 'ERR_WORKER_STATE',
            worker: name,
          })
        },
        parent: () => home.actor,
        override(overrides) {
          checkOverrides('start()', overrides, kind.checks)
          const merged = mergeTimes(options, overrides)
          kind.checks.together('start()', merged)
          const own = kind.times('start()', merged, parts)
          worker.plan = planOf(merged, own)
          adopt(worker.plan)
          times = own
          kind.configure?.(worker, merged)
        },
        reschedule(given) {
          kind.checkTimes('reschedule()', given)
          const merged = mergeTimes(options, given)
          times = kind.times('reschedule()', merged, parts)
          options = merged
          worker.plan = planOf(options, times)
          kind.configure?.(worker, options)
          return () => times.ticker(worker, false) as Ticker
        },
        calendar: () => times.calendar(),
      }),
    }
    const { handle } = listed
    worker.handle = handle
    this.#listed.set(name, listed)
    try {
      listed.child = home.add(worker, options.start ?? true)
    } catch (error) {
      this.#forget(name)
      throw error
    }
    return handle
  }

  #requireOpen(): void {
    const state = this.#options.state()
    if (state !== 'draining' && state !== 'stopping' && state !== 'stopped') return
    throw new SupervisorStateError(`The supervisor is ${state}: it accepts no worker.`, {
      code: 'ERR_SUPERVISOR_STOPPED',
    })
  }

  #driver({ kind, machine, effects }: Kind): DriverOptions<WorkerActor, WorkerMachine> {
    let driver = this.#drivers.get(kind)
    if (driver === undefined) {
      driver = workerDriverOptions(compile(machine), this.#options.ports.onError, effects)
      this.#drivers.set(kind, driver)
    }
    return driver
  }

  /** A temporary worker that has ended is no longer listed by its group. */
  #prune(name: string): void {
    if (this.#listed.get(name)?.child?.state === 'removed') this.#forget(name)
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

/** Whoever says one of the times of an interval says all of them. */
function mergeTimes(options: AnyWorkerOptions, overrides: object): AnyWorkerOptions {
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined))
  const says = 'intervalMs' in given || 'delayAfterMs' in given || 'delayBeforeMs' in given
  const { intervalMs: _, delayAfterMs: __, delayBeforeMs: ___, ...rest } = options as IntervalTimes
  return { ...(says ? rest : options), ...given } as AnyWorkerOptions
}
