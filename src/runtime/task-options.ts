/** What can be said about how a task runs: per supervisor (`defaults`), per definition, per submission. */
import { copyOf } from '../actors/copy-of.ts'
import type { RunPlan } from '../actors/task-run.ts'
import type { Backoff } from '../machines/backoff.ts'
import type { Condition } from '../machines/condition.ts'
import { EXECUTIONS, type Execution, type FailureKind, PRIORITIES, type Priority } from '../machines/model.ts'
import { type Checks, check, checkOptions, refuse } from './check.ts'
import { type ConditionLike, checkEndCondition, toCondition } from './condition-check.ts'
import { checkParameters } from './parameters.ts'

/** Told to `retryIf` about the attempt that failed. */
export interface RetryFacts {
  readonly kind: FailureKind
  /** The attempt that failed, from 1. */
  readonly attempt: number
}

export interface RetryOptions {
  /** All attempts, the first included. @defaultValue 1 */
  readonly attempts?: number
  /** How long to wait between them. @defaultValue exponential from 100 ms to 60 s, equal jitter */
  readonly backoff?: Backoff
  /**
   * Says whether this error is worth another attempt. One that throws means no. Not asked after a run
   * timeout. @defaultValue always
   */
  readonly retryIf?: (error: unknown, facts: RetryFacts) => boolean
}

/**
 * Options that every level has. A submission overrides its definition, which overrides the
 * supervisor's `defaults`. Durations are in ms; `0` is a real value and `Infinity` means never.
 */
export interface RunOptions {
  /** Band it waits in. @defaultValue 'normal' */
  readonly priority?: Priority
  /** Where the handler runs. @defaultValue 'async' */
  readonly execution?: Execution
  /**
   * The loop it runs on, made by `createLoop`: with `execution` async, which it implies. `'default'` is the
   * default loop, `'supervisor'` the supervisor's own. Needs a `module`. @defaultValue 'supervisor'
   */
  readonly loop?: string
  /** Waiting time in the queue after which `task.queueWarning` is emitted. @defaultValue 5000 */
  readonly queueWarningMs?: number
  /** The same for `task.queueCritical`. @defaultValue 10000 */
  readonly queueCriticalMs?: number
  /** Waiting time in the queue after which the run is terminated. @defaultValue Infinity */
  readonly queueTimeoutMs?: number
  /** Longest time of one attempt, from the start of the handler. @defaultValue Infinity */
  readonly runTimeoutMs?: number
  /** Longest time from submission to the end; child runs inherit what is left. @defaultValue Infinity */
  readonly deadlineMs?: number
  /** Between the abort signal and the next step of the stop ladder. @defaultValue 5000 */
  readonly graceMs?: number
  /** Waiting time after which it moves up a band, never above high. @defaultValue Infinity */
  readonly ageAfterMs?: number
  readonly retry?: RetryOptions
  /** `false`: one live run per definition. @defaultValue true */
  readonly multilaunch?: boolean
  /**
   * With `multilaunch: false`, what a submission does when a run is live: `queue` waits for its end,
   * `skip` returns the live run, `reject` throws, `replace` terminates it. @defaultValue 'queue'
   */
  readonly onConflict?: 'queue' | 'skip' | 'reject' | 'replace'
  /**
   * Terminates the run, with reason `endCondition`, when it turns true: before the handler begins if it is true at
   * admission, while the run is running otherwise, also while the supervisor drains. @defaultValue none
   */
  readonly endCondition?: ConditionLike
  /**
   * Values that the handler finds in `ctx.parameters`. Levels are put together key by key. A function is called at the start
   * of each attempt, in the supervisor, and its value is taken; {@link lastResult} stands for what another task returned
   * last. One that throws fails the attempt. For a thread or process the values are cloned.
   */
  readonly parameters?: Readonly<Record<string, unknown>>
  /**
   * What the run's context begins with; see `runContext`. Levels are put together key by key. Data is copied, for every
   * attempt anew: plain objects, arrays, maps, sets, dates, bytes. Functions and instances of classes stay what they are; for a
   * thread or process everything is cloned.
   */
  readonly context?: Readonly<Record<string, unknown>>
}

export const backoffChecks: Checks = {
  kind: check.oneOf('fixed', 'linear', 'exponential'),
  initialMs: check.finiteDuration,
  factor: check.number(1, 1000),
  maxMs: check.finiteDuration,
  jitter: check.either(
    "'none', 'full', 'equal' or a number from 0 to 1",
    check.oneOf('none', 'full', 'equal'),
    check.number(0, 1),
  ),
}

const retryChecks: Checks = {
  attempts: check.either('a whole number from 1 on, or Infinity', check.count(1), (_, value) => {
    if (value !== Number.POSITIVE_INFINITY) throw new TypeError()
  }),
  backoff: check.options(backoffChecks),
  retryIf: check.fn,
}

function checkContext(where: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(where, 'an object of values', value)
  }
}

export const runOptionChecks: Checks = {
  priority: check.oneOf(...PRIORITIES),
  execution: check.oneOf(...EXECUTIONS),
  loop: check.text,
  queueWarningMs: check.duration,
  queueCriticalMs: check.duration,
  queueTimeoutMs: check.duration,
  runTimeoutMs: check.duration,
  deadlineMs: check.duration,
  graceMs: check.duration,
  ageAfterMs: check.duration,
  retry: check.options(retryChecks),
  multilaunch: check.boolean,
  onConflict: check.oneOf('queue', 'skip', 'reject', 'replace'),
  endCondition: checkEndCondition,
  parameters: checkParameters,
  context: checkContext,
}

