/** Options of workers: what they run, when, and what becomes of failures. Checked before anything exists. */
import type { Executor } from '../actors/attempt.ts'
import type { TypedDefinition } from '../actors/definition.ts'
import type { HandlerContext } from '../actors/handler-context.ts'
import type { PiscinaLike } from '../actors/thread-borrowed-pool.ts'
import type { Backoff } from '../machines/backoff.ts'
import { MISSED, type Missed } from '../machines/missed.ts'
import type { Outcome } from '../machines/model.ts'
import { OVERLAPS, type Overlap } from '../machines/overlap.ts'
import { RESTART_TYPES, type RestartType } from '../machines/restart.ts'
import type { OnFailure, RunCause, WhileBusy } from '../machines/worker-model.ts'
import { type Checks, check, checkOptions, refuse } from './check.ts'
import { type ConditionLike, checkCondition } from './condition-check.ts'
import type { Run } from './run.ts'
import { CRON_CHECKS, type CronSchedule, RRULE_CHECKS, type RruleSchedule } from './schedule-options.ts'
import { backoffChecks, type RunOptions, runOptionChecks } from './task-options.ts'
import type { Worker } from './worker-handle.ts'

/** What hooks of a worker are told. */
export interface WorkerHookContext {
  readonly worker: Worker
}

/** What hooks round a run of a worker are told. */
export interface WorkerRunContext<Input = unknown> extends WorkerHookContext {
  /** Why it began. */
  readonly by: RunCause
  readonly input: Input
  /** The run; `undefined` in `beforeRun`, and when it could not be submitted. */
  readonly run: Run | undefined
  /** What became of it; `undefined` before its end, and when it could not be submitted. */
  readonly outcome: Outcome | undefined
}

/** Called at the turns of a worker's life; each may be asynchronous and is waited for, except `afterStart`. */
export interface WorkerHookOptions<Input = unknown> {
  /** What it throws fails the start. */
  readonly beforeStart?: (ctx: WorkerHookContext) => unknown
  readonly afterStart?: (ctx: WorkerHookContext) => unknown
  /** No run begins any more; live ones may still go on. */
  readonly beforeStop?: (ctx: WorkerHookContext) => unknown
  /** Nothing is live any more. Also after a failed run ended the worker, not after a kill. */
  readonly afterStop?: (ctx: WorkerHookContext) => unknown
  /** What it throws fails the run, which is not submitted then. */
  readonly beforeRun?: (ctx: WorkerRunContext<Input>) => unknown
  readonly afterRun?: (ctx: WorkerRunContext<Input>) => unknown
}

/** What every worker can be told, also anew with `start(overrides)`. */
export interface WorkerBehaviour<Input = unknown, Output = unknown> {
  /** The input of its runs: a value, or a function that gives one for each run. */
  readonly input?: Input | (() => Input)
  /** Options of its runs, over those of the definition: priority, execution, deadlines, retry … */
  readonly run?: RunOptions
  readonly hooks?: WorkerHookOptions<Input>
  /**
   * Told of every run that failed: its typed error, whose `cause` is what was thrown, or what a hook threw. When it
   * throws itself, the worker fails.
   */
  readonly onError?: (error: unknown, ctx: WorkerRunContext<Input>) => unknown
  /** Told of every value; returning `false` stops the worker. What it throws fails the run. */
  readonly afterResult?: (value: Output, ctx: WorkerRunContext<Input>) => unknown
  /**
   * What a failed run does: `continue` nothing, `backOff` waits longer from failure to failure, `fail` ends the worker
   * as failed, which its restart type answers. @defaultValue 'continue', for plain workers 'backOff'
   */
  readonly onFailure?: OnFailure
  /** With `onFailure: 'backOff'`. @defaultValue exponential from 100 ms to 60 s, equal jitter */
  readonly backoff?: Backoff
  /**
   * Interval, cron and rrule workers let occurrences go by while it does not hold, plain and queue workers wait until it does,
   * event workers are triggered by it when it turns true. Joined with the `when` of the definition and its group.
   * `trigger()` asks, unless it is forced.
   */
  readonly when?: ConditionLike
  /** Runs of one life; then the worker ends. @defaultValue Infinity */
  readonly times?: number
}

