/** `supervisor.workers`: makes workers, finds them by name, takes them away. */
import type { AnyActorRef } from 'xstate'
import { DelayTicker } from '../actors/delay-ticker.ts'
import { GridTicker } from '../actors/grid-ticker.ts'
import { LoopTicker } from '../actors/loop-ticker.ts'
import type { DriverOptions } from '../actors/machine-driver.ts'
import type { ChildSpec } from '../actors/supervised.ts'
import type { Ticker } from '../actors/ticker.ts'
import { WorkerActor, type WorkerMachine, workerDriverOptions } from '../actors/worker.ts'
import type { WorkerPorts } from '../actors/worker-ports.ts'
import { compile } from '../machines/compile.ts'
import { eventWorkerMachine } from '../machines/event-worker.ts'
import { intervalWorkerMachine } from '../machines/interval-worker.ts'
import { plainWorkerMachine } from '../machines/plain-worker.ts'
import type { WorkerKind } from '../machines/worker-model.ts'
import { SupervisorStateError, WorkerError } from './errors.ts'
import {
  type EventWorker,
  type IntervalWorker,
  type ListedWorker,
  type PlainWorker,
  type Worker,
  WorkerHandle,
  type WorkerInfo,
} from './worker-handle.ts'
import {
  checkIntervalTimes,
  checkOverrides,
  checkWorker,
  type EventWorkerOptions,
  eventChecks,
  type IntervalTimes,
  type IntervalWorkerOptions,
  intervalChecks,
  type KindChecks,
  type OccurrenceOptions,
  type PlainWorkerOptions,
  plainChecks,
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
  get(name: string): Worker | undefined
  /** In the order in which they were made. */
  list(): Worker[]
  /** Ends it if it lives, and forgets it. @throws WorkerError (`ERR_WORKER_UNKNOWN`) */
  remove(name: string): Promise<void>
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
  /** The supervisor's state. */
  state(): string
}

interface Listed {
  readonly handle: WorkerHandle
  child: ListedWorker | undefined
}

/** What is particular to a kind. */
interface Kind<Options> {
  readonly kind: WorkerKind
  readonly machine: WorkerMachine
  readonly checks: KindChecks
  /** Times as `reschedule` takes them. @throws OptionError */
  checkTimes(times: object): void
  /** @param isFirst - the first occurrence of a life may come at once */
  ticker(options: Options, worker: WorkerActor, isFirst: boolean): Ticker | undefined
}

const INTERVAL: Kind<IntervalTimes & OccurrenceOptions> = {
  kind: 'interval',
  machine: intervalWorkerMachine as unknown as WorkerMachine,
  checks: intervalChecks,
  checkTimes: (times) => checkIntervalTimes('reschedule()', times),
  ticker({ intervalMs, delayAfterMs = 0, delayBeforeMs = 0, missedAfterMs }, worker, isFirst) {
    const { ports } = worker
    if (intervalMs === undefined) {
      return new DelayTicker(ports, worker, { afterMs: delayAfterMs, beforeMs: delayBeforeMs })
    }
    const firstInMs = isFirst ? delayBeforeMs : intervalMs
    return new GridTicker(ports, worker, {
      stepMs: intervalMs,
      firstInMs,
      missedAfterMs: missedAfterMs ?? Number.POSITIVE_INFINITY,
    })
  },
}

const EVENT: Kind<object> = {
  kind: 'event',
  machine: eventWorkerMachine as unknown as WorkerMachine,
  checks: eventChecks,
  checkTimes: () => {},
  ticker: () => undefined,
}

const PLAIN: Kind<object> = {
  kind: 'plain',
  machine: plainWorkerMachine,
  checks: plainChecks,
  checkTimes: () => {},
  ticker: (_, worker) => new LoopTicker(worker),
}

