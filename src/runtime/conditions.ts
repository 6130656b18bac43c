/** The words for conditions. Every one is checked when it is made, frozen, and may be used many times. */

import { cronWindow } from '../actors/cron-window.ts'
import { type AnyDefinition, isDefinition } from '../actors/definition.ts'
import { TimeZone } from '../actors/time-zone.ts'
import type {
  AfterCondition,
  AllCondition,
  AnyCondition,
  ConditionFacts,
  CountCondition,
  CrontimeCondition,
  DependencyOutcome,
  EveryCondition,
  FunctionCondition,
  NotCondition,
  OnceCondition,
  RecordKind,
  RetryCondition,
  RunningCondition,
} from '../machines/condition.ts'
import type { PeriodUnit } from '../machines/condition-facts.ts'
import { type Checks, check, checkOptions, refuse } from './check.ts'
import { type ConditionLike, checkCondition, RECHECK_MS, toCondition } from './condition-check.ts'
import { type WindowOptions, windowChecks, windowOf } from './condition-window.ts'
import { checked } from './schedule-error.ts'

/** True when all of them are. */
export function all(...conditions: readonly ConditionLike[]): AllCondition {
  return Object.freeze({ kind: 'all', conditions: parts('all()', conditions) })
}

/** True when at least one of them is. */
export function any(...conditions: readonly ConditionLike[]): AnyCondition {
  return Object.freeze({ kind: 'any', conditions: parts('any()', conditions) })
}

/** True when the condition is false. One that throws is neither. */
export function not(condition: ConditionLike): NotCondition {
  checkCondition('not()', condition)
  return Object.freeze({ kind: 'not', condition: toCondition(condition) })
}

export interface AfterOptions {
  /** How it must have ended; `finish` is success or failure. @defaultValue 'success' */
  readonly outcome?: DependencyOutcome
  /** Of several tasks. @defaultValue 'all' */
  readonly which?: 'all' | 'any'
}

/**
 * True when another task has ended so since the own task last began. Several ends in between count as one.
 *
 * @throws OptionError for what is no definition, or a wrong option
 */
export function after(
  tasks: AnyDefinition | readonly AnyDefinition[],
  options: AfterOptions = {},
): AfterCondition {
  const given = Array.isArray(tasks) ? (tasks as readonly AnyDefinition[]) : [tasks as AnyDefinition]
  if (given.length === 0) refuse('after()', 'given at least one definition', tasks)
  checkOptions('after()', options, {
    outcome: check.oneOf('success', 'failure', 'finish', 'terminated'),
    which: check.oneOf('all', 'any'),
  })
  const { outcome = 'success', which = 'all' } = options
  const names = given.map((task, index) => nameOf(`after()[${index}]`, task))
  return Object.freeze({ kind: 'after', tasks: Object.freeze(names), outcome, which })
}

/**
 * True when the own task is not live and has no such record within the last `ms`.
 *
 * @throws OptionError for a duration that is not above 0, or a wrong option
 */
export function every(
  ms: number,
  options: { readonly since?: 'run' | 'success' | 'failure' | 'finish' } = {},
): EveryCondition {
  if (!Number.isFinite(ms) || ms <= 0) refuse('every(ms)', 'a finite number of milliseconds above 0', ms)
  checkOptions('every()', options, { since: check.oneOf('run', 'success', 'failure', 'finish') })
  return Object.freeze({ kind: 'every', ms, since: options.since ?? 'run' })
}

export interface OnceOptions {
  /** How many more tries a failed run has in the period. `Infinity` for no bound. @defaultValue 0 */
  readonly retries?: number
  /** An IANA name. @defaultValue the zone of this machine */
  readonly timezone?: string
}

/**
 * Once a minute: true when the own task is not live and has, in this minute, neither succeeded nor been skipped or
 * terminated, nor failed more than `retries` times. A run that the end of the program broke off counts as not done.
 */