/** What every worker has besides. */
export interface WorkerBase<Input = unknown, Output = unknown> extends WorkerBehaviour<Input, Output> {
  /** Unique among the workers of its supervisor. */
  readonly name: string
  /** The definition that it submits. Either this or `handler`. */
  readonly task?: TypedDefinition<Input, Output>
  /** What it runs, on the supervisor's loop. Returning `false` stops the worker. Either this or `task`. */
  readonly handler?: (input: Input, ctx: HandlerContext) => Output | Promise<Output>
  /** `false`: it waits for its own `start()`. @defaultValue true: it starts with its supervisor */
  readonly start?: boolean
  /** Whether another life follows one that ended by itself. @defaultValue 'transient' */
  readonly restart?: RestartType
  /**
   * How long `stop` may take: its runs are signalled at `shutdownMs` less their `graceMs`, and killed at `shutdownMs`.
   * @defaultValue Infinity: bounded by the supervisor's stop
   */
  readonly shutdownMs?: number
  /** Runs its thread or process tasks instead of the supervisor's: an Executor, or a pool like Piscina's. */
  readonly executor?: Executor | PiscinaLike
}

/** What a worker runs: a task or a handler, one of them. */
export type WorkerWork<Input = unknown, Output = unknown> =
  | { readonly task: NonNullable<WorkerBase<Input, Output>['task']>; readonly handler?: undefined }
  | { readonly handler: NonNullable<WorkerBase<Input, Output>['handler']>; readonly task?: undefined }

/** An input is needed unless the runs can do without. */
export type WorkerInput<Input> = undefined extends Input ? unknown : { readonly input: Input | (() => Input) }

/** Times of an interval worker, as its overrides may say them. */
export interface IntervalSteps {
  /** From start to start, on a fixed grid; from 1 on. Excludes `delayAfterMs`. */
  readonly intervalMs?: number
  /** From the end of a run to the next one. Excludes `intervalMs`. */
  readonly delayAfterMs?: number
  /** Before each run; with `intervalMs` before the first. @defaultValue 0 */
  readonly delayBeforeMs?: number
}

/** When an interval worker runs: `intervalMs`, or delays round its runs. */
export type IntervalTimes = IntervalSteps &
  (
    | { readonly intervalMs: number; readonly delayAfterMs?: undefined }
    | { readonly delayAfterMs: number; readonly intervalMs?: undefined }
    | { readonly delayBeforeMs: number; readonly intervalMs?: undefined; readonly delayAfterMs?: undefined }
  )

/** What becomes of occurrences that come at a bad time. */
export interface OccurrenceOptions {
  /** What an occurrence does while a run is live. @defaultValue 'skip' */
  readonly overlap?: Overlap
  /** What is owed for occurrences that were missed. @defaultValue 'skip' */
  readonly missed?: Missed
  /** How late an occurrence still is on time, if its successor is not due. @defaultValue Infinity */
  readonly missedAfterMs?: number
}

export interface IntervalOverrides<Input = unknown, Output = unknown>
  extends WorkerBehaviour<Input, Output>,
    IntervalSteps,
    OccurrenceOptions {}

/** Options of `supervisor.workers.interval`. */
export type IntervalWorkerOptions<Input = unknown, Output = unknown> = WorkerBase<Input, Output> &
  WorkerWork<Input, Output> &
  WorkerInput<Input> &
  IntervalTimes &
  OccurrenceOptions

export interface EventOverrides<Input = unknown, Output = unknown> extends WorkerBehaviour<Input, Output> {
  /** What a trigger does while the handler runs. @defaultValue 'once' */
  readonly whileBusy?: WhileBusy
}

/** Options of `supervisor.workers.event`. */
export type EventWorkerOptions<Input = unknown, Output = unknown> = WorkerBase<Input, Output> &
  WorkerWork<Input, Output> &
  WorkerInput<Input> &
  EventOverrides<Input, Output>

/** Options of `supervisor.workers.plain`. */
export type PlainWorkerOptions<Input = unknown, Output = unknown> = WorkerBase<Input, Output> &
  WorkerWork<Input, Output> &
  WorkerInput<Input>

/** Occurrences of a calendar. */
export interface CalendarOptions extends OccurrenceOptions {
  /** Each occurrence comes up to so many ms later, by chance, but before its successor. @defaultValue 0 */
  readonly jitterMs?: number
}

export interface CronOverrides<Input = unknown, Output = unknown>
  extends WorkerBehaviour<Input, Output>,
    Partial<CronSchedule>,
    CalendarOptions {}

/** Options of `supervisor.workers.cron`. */
export type CronWorkerOptions<Input = unknown, Output = unknown> = WorkerBase<Input, Output> &
  WorkerWork<Input, Output> &
  WorkerInput<Input> &
  CronSchedule &
  CalendarOptions

export interface RruleOverrides<Input = unknown, Output = unknown>
  extends WorkerBehaviour<Input, Output>,
    Partial<RruleSchedule>,
    CalendarOptions {}

