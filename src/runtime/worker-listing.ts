/**
 * One worker as its supervisor lists it: its options, and the plans that follow from them. One object per worker,
 * because there may be ten thousand.
 *
 * The options are those it was made with, until it is rescheduled; overrides of a start hold for the plan alone.
 */
import type { AnyActorRef } from 'xstate'
import type { Calendar } from '../actors/calendar.ts'
import type { DriverOptions } from '../actors/machine-driver.ts'
import type { Ticker } from '../actors/ticker.ts'
import { WorkerActor, type WorkerOptions } from '../actors/worker.ts'
import type { WorkerMachine, WorkerPlan, WorkerTimes } from '../actors/worker-plan.ts'
import type { WorkerPorts } from '../actors/worker-ports.ts'
import { WorkerError } from './errors.ts'
import type { WorkerCalendars } from './worker-calendar.ts'
import type { ListedWorker, WorkerHandle, WorkerShape } from './worker-handle.ts'
import type { Kind } from './worker-kinds.ts'
import { checkOverrides, type IntervalSteps } from './worker-options.ts'
import {
  type AnyWorkerOptions,
  type PlanParts,
  type WorkerTask,
  workerPlan,
  workerTask,
} from './worker-plan.ts'

/** What all listings of a supervisor share. */
export interface ListingParts extends PlanParts {
  readonly ports: WorkerPorts
  readonly calendars: WorkerCalendars
  /** The actor that is the parent of the workers' own. */
  parent(): AnyActorRef
}

export class WorkerListing implements WorkerShape {
  readonly worker: WorkerActor
  readonly handle: WorkerHandle
  /** As its group lists it; `undefined` while it is being made. */
  listed: ListedWorker | undefined = undefined
  readonly #kind: Kind
  readonly #parts: ListingParts
  readonly #task: WorkerTask
  #options: AnyWorkerOptions
  /** Those that the options say. */
  #times: WorkerTimes

  /**
   * @param options - have been checked
   * @throws OptionError for a task or a calendar that will not do
   */
  constructor(
    kind: Kind,
    options: AnyWorkerOptions,
    parts: ListingParts,
    driver: DriverOptions<WorkerActor, WorkerMachine>,
  ) {
    this.#kind = kind
    this.#parts = parts
    this.#options = options
    const where = this.#where
    let task = workerTask(where, options, parts)
    const times = kind.times(where, options, parts)
    this.#times = times
    let plan = workerPlan(where, options, task, times, this)
    if (!task.entry.met) {
      // All is well: from now on the name of the task is taken.
      task = { ...task, entry: parts.definitions.meet(task.entry) }
      plan = workerPlan(where, options, task, times, this)
    }
    this.#task = task
    this.#adopt(plan)
    const actorOptions: WorkerOptions = {
      name: options.name,
      kind: kind.kind,
      restart: options.restart ?? 'transient',
      shutdownMs: options.shutdownMs ?? Number.POSITIVE_INFINITY,
      ports: parts.ports,
      plan,
      driver,
    }
    this.worker = kind.actor?.(actorOptions, options) ?? new WorkerActor(actorOptions)
    this.handle = kind.handle(this)
    this.worker.handle = this.handle
  }

  child(): ListedWorker {
    if (this.listed !== undefined) return this.listed
    const { id } = this.worker
    throw new WorkerError(`Worker "${id}" is just being made: it can be told when that is done.`, {
      code: 'ERR_WORKER_STATE',
      worker: id,
    })
  }

  parent(): AnyActorRef {
    return this.#parts.parent()
  }

  override(overrides: object): void {
    const kind = this.#kind
    checkOverrides('start()', overrides, kind.checks)
    const merged = mergeTimes(this.#options, overrides)
    kind.checks.together('start()', merged)
    this.#adopt(this.#obey(merged, kind.times('start()', merged, this.#parts, this.#times)))
  }

  reschedule(given: object): () => Ticker {
    const kind = this.#kind
    kind.checkTimes('reschedule()', given)
    const merged = mergeTimes(this.#options, given)
    const times = kind.times('reschedule()', merged, this.#parts)
    this.#options = merged
    this.#times = times
    this.#obey(merged, times)
    return () => times.ticker(this.worker, false) as Ticker
  }

  get calendar(): Calendar | undefined {
    return this.worker.plan.times.calendar
  }

  #obey(options: AnyWorkerOptions, times: WorkerTimes): WorkerPlan {
    const { worker } = this
    worker.plan = workerPlan(this.#where, options, this.#task, times, this)
    this.#kind.configure?.(worker, options)
    return worker.plan
  }

  /** Conditions ask about the handlers of workers that have one. */
  #adopt({ when, entry }: WorkerPlan): void {
    if (when !== undefined && this.#options.handler !== undefined) this.#parts.definitions.adopt(entry)
  }

  get #where(): string {
    return `workers.${this.#kind.kind}()`
  }
}

/** Whoever says one of the times of an interval says all of them. */
function mergeTimes(options: AnyWorkerOptions, overrides: object): AnyWorkerOptions {
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined))
  const says = 'intervalMs' in given || 'delayAfterMs' in given || 'delayBeforeMs' in given
  const { intervalMs: _, delayAfterMs: __, delayBeforeMs: ___, ...rest } = options as IntervalSteps
  return { ...(says ? rest : options), ...given } as AnyWorkerOptions
}