export function minutely(options: OnceOptions = {}): OnceCondition {
  return once('minute', 'minutely()', options)
}

/** Once an hour, or once in a window of each hour; see {@link minutely}. */
export function hourly(options: OnceOptions & WindowOptions = {}): OnceCondition {
  return once('hour', 'hourly()', options)
}

/** Once a day, or once in a window of each day; see {@link minutely}. */
export function daily(options: OnceOptions & WindowOptions = {}): OnceCondition {
  return once('day', 'daily()', options)
}

/** Once a week from Monday on, or once in a window of each week; see {@link minutely}. */
export function weekly(options: OnceOptions & WindowOptions = {}): OnceCondition {
  return once('week', 'weekly()', options)
}

/** Once a month, or once in a window of each month; see {@link minutely}. */
export function monthly(options: OnceOptions & WindowOptions = {}): OnceCondition {
  return once('month', 'monthly()', options)
}

/** Once a year, or once in a window of each year; see {@link minutely}. */
export function yearly(options: OnceOptions & WindowOptions = {}): OnceCondition {
  return once('year', 'yearly()', options)
}

/**
 * True in the minutes (seconds, with a seconds field) that match a cron expression.
 *
 * @throws OptionError (`ERR_SCHEDULE_INVALID`, `ERR_TIMEZONE_UNKNOWN`)
 */
export function crontime(
  expression: string,
  options: { readonly timezone?: string } = {},
): CrontimeCondition {
  check.text('crontime(expression)', expression)
  checkOptions('crontime()', options, { timezone: check.text })
  const { timezone } = options
  checked('crontime()', () => cronWindow(expression, { timezone }))
  return Object.freeze({ kind: 'crontime', expression, timezone })
}

/**
 * True when the own task is not live, has failed last, and not more than `times` times in a row.
 *
 * @throws OptionError when it is no whole number from 0 on, nor `Infinity`
 */
export function retry(times: number): RetryCondition {
  checkTimes('retry(times)', times)
  return Object.freeze({ kind: 'retry', times })
}

export interface RunningOptions {
  readonly moreThan?: number
  readonly lessThan?: number
  /** Both included. */
  readonly between?: readonly [number, number]
  /** Counts those that wait (queued, scheduled, retrying, snoozed), too. @defaultValue false */
  readonly waiting?: boolean
}

/**
 * True when so many runs of the task are running now. Without a number: at least one.
 *
 * @throws OptionError for what is no definition, or numbers that nothing can meet
 */
export function running(task: AnyDefinition, options: RunningOptions = {}): RunningCondition {
  const name = nameOf('running()', task)
  checkOptions('running()', options, {
    moreThan: check.count(0),
    lessThan: check.count(1),
    between: checkPair,
    waiting: check.boolean,
  })
  const { moreThan, lessThan, between, waiting = false } = options
  if (between !== undefined && (moreThan !== undefined || lessThan !== undefined))
    refuse('running()', 'given between, or moreThan and lessThan, not both', options)
  const isOpen = moreThan === undefined && lessThan === undefined
  const [low, high] = between ?? [
    isOpen ? 1 : moreThan === undefined ? 0 : moreThan + 1,
    lessThan === undefined ? Number.POSITIVE_INFINITY : lessThan - 1,
  ]
  if (low > high) refuse('running()', `given numbers that a count can meet (got ${low} to ${high})`, options)
  return Object.freeze({ kind: 'running', task: name, atLeast: low, atMost: high, waiting })
}

export interface CountOptions {
  /** The present period, or the last so many ms. */
  readonly within: PeriodUnit | number
  /** @defaultValue 1 without `atMost`, else 0 */
  readonly atLeast?: number
  readonly atMost?: number
  /** An IANA name. @defaultValue the zone of this machine */
  readonly timezone?: string
}

/** So many records of one kind are remembered per definition at most. */
const MOST_RECORDS = 100_000

