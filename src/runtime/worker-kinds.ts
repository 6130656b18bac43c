/** What is particular to each kind of worker: its machine, its options, and how its occurrences come. */
import type { Calendar } from '../actors/calendar.ts'
import { CalendarTicker } from '../actors/calendar-ticker.ts'
import { DelayTicker } from '../actors/delay-ticker.ts'
import { GridTicker } from '../actors/grid-ticker.ts'
import { LoopTicker } from '../actors/loop-ticker.ts'
import type { DriverEffects } from '../actors/machine-driver.ts'
import type { Ticker } from '../actors/ticker.ts'
import type { WorkerActor, WorkerOptions } from '../actors/worker.ts'
import type { WorkerMachine, WorkerTimes } from '../actors/worker-plan.ts'
import type { WorkerPorts } from '../actors/worker-ports.ts'
import { cronWorkerMachine } from '../machines/cron-worker.ts'
import { eventWorkerMachine } from '../machines/event-worker.ts'
import { intervalWorkerMachine } from '../machines/interval-worker.ts'
import { plainWorkerMachine } from '../machines/plain-worker.ts'
import { rruleWorkerMachine } from '../machines/rrule-worker.ts'
import type { WorkerKind } from '../machines/worker-model.ts'
import { checkOptions } from './check.ts'
import { durationText } from './duration-text.ts'
import { CRON_CHECKS, type CronSchedule, RRULE_CHECKS, type RruleSchedule } from './schedule-options.ts'
import { CalendarHandle, EventHandle, IntervalHandle } from './timed-handle.ts'
import type { WorkerCalendars } from './worker-calendar.ts'
import { WorkerHandle, type WorkerShape } from './worker-handle.ts'
import {
  type CalendarOptions,
  checkIntervalTimes,
  cronChecks,
  eventChecks,
  type IntervalSteps,
  intervalChecks,
  type KindChecks,
  type OccurrenceOptions,
  plainChecks,
  rruleChecks,
} from './worker-options.ts'

export interface KindParts {
  readonly ports: WorkerPorts
  readonly calendars: WorkerCalendars
}

export interface Kind {
  readonly kind: WorkerKind
  readonly machine: WorkerMachine
  /** What its machine asks for, where that is more than of every worker. */
  readonly effects?: DriverEffects<WorkerActor, WorkerMachine>
  readonly checks: KindChecks
  /** @throws OptionError for times that `reschedule` does not take */
  checkTimes(where: string, times: object): void
  /**
   * @param before - those that hold without these options: a rule that is the same in both has begun with them
   * @throws OptionError for a calendar that will not do
   */
  times(where: string, options: object, parts: KindParts, before?: WorkerTimes): WorkerTimes
  handle(shape: WorkerShape): WorkerHandle
  /** Its actor, where it is more than that of every worker. */
  actor?(options: WorkerOptions, given: object): WorkerActor
  /** Its options are others from now on. */
  configure?(worker: WorkerActor, options: object): void
}

// The charts differ, their words do not.
const machine = (one: unknown): WorkerMachine => one as WorkerMachine
/** Its runs do not come by time. @param text - what they come by */
export function timeless(text: string): WorkerTimes {
  return { text, calendar: undefined, ticker: () => undefined }
}

const BY_TRIGGER = timeless('when triggered')

/** Copies what it needs: the options are the user's, who may change them. */
class IntervalOccurrences implements WorkerTimes {
  readonly calendar = undefined
  readonly #ports: WorkerPorts
  readonly #intervalMs: number | undefined
  readonly #afterMs: number
  readonly #beforeMs: number
  readonly #missedAfterMs: number

  constructor(ports: WorkerPorts, times: IntervalSteps & OccurrenceOptions) {
    this.#ports = ports
    this.#intervalMs = times.intervalMs
    this.#afterMs = times.delayAfterMs ?? 0
    this.#beforeMs = times.delayBeforeMs ?? 0
    this.#missedAfterMs = times.missedAfterMs ?? Number.POSITIVE_INFINITY
  }

