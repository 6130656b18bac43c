/**
 * Conditions: when something may begin, must end, or is over. Plain immutable data that `condition-judge.ts`
 * evaluates over facts about runs and time; whoever makes one composes new ones, nothing changes an old one.
 *
 * Definitions are named. The **owner** is the definition that a condition is asked for: the one that is to run
 * (`when`) or runs (`endCondition`). `once`, `every` and `retry` speak of the owner's own records.
 */
import type { PeriodUnit } from './condition-facts.ts'

/**
 * What a record of the task log says, as conditions count it. `run`: a handler began. `success`. `failure`: it failed
 * for good, its thread or process died included. `finish`: success or failure. `terminated`: cancelled or terminated.
 * `inaction`: skipped. `crash`: the program ended while it ran, as the next start found out from the task log store.
 */
export type RecordKind = 'run' | 'success' | 'failure' | 'finish' | 'terminated' | 'inaction' | 'crash'

/** How a run that others wait for may have ended. */
export type DependencyOutcome = Extract<RecordKind, 'success' | 'failure' | 'finish' | 'terminated'>

export interface ConditionWindow {
  readonly unit: Exclude<PeriodUnit, 'minute'>
  readonly from: string | undefined
  readonly until: string | undefined
  readonly timezone: string | undefined
}

export interface AllCondition {
  readonly kind: 'all'
  readonly conditions: readonly Condition[]
}

export interface AnyCondition {
  readonly kind: 'any'
  readonly conditions: readonly Condition[]
}

export interface NotCondition {
  readonly kind: 'not'
  readonly condition: Condition
}

/** The last such record of the tasks, of one or of all of them, is newer than the owner's last run. */
export interface AfterCondition {
  readonly kind: 'after'
  readonly tasks: readonly string[]
  readonly outcome: DependencyOutcome
  readonly which: 'any' | 'all'
}

/** The owner is not live and has no such record within the last `ms`. */
export interface EveryCondition {
  readonly kind: 'every'
  readonly ms: number
  readonly since: 'run' | 'success' | 'failure' | 'finish'
}

/**
 * Once per period, or per opening of the window: it is open, the owner is not live, and has since its beginning
 * neither succeeded, nor been skipped or terminated, nor failed more than `retries` times. A `crash` counts as not
 * done.
 */
export interface OnceCondition {
  readonly kind: 'once'
  readonly unit: PeriodUnit
  readonly timezone: string | undefined
  readonly window: ConditionWindow | undefined
  readonly retries: number
}

/** The window is open. */
export interface WithinCondition {
  readonly kind: 'within'
  readonly window: ConditionWindow
}

/** The present minute (second, with a seconds field) matches the expression. */
export interface CrontimeCondition {
  readonly kind: 'crontime'
  readonly expression: string
  readonly timezone: string | undefined
}

/** The owner is not live, its last record is a failure, and no more than `times` failures came in a row. */
export interface RetryCondition {
  readonly kind: 'retry'
  readonly times: number
}

/** So many runs of the task are live; queued and scheduled ones only with `waiting`. */
export interface RunningCondition {
  readonly kind: 'running'
  readonly task: string
  readonly atLeast: number
  readonly atMost: number
  readonly waiting: boolean
}

/** The task has so many such records within the present period, or within so many ms. */
export interface CountCondition {
  readonly kind: 'count'
  readonly task: string
  readonly record: RecordKind
  readonly within: PeriodUnit | number
  readonly timezone: string | undefined
  readonly atLeast: number
  readonly atMost: number
}

/** Asked again every `recheckMs`, and whenever something else that the whole depends on has changed. */
export interface FunctionCondition {
  readonly kind: 'function'
  readonly test: (facts: ConditionFacts) => boolean
  readonly recheckMs: number
}

/** What a condition function is told. */
export interface ConditionFacts {
  /** Name of the definition it is asked for, if it is asked for one. */
  readonly task: string | undefined
  /** Epoch ms. */
  readonly now: number
}

/** A condition. Make one with the functions of this name and compose them with `all`, `any` and `not`. */
export type Condition =
  | AllCondition
  | AnyCondition
  | NotCondition
  | AfterCondition
  | EveryCondition
  | OnceCondition
  | WithinCondition
  | CrontimeCondition
  | RetryCondition
  | RunningCondition
  | CountCondition
  | FunctionCondition

/** Names of the definitions that it depends on, each with how many records of each kind must be remembered. */
export function mentions(condition: Condition, owner: string | undefined): ReadonlyMap<string, number> {
  const names = new Map<string, number>()
  const mention = (name: string | undefined, records = 1): void => {
    if (name !== undefined) names.set(name, Math.max(records, names.get(name) ?? 0))
  }
  const walk = (one: Condition): void => {
    if (one.kind === 'all' || one.kind === 'any') one.conditions.forEach(walk)
    else if (one.kind === 'not') walk(one.condition)
    else if (one.kind === 'after') {
      for (const task of one.tasks) mention(task)
      mention(owner)
    } else if (one.kind === 'running') mention(one.task)
    else if (one.kind === 'count') mention(one.task, recordsToCount(one))
    else if (one.kind === 'once') mention(owner, Number.isFinite(one.retries) ? one.retries + 1 : 1)
    else if (one.kind === 'every' || one.kind === 'retry') mention(owner)
  }
  walk(condition)
  return names
}

/** One record more than the bound tells enough. */
function recordsToCount({ atLeast, atMost }: CountCondition): number {
  return Number.isFinite(atMost) ? Math.max(atLeast, atMost + 1) : atLeast
}

/** Whether it speaks of the owner's own records, so that without an owner to start it makes no sense. */
export function needsOwner(condition: Condition): boolean {
  if (condition.kind === 'all' || condition.kind === 'any') return condition.conditions.some(needsOwner)
  if (condition.kind === 'not') return needsOwner(condition.condition)
  return condition.kind === 'every' || condition.kind === 'once' || condition.kind === 'retry'
}
