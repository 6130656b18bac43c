/** Handles of the workers whose runs come by time, by trigger or both. */
import { preview } from '../actors/calendar.ts'
import { type Checks, check, checkOptions, refuse } from './check.ts'
import {
  type CronWorker,
  type EventWorker,
  type IntervalWorker,
  type TriggerOptions,
  WorkerHandle,
  type WorkerShape,
} from './worker-handle.ts'

const force: Checks = { force: check.boolean }
const forceOrSkip: Checks = { ...force, skip: check.boolean }

export class EventHandle extends WorkerHandle implements EventWorker<unknown, unknown> {
  readonly #shape: WorkerShape

  constructor(shape: WorkerShape) {
    super(shape)
    this.#shape = shape
  }

  trigger(options: Pick<TriggerOptions, 'force'> = {}): void {
    checkOptions('trigger()', options, force)
    this.requireLive('trigger()')
    this.#shape.worker.trigger(options.force ?? false)
  }
}

export class IntervalHandle extends WorkerHandle implements IntervalWorker<unknown, unknown> {
  readonly #shape: WorkerShape

  constructor(shape: WorkerShape) {
    super(shape)
    this.#shape = shape
  }

  trigger(options: TriggerOptions = {}): void {
    checkOptions('trigger()', options, forceOrSkip)
    const { force = false, skip = false } = options
    if (force && skip) refuse('trigger()', 'given force or skip, not both', options)
    this.requireLive('trigger()')
    const { worker } = this.#shape
    if (skip) worker.send({ type: 'worker.skipNext' })
    else worker.trigger(force)
  }

  reschedule(times: object): void {
    const { worker } = this.#shape
    const ticker = this.#shape.reschedule(times)
    if (worker.ticker !== undefined && worker.isAlive) worker.reschedule(ticker())
  }
}

/** Of cron and rrule workers. */
export class CalendarHandle extends IntervalHandle implements CronWorker<unknown, unknown> {
  readonly #shape: WorkerShape

  constructor(shape: WorkerShape) {
    super(shape)
    this.#shape = shape
  }

  get nextAt(): number | undefined {
    return this.#shape.worker.ticker?.nextAt
  }

  preview(count: number): number[] {
    check.count(0)('preview(count)', count)
    const { calendar, worker } = this.#shape
    return calendar === undefined ? [] : preview(calendar, worker.ports.clock.now(), count)
  }
}