  get text(): string {
    if (this.#intervalMs !== undefined) return `every ${durationText(this.#intervalMs)}`
    const pauseMs = this.#afterMs + this.#beforeMs
    return pauseMs === 0 ? 'after each run' : `${durationText(pauseMs)} after each run`
  }

  ticker(worker: WorkerActor, isFirst: boolean): Ticker {
    const stepMs = this.#intervalMs
    if (stepMs === undefined)
      return new DelayTicker(this.#ports, worker, { afterMs: this.#afterMs, beforeMs: this.#beforeMs })
    const firstInMs = isFirst ? this.#beforeMs : stepMs
    return new GridTicker(this.#ports, worker, { stepMs, firstInMs, missedAfterMs: this.#missedAfterMs })
  }
}

class CalendarOccurrences implements WorkerTimes {
  readonly calendar: Calendar
  readonly #ports: WorkerPorts
  readonly #jitterMs: number
  readonly #missedAfterMs: number

  constructor(ports: WorkerPorts, options: CalendarOptions, calendar: Calendar) {
    this.#ports = ports
    this.calendar = calendar
    this.#jitterMs = options.jitterMs ?? 0
    this.#missedAfterMs = options.missedAfterMs ?? Number.POSITIVE_INFINITY
  }

  get text(): string {
    return this.calendar.text
  }

  /** The same with another calendar. */
  of(calendar: Calendar): CalendarOccurrences {
    const [jitterMs, missedAfterMs] = [this.#jitterMs, this.#missedAfterMs]
    return new CalendarOccurrences(this.#ports, { jitterMs, missedAfterMs }, calendar)
  }

  ticker(worker: WorkerActor): Ticker {
    const { calendar } = this
    const [jitterMs, missedAfterMs] = [this.#jitterMs, this.#missedAfterMs]
    return new CalendarTicker(this.#ports, worker, { calendar, jitterMs, missedAfterMs })
  }
}

/**
 * What will not do is refused when this is made. A rule without a start begins with the first life; those that follow
 * go on with it, so that COUNT counts them all.
 */
class RuleOccurrences implements WorkerTimes {
  readonly #where: string
  readonly #rule: RruleSchedule
  readonly #parts: KindParts
  /** Epoch ms of when the first life began. */
  readonly #begun: { at: number | undefined }
  #occurrences: CalendarOccurrences

  constructor(
    where: string,
    options: RruleSchedule & CalendarOptions,
    parts: KindParts,
    before: WorkerTimes | undefined,
  ) {
    const { rrule, timezone, startAt } = options
    this.#where = where
    this.#rule = { rrule, timezone, startAt }
    this.#parts = parts
    const isSame = before instanceof RuleOccurrences && before.#isOf(this.#rule)
    this.#begun = isSame ? before.#begun : { at: undefined }
    this.#occurrences = new CalendarOccurrences(parts.ports, options, this.#make())
  }

  get calendar(): Calendar {
    return this.#occurrences.calendar
  }

  get text(): string {
    return this.#occurrences.text
  }

  ticker(worker: WorkerActor): Ticker {
    if (this.#begun.at === undefined) {
      this.#begun.at = this.#parts.ports.clock.now()
      this.#occurrences = this.#occurrences.of(this.#make())
    }
    return this.#occurrences.ticker(worker)
  }

  #isOf({ rrule, timezone, startAt }: RruleSchedule): boolean {
    const own = this.#rule
    return own.rrule === rrule && own.timezone === timezone && Object.is(Number(own.startAt), Number(startAt))
  }

  #make(): Calendar {
    const { calendars, ports } = this.#parts
    return calendars.rrule(this.#where, this.#rule, this.#begun.at ?? ports.clock.now())
  }
}

export const INTERVAL: Kind = {
  kind: 'interval',
  handle: (shape) => new IntervalHandle(shape),
  machine: machine(intervalWorkerMachine),
  checks: intervalChecks,
  checkTimes: checkIntervalTimes,
  times: (_, options, { ports }) =>
    new IntervalOccurrences(ports, options as IntervalSteps & OccurrenceOptions),
}

export const CRON: Kind = {
  kind: 'cron',
  handle: (shape) => new CalendarHandle(shape),
  machine: machine(cronWorkerMachine),
  checks: cronChecks,
  checkTimes: (where, times) => checkOptions(where, times, CRON_CHECKS),
  times: (where, options, { ports, calendars }) =>
    new CalendarOccurrences(
      ports,
      options as CalendarOptions,
      calendars.cron(where, options as CronSchedule),
    ),
}

export const RRULE: Kind = {
  kind: 'rrule',
  handle: (shape) => new CalendarHandle(shape),
  machine: machine(rruleWorkerMachine),
  checks: rruleChecks,
  checkTimes: (where, times) => checkOptions(where, times, RRULE_CHECKS),
  times: (where, options, parts, before) =>
    new RuleOccurrences(where, options as RruleSchedule & CalendarOptions, parts, before),
}

export const EVENT: Kind = {
  kind: 'event',
  handle: (shape) => new EventHandle(shape),
  machine: machine(eventWorkerMachine),
  checks: eventChecks,
  checkTimes: () => {},
  times: () => BY_TRIGGER,
}

export const PLAIN: Kind = {
  kind: 'plain',
  handle: (shape) => new WorkerHandle(shape),
  machine: plainWorkerMachine,
  checks: plainChecks,
  checkTimes: () => {},
  times: () => ({ text: 'again and again', calendar: undefined, ticker: (worker) => new LoopTicker(worker) }),
}