export class LiveWorkers implements Workers {
  readonly #options: LiveWorkersOptions
  readonly #listed: Map<string, Listed> = new Map()
  /** One per kind, made when the first of it is. */
  readonly #drivers: Map<WorkerKind, DriverOptions<WorkerActor, WorkerMachine>> = new Map()

  constructor(options: LiveWorkersOptions) {
    this.#options = options
  }

  interval<Input, Output>(options: IntervalWorkerOptions<Input, Output>): IntervalWorker<Input, Output> {
    return this.#make(INTERVAL, 'workers.interval()', options) as unknown as IntervalWorker<Input, Output>
  }

  event<Input, Output>(options: EventWorkerOptions<Input, Output>): EventWorker<Input, Output> {
    return this.#make(EVENT, 'workers.event()', options) as unknown as EventWorker<Input, Output>
  }

  plain<Input, Output>(options: PlainWorkerOptions<Input, Output>): PlainWorker<Input, Output> {
    const { onFailure = 'backOff' } = options
    return this.#make(PLAIN, 'workers.plain()', { ...options, onFailure }) as unknown as PlainWorker<
      Input,
      Output
    >
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

  async remove(name: string): Promise<void> {
    this.#prune(name)
    const listed = this.#listed.get(name)
    if (listed?.child === undefined) {
      throw new WorkerError(`There is no worker called "${name}".`, {
        code: 'ERR_WORKER_UNKNOWN',
        worker: name,
      })
    }
    await listed.child.remove()
    if (this.#listed.get(name) === listed) this.#listed.delete(name)
  }

  #make<Options extends object>(kind: Kind<Options>, where: string, given: object): WorkerHandle {
    const { home, ports } = this.#options
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
    const planOf = (of: AnyWorkerOptions) => ({
      ...workerPlan(where, of, task, () => handle as unknown as Worker),
      ticker: (owner: WorkerActor) => kind.ticker(of as Options, owner, true),
    })
    let plan = planOf(options)
    if (!task.entry.met) {
      // All is well: from now on the name of the task is taken.
      task = { ...task, entry: this.#options.definitions.meet(task.entry) }
      plan = planOf(options)
    }
    const worker = new WorkerActor({
      name,
      kind: kind.kind,
      restart: options.restart ?? 'transient',
      shutdownMs: options.shutdownMs ?? Number.POSITIVE_INFINITY,
      ports,
      plan,
      driver: this.#driver(kind.kind, kind.machine),
    })
    const listed: Listed = {
      child: undefined,
      handle: new WorkerHandle({
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
          worker.plan = planOf(merged)
        },
        reschedule(times) {
          kind.checkTimes(times)
          options = mergeTimes(options, times)
          worker.plan = planOf(options)
          return kind.ticker(options as Options, worker, false) as Ticker
        },
      }),
    }
    const { handle } = listed
    worker.handle = handle
    this.#listed.set(name, listed)
    try {
      listed.child = home.add(worker, options.start ?? true)
    } catch (error) {
      this.#listed.delete(name)
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

  #driver(kind: WorkerKind, machine: WorkerMachine): DriverOptions<WorkerActor, WorkerMachine> {
    let driver = this.#drivers.get(kind)
    if (driver === undefined) {
      driver = workerDriverOptions(compile(machine), this.#options.ports.onError)
      this.#drivers.set(kind, driver)
    }
    return driver
  }

  /** A temporary worker that has ended is no longer listed by its group. */
  #prune(name: string): void {
    if (this.#listed.get(name)?.child?.state === 'removed') this.#listed.delete(name)
  }
}

/** Whoever says one of the times of an interval says all of them. */
function mergeTimes(options: AnyWorkerOptions, overrides: object): AnyWorkerOptions {
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined))
  const says = 'intervalMs' in given || 'delayAfterMs' in given || 'delayBeforeMs' in given
  const { intervalMs: _, delayAfterMs: __, delayBeforeMs: ___, ...rest } = options as IntervalTimes
  return { ...(says ? rest : options), ...given } as AnyWorkerOptions
}