/** How options name the supervisor's own loop, and the default one. No loop can be called so. */
export const SUPERVISOR_LOOP = 'supervisor'
export const DEFAULT_LOOP = 'default'

/** What a run obeys when nobody says anything. */
export const BASE_PLAN: RunPlan = Object.freeze({
  priority: 'normal',
  execution: 'async',
  loop: undefined,
  queueWarningMs: 5_000,
  queueCriticalMs: 10_000,
  queueTimeoutMs: Number.POSITIVE_INFINITY,
  ageAfterMs: Number.POSITIVE_INFINITY,
  runTimeoutMs: Number.POSITIVE_INFINITY,
  deadlineMs: Number.POSITIVE_INFINITY,
  graceMs: 5_000,
  attempts: 1,
  backoff: {},
  retryIf: undefined,
  multilaunch: true,
  onConflict: 'queue',
  detached: false,
  endCondition: undefined,
  parameters: undefined,
  context: undefined,
} as const)

/** `plan` with what `options` say on top. The options have been checked. */
export function overridePlan(plan: RunPlan, options: RunOptions & { readonly detached?: boolean }): RunPlan {
  const { retry } = options
  const named = options.loop
  return {
    priority: options.priority ?? plan.priority,
    // Whoever names a loop means async; whoever names an execution means it without the loop of a level below.
    execution: named === undefined ? (options.execution ?? plan.execution) : 'async',
    loop: named === undefined ? (options.execution === undefined ? plan.loop : undefined) : loopOf(named),
    queueWarningMs: options.queueWarningMs ?? plan.queueWarningMs,
    queueCriticalMs: options.queueCriticalMs ?? plan.queueCriticalMs,
    queueTimeoutMs: options.queueTimeoutMs ?? plan.queueTimeoutMs,
    ageAfterMs: options.ageAfterMs ?? plan.ageAfterMs,
    runTimeoutMs: options.runTimeoutMs ?? plan.runTimeoutMs,
    deadlineMs: options.deadlineMs ?? plan.deadlineMs,
    graceMs: options.graceMs ?? plan.graceMs,
    attempts: retry?.attempts ?? plan.attempts,
    backoff: retry?.backoff ?? plan.backoff,
    retryIf: retry?.retryIf ?? plan.retryIf,
    multilaunch: options.multilaunch ?? plan.multilaunch,
    onConflict: options.onConflict ?? plan.onConflict,
    detached: options.detached ?? plan.detached,
    endCondition: endConditionOf(options, plan),
    parameters:
      options.parameters === undefined ? plan.parameters : { ...plan.parameters, ...options.parameters },
    context: options.context === undefined ? plan.context : copyOf({ ...plan.context, ...options.context }),
  }
}

function loopOf(name: string): string | undefined {
  return name === SUPERVISOR_LOOP ? undefined : name
}

/** @throws OptionError when one level names a loop and an execution that has none */
export function checkLoop(where: string, { execution, loop }: RunOptions): void {
  if (loop === undefined || loop === SUPERVISOR_LOOP || execution === undefined || execution === 'async')
    return
  refuse(`${where}.execution`, "'async' where a loop is named", execution, 'Only async tasks run on loops.')
}

/** Checks a submission's own options. */
export const submitChecks: Checks = {
  ...runOptionChecks,
  runId: check.wellFormed,
  delayMs: check.finiteDuration,
  runAt: check.instant,
  expiresAt: check.instant,
  signal: check.signal,
  detached: check.boolean,
}

/** Options of one submission. */
export interface SubmitOptions extends RunOptions {
  /** The id of the run. Refused when it is live already. @defaultValue a UUIDv7 */
  readonly runId?: string
  /** Waits this long before it is queued. Excludes `runAt`. @defaultValue 0 */
  readonly delayMs?: number
  /** Is queued at this instant. Excludes `delayMs`. */
  readonly runAt?: number | Date
  /** Fails as `expired` when it has not run by then. */
  readonly expiresAt?: number | Date
  /** Cancels the run when it is aborted, with its reason. */
  readonly signal?: AbortSignal
  /** For children: neither cancelled with the parent nor bound by its deadline. @defaultValue false */
  readonly detached?: boolean
}

/** Options given with a call go before its own; what is `undefined` counts as not given. */
export function overCall(
  called: SubmitOptions | undefined,
  given: SubmitOptions | undefined,
): SubmitOptions | undefined {
  if (called === undefined || given === undefined) return given ?? called
  checkSubmitOptions(given)
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  if (!('runAt' in said || 'delayMs' in said)) return { ...called, ...said }
  const { runAt: _, delayMs: __, ...rest } = called
  return { ...rest, ...said }
}

export function checkSubmitOptions(options: SubmitOptions): void {
  checkOptions('options', options, submitChecks)
  checkLoop('options', options)
  if (options.delayMs !== undefined && options.runAt !== undefined) {
    refuse('options', 'given delayMs or runAt, not both', options)
  }
}

function endConditionOf({ endCondition }: RunOptions, plan: RunPlan): Condition | undefined {
  return endCondition === undefined ? plan.endCondition : toCondition(endCondition)
}
