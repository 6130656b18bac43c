/** What is particular to each kind of worker: its machine, its options, and how its occurrences come. */
import type { Calendar } from '../actors/calendar.ts'
import { CalendarTicker } from '../actors/calendar-ticker.ts'
import { DelayTicker } from '../actors/delay-ticker.ts'
import { GridTicker } from '../actors/grid-ticker.ts'
import { LoopTicker } from '../actors/loop-ticker.ts'
import type { DriverEffects } from '../actors/machine-driver.ts'
import type { Ticker } from '../actors/ticker.ts'
import type { WorkerActor, WorkerOptions } from '../actors/worker.ts'
import type { WorkerMachine } from '../actors/worker-plan.ts'
import type { WorkerPorts } from '../actors/worker-ports.ts'
import { cronWorkerMachine } from '../machines/cron-worker.ts'
import { eventWorkerMachine } from '../machines/event-worker.ts'
import { intervalWorkerMachine } from '../machines/interval-worker.ts'
import { plainWorkerMachine } from '../machines/plain-worker.ts'
import { rruleWorkerMachine } from '../machines/rrule-worker.ts'
import type { WorkerKind } from '../machines/worker-model.ts'
import { checkOptions } from './check.ts'
import { CRON_CHECKS, type CronSchedule, RRULE_CHECKS, type RruleSchedule } from './schedule-options.ts'
import type { WorkerCalendars } from './worker-calendar.ts'
import type { WorkerHandle, WorkerShape } from './worker-handle.ts'
import {
  type CalendarOptions,
  checkIntervalTimes,
  cronChecks,
  eventChecks,
  type IntervalTimes,
  intervalChecks,
  type KindChecks,
  type OccurrenceOptions,
  plainChecks,
  rruleChecks,
} from './worker-options.ts'

/** When the lives of a worker have their occurrences, as its options say. */
export interface WorkerTimes {
  /** @param isFirst - the first occurrence may come at once: a life begins */
  ticker(worker: WorkerActor, isFirst: boolean): Ticker | undefined
  /** What they go by, if that is a calendar. */
  calendar(): Calendar | undefined
}

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
  /** @throws OptionError for a calendar that will not do */
  times(where: string, options: object, parts: KindParts): WorkerTimes
  /** Its actor and its handle, where they are more than those of every worker. */
  actor?(options: WorkerOptions, given: object): WorkerActor
  handle?(shape: WorkerShape): WorkerHandle
  /** Its options are others from now on. */
  configure?(worker: WorkerActor, options: object): void
}

// The charts differ, their words do not.
const machine = (one: unknown): WorkerMachine => one as WorkerMachine
const noCalendar = (): undefined => {}
/** Its runs do not come by time. */
export const TIMELESS: WorkerTimes = { calendar: noCalendar, ticker: () => undefined }

export const INTERVAL: Kind = {
  kind: 'interval',
  machine: machine(intervalWorkerMachine),
  checks: intervalChecks,
  checkTimes: checkIntervalTimes,
  times: (_, options, { ports }) => {
    const {
      intervalMs,
      delayAfterMs = 0,
      delayBeforeMs = 0,
      missedAfterMs = Number.POSITIVE_INFINITY,
    } = options as IntervalTimes & OccurrenceOptions
    return {
      calendar: noCalendar,
      ticker(worker, isFirst) {
        if (intervalMs === undefined)
          return new DelayTicker(ports, worker, { afterMs: delayAfterMs, beforeMs: delayBeforeMs })
        const firstInMs = isFirst ? delayBeforeMs : intervalMs
        return new GridTicker(ports, worker, { stepMs: intervalMs, firstInMs, missedAfterMs })
      },
    }
  },
}

export const CRON: Kind = {
  kind: 'cron',
  machine: machine(cronWorkerMachine),
  checks: cronChecks,
  checkTimes: (where, times) => checkOptions(where, times, CRON_CHECKS),
  times(where, options, { ports, calendars }) {
    const calendar = calendars.cron(where, options as CronSchedule)
    return calendarTimes(ports, options, () => calendar)
  },
}

export const RRULE: Kind = {
  kind: 'rrule',
  machine: machine(rruleWorkerMachine),
  checks: rruleChecks,
  checkTimes: (where, times) => checkOptions(where, times, RRULE_CHECKS),
  times(where, options, { ports, calendars }) {
    const make = (): Calendar => calendars.rrule(where, options as RruleSchedule, ports.clock.now())
    // What will not do is refused now. A rule without a start begins with the first life; one that follows a
    // failure goes on with it, so that COUNT counts them all.
    let calendar = make()
    let begun = false
    const { ticker } = calendarTimes(ports, options, () => calendar)
    return {
      calendar: () => calendar,
      ticker(worker, isFirst) {
        if (!begun) calendar = make()
        begun = true
        return ticker(worker, isFirst)
      },
    }
  },
}

export const EVENT: Kind = {
  kind: 'event',
  machine: machine(eventWorkerMachine),
  checks: eventChecks,
  checkTimes: () => {},
  times: () => TIMELESS,
}

export const PLAIN: Kind = {
  kind: 'plain',
  machine: plainWorkerMachine,
  checks: plainChecks,
  checkTimes: () => {},
  times: () => ({ calendar: noCalendar, ticker: (worker) => new LoopTicker(worker) }),
}

function calendarTimes(ports: WorkerPorts, options: object, calendar: () => Calendar): WorkerTimes {
  const { jitterMs = 0, missedAfterMs = Number.POSITIVE_INFINITY } = options as CalendarOptions
  return {
    calendar,
    ticker: (worker) => new CalendarTicker(ports, worker, { calendar: calendar(), jitterMs, missedAfterMs }),
  }
}
