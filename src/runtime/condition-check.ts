/** Conditions as options: what may stand for one, and what is refused. */
import { type Condition, type ConditionFacts, needsOwner } from '../machines/condition.ts'
import { conditionText } from '../machines/condition-text.ts'
import { type Check, refuse } from './check.ts'
import { OptionError } from './errors.ts'

/** A condition, or a function that says whether something is so; the function is asked again every second. */
export type ConditionLike = Condition | ((facts: ConditionFacts) => boolean)

/** How often a bare function is asked again. */
export const RECHECK_MS = 1_000

const KINDS: Readonly<Record<Condition['kind'], true>> = {
  all: true,
  any: true,
  not: true,
  after: true,
  every: true,
  once: true,
  within: true,
  crontime: true,
  retry: true,
  running: true,
  count: true,
  function: true,
}

/** The condition itself, or the function as one. It has been checked. */
export function toCondition(like: ConditionLike): Condition {
  if (typeof like !== 'function') return like
  return Object.freeze({ kind: 'function', test: like, recheckMs: RECHECK_MS })
}

export const checkCondition: Check = (where, value) => {
  if (typeof value === 'function') return
  const kind = (value as { kind?: unknown } | null | undefined)?.kind
  if (typeof kind === 'string' && Object.hasOwn(KINDS, kind)) return
  refuse(where, 'a condition (such as daily(), after(task) or all(…)) or a function', value)
}

/** A condition that does not ask when something may start. */
const checkEnd =
  (why: string): Check =>
  (where, value) => {
    checkCondition(where, value)
    const condition = toCondition(value as ConditionLike)
    if (!needsOwner(condition)) return
    throw new OptionError(
      `Expected ${where} to say ${why}, got ${conditionText(condition)}: daily and its like, every and retry say when a task may start.`,
      { code: 'ERR_OPTION_INVALID' },
    )
  }

export const checkEndCondition: Check = checkEnd('when a run must end')
export const checkShutdownCondition: Check = checkEnd('when the supervisor must stop')