/**
 * True when the task has so many such records in a period or a span of time.
 *
 * @throws OptionError for what is no definition, an unknown kind of record, or numbers that nothing can meet
 */
export function count(task: AnyDefinition, record: RecordKind, options: CountOptions): CountCondition {
  const name = nameOf('count()', task)
  check.oneOf(...RECORDS)('count(task, record)', record)
  checkOptions('count()', options, countChecks)
  const { within, atMost = Number.POSITIVE_INFINITY, timezone } = options
  if (within === undefined) refuse('count().within', 'a period or a number of milliseconds', within)
  if (timezone !== undefined) checked('count().timezone', () => TimeZone.of(timezone))
  const atLeast = options.atLeast ?? (options.atMost === undefined ? 1 : 0)
  if (atLeast > atMost) refuse('count().atMost', `at least atLeast (${atLeast})`, atMost)
  return Object.freeze({ kind: 'count', task: name, record, within, timezone, atLeast, atMost })
}

/**
 * What a function of your own says, asked again every `recheckMs` and whenever something else has changed that the
 * whole condition depends on. One that throws counts as not true and is reported as `condition.failed`.
 *
 * @throws OptionError when it is no function, or the time is not above 0
 */
export function condition(
  test: (facts: ConditionFacts) => boolean,
  options: { readonly recheckMs?: number } = {},
): FunctionCondition {
  check.fn('condition(test)', test)
  checkOptions('condition()', options, { recheckMs: check.number(1, Number.POSITIVE_INFINITY) })
  return Object.freeze({ kind: 'function', test, recheckMs: options.recheckMs ?? RECHECK_MS })
}

const RECORDS: readonly RecordKind[] = [
  'run',
  'success',
  'failure',
  'finish',
  'terminated',
  'inaction',
  'crash',
]
const PERIODS = ['minute', 'hour', 'day', 'week', 'month', 'year'] as const

const countChecks: Checks = {
  within: check.either(
    `one of ${PERIODS.join(', ')} or a number of milliseconds above 0`,
    check.oneOf(...PERIODS),
    check.number(Number.MIN_VALUE, Number.MAX_SAFE_INTEGER),
  ),
  atLeast: checkRecords,
  atMost: checkRecords,
  timezone: check.text,
}

function checkRecords(where: string, value: unknown): void {
  check.count(0)(where, value)
  if ((value as number) > MOST_RECORDS) refuse(where, `at most ${MOST_RECORDS}`, value)
}

function checkPair(where: string, value: unknown): void {
  if (!Array.isArray(value) || value.length !== 2) refuse(where, 'a pair of whole numbers', value)
  for (const one of value) check.count(0)(where, one)
}

function checkTimes(where: string, value: unknown): void {
  if (value === Number.POSITIVE_INFINITY) return
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > MOST_RECORDS)
    refuse(where, `a whole number from 0 to ${MOST_RECORDS}, or Infinity`, value)
}

function once(unit: PeriodUnit, where: string, options: OnceOptions & WindowOptions): OnceCondition {
  checkOptions(where, options, {
    ...(unit === 'minute' ? { timezone: check.text } : windowChecks),
    retries: checkTimes,
  })
  const { retries = 0, timezone } = options
  if (timezone !== undefined) checked(`${where}.timezone`, () => TimeZone.of(timezone))
  const window = unit === 'minute' ? undefined : windowOf(unit, options, where)
  return Object.freeze({ kind: 'once', unit, timezone, window, retries })
}

function parts(where: string, conditions: readonly ConditionLike[]): AllCondition['conditions'] {
  if (conditions.length === 0) refuse(where, 'given at least one condition', undefined)
  conditions.forEach((one, index) => {
    checkCondition(`${where}[${index}]`, one)
  })
  return Object.freeze(conditions.map(toCondition))
}

function nameOf(where: string, task: AnyDefinition): string {
  if (!isDefinition(task)) refuse(where, 'given a definition made by defineTask()', task)
  return task.name
}