/** Options of `supervisor.workers.rrule`. */
export type RruleWorkerOptions<Input = unknown, Output = unknown> = WorkerBase<Input, Output> &
  WorkerWork<Input, Output> &
  WorkerInput<Input> &
  RruleSchedule &
  CalendarOptions

const behaviourChecks: Checks = {
  input: check.anything,
  run: check.options(runOptionChecks),
  hooks: check.options({
    beforeStart: check.fn,
    afterStart: check.fn,
    beforeStop: check.fn,
    afterStop: check.fn,
    beforeRun: check.fn,
    afterRun: check.fn,
  }),
  onError: check.fn,
  afterResult: check.fn,
  onFailure: check.oneOf('continue', 'backOff', 'fail'),
  backoff: check.options(backoffChecks),
  when: checkCondition,
  times: check.either('a whole number from 1 on, or Infinity', check.count(1), (_, value) => {
    if (value !== Number.POSITIVE_INFINITY) throw new TypeError()
  }),
}

const baseChecks: Checks = {
  name: check.text,
  task: check.anything,
  handler: check.fn,
  start: check.boolean,
  restart: check.oneOf(...RESTART_TYPES),
  shutdownMs: check.duration,
  executor: check.either(
    'an Executor or a pool like Piscina (run, on, off)',
    check.having('an Executor', 'start', 'resize', 'warm', 'close'),
    check.having('a pool', 'run', 'on', 'off'),
  ),
}

const intervalCheck: (where: string, value: unknown) => void = (where, value) => {
  if (typeof value !== 'number' || !(value >= 1) || !Number.isFinite(value)) {
    const hint = 'No timer is finer than a millisecond; `workers.plain()` runs again and again.'
    refuse(where, 'a finite number of milliseconds from 1 on', value, hint)
  }
}

const timesChecks: Checks = {
  intervalMs: intervalCheck,
  delayAfterMs: check.finiteDuration,
  delayBeforeMs: check.finiteDuration,
}

const occurrenceChecks: Checks = {
  overlap: check.oneOf(...OVERLAPS),
  missed: check.oneOf(...MISSED),
  missedAfterMs: check.duration,
}

/** What a kind of worker checks: its options, those that `start()` takes, and how they go together. */
export interface KindChecks {
  readonly overrides: Checks
  /** @throws OptionError when options exclude each other */
  together(where: string, options: object): void
}

export const intervalChecks: KindChecks = {
  overrides: { ...timesChecks, ...occurrenceChecks },
  together: checkTimes,
}
export const cronChecks: KindChecks = {
  overrides: { ...CRON_CHECKS, ...occurrenceChecks, jitterMs: check.finiteDuration },
  together: (where, options) => check.text(`${where}.cron`, (options as Partial<CronSchedule>).cron),
}
export const rruleChecks: KindChecks = {
  overrides: { ...RRULE_CHECKS, ...occurrenceChecks, jitterMs: check.finiteDuration },
  together: (where, options) => check.text(`${where}.rrule`, (options as Partial<RruleSchedule>).rrule),
}
export const eventChecks: KindChecks = {
  overrides: { whileBusy: check.oneOf('drop', 'once', 'all') },
  together: () => {},
}
export const plainChecks: KindChecks = { overrides: {}, together: () => {} }

function checkTimes(where: string, options: IntervalSteps): void {
  const { intervalMs, delayAfterMs, delayBeforeMs } = options
  if (intervalMs !== undefined && delayAfterMs !== undefined) {
    refuse(where, 'given intervalMs or delayAfterMs, not both', options)
  }
  if (intervalMs === undefined && delayAfterMs === undefined && delayBeforeMs === undefined) {
    refuse(where, 'given intervalMs, delayAfterMs or delayBeforeMs', options)
  }
}

/** @throws OptionError */
export function checkWorker(where: string, options: WorkerBase, kind: KindChecks): void {
  checkOptions(where, options, { ...baseChecks, ...behaviourChecks, ...kind.overrides })
  check.text(`${where}.name`, options.name)
  if (options.name.includes('/')) refuse(`${where}.name`, 'free of "/"', options.name)
  if ((options.task === undefined) === (options.handler === undefined)) {
    refuse(where, 'given a task or a handler, and not both', options)
  }
  kind.together(where, options)
}

/** @throws OptionError */
export function checkOverrides(where: string, overrides: object, kind: KindChecks): void {
  checkOptions(where, overrides, { ...behaviourChecks, ...kind.overrides })
}

/** @throws OptionError */
export function checkIntervalTimes(where: string, times: object): void {
  checkOptions(where, times, timesChecks)
  checkTimes(where, times)
}
