/**
 * Says whether a condition is true, and when time alone may change that.
 *
 * A part that throws is neither true nor false: `not` keeps it so, `all` is false if another part is, `any` is true
 * if another part is. What is not true in the end counts as false.
 */
import type {
  AfterCondition,
  Condition,
  CountCondition,
  EveryCondition,
  FunctionCondition,
  OnceCondition,
  RecordKind,
  RetryCondition,
  RunningCondition,
} from './condition.ts'
import { type ConditionOwner, type FactKind, type Facts, isNewer, type Stamp } from './condition-facts.ts'

/** `undefined`: it threw. */
type Verdict = boolean | undefined

const NEVER = Number.POSITIVE_INFINITY

const KINDS: { readonly [K in RecordKind]: readonly FactKind[] } = {
  run: ['run'],
  success: ['success'],
  failure: ['failure'],
  finish: ['success', 'failure'],
  terminated: ['terminated'],
  inaction: ['inaction'],
  crash: ['crash'],
}

/** True or false; `facts.failed` is told of what threw. */
export function evaluate(condition: Condition, facts: Facts, owner: ConditionOwner): boolean {
  return judge(condition, facts, owner) === true
}

/** The first instant after now at which the answer may change by itself, epoch ms; infinite = never. */
export function nextChangeAt(condition: Condition, facts: Facts, owner: ConditionOwner): number {
  if (condition.kind === 'all' || condition.kind === 'any') {
    let first = NEVER
    for (const one of condition.conditions) first = Math.min(first, nextChangeAt(one, facts, owner))
    return first
  }
  if (condition.kind === 'not') return nextChangeAt(condition.condition, facts, owner)
  try {
    return changeOf(condition, facts, owner)
  } catch {
    // `judge` has reported it.
    return NEVER
  }
}

function judge(condition: Condition, facts: Facts, owner: ConditionOwner): Verdict {
  if (condition.kind === 'all') return judgeAll(condition.conditions, facts, owner, false)
  if (condition.kind === 'any') return judgeAll(condition.conditions, facts, owner, true)
  if (condition.kind === 'not') {
    const verdict = judge(condition.condition, facts, owner)
    return verdict === undefined ? undefined : !verdict
  }
  try {
    return judgeOne(condition, facts, owner)
  } catch (error) {
    facts.failed(error, condition)
    return undefined
  }
}

/** @param decisive - the verdict of one that decides for all */
function judgeAll(
  conditions: readonly Condition[],
  facts: Facts,
  owner: ConditionOwner,
  decisive: boolean,
): Verdict {
  let threw = false
  for (const one of conditions) {
    const verdict = judge(one, facts, owner)
    if (verdict === decisive) return decisive
    if (verdict === undefined) threw = true
  }
  return threw ? undefined : !decisive
}

type Part = Exclude<Condition, { kind: 'all' | 'any' | 'not' }>

function judgeOne(part: Part, facts: Facts, owner: ConditionOwner): boolean {
  switch (part.kind) {
    case 'after':
      return judgeAfter(part, facts, owner)
    case 'every':
      return judgeEvery(part, facts, owner)
    case 'once':
      return judgeOnce(part, facts, owner)
    case 'within':
      return facts.window(part.window).inside
    case 'crontime':
      return facts.crontime(part.expression, part.timezone).inside
    case 'retry':
      return judgeRetry(part, facts, owner)
    case 'running':
      return judgeRunning(part, facts)
    case 'count':
      return judgeCount(part, facts)
    case 'function':
      return judgeFunction(part, facts, owner)
  }
}

function judgeAfter({ tasks, outcome, which }: AfterCondition, facts: Facts, owner: ConditionOwner): boolean {
  const since = owner.since ?? (owner.task === undefined ? undefined : facts.last(owner.task, 'run'))
  const isFresh = (task: string): boolean => {
    const last = lastOf(facts, task, outcome)
    return last !== undefined && (since === undefined || isNewer(last, since))
  }
  return which === 'all' ? tasks.every(isFresh) : tasks.some(isFresh)
}

function judgeEvery({ ms, since }: EveryCondition, facts: Facts, owner: ConditionOwner): boolean {
  const task = taskOf(owner)
  if (facts.live(task) > 0) return false
  const last = lastOf(facts, task, since)
  return last === undefined || facts.now - last.at >= ms
}

function judgeOnce(part: OnceCondition, facts: Facts, owner: ConditionOwner): boolean {
  const task = taskOf(owner)
  const startAt = beginningOf(part, facts)
  if (startAt === undefined || facts.live(task) > 0) return false
  for (const kind of ['success', 'inaction', 'terminated'] as const) {
    const last = facts.last(task, kind)
    if (last !== undefined && last.at >= startAt) return false
  }
  return facts.recent(task, 'failure', startAt).length <= part.retries
}

function judgeRetry({ times }: RetryCondition, facts: Facts, owner: ConditionOwner): boolean {
  const task = taskOf(owner)
  const failures = facts.failures(task)
  return facts.live(task) === 0 && failures > 0 && failures <= times
}

/** Of the present period or opening; `undefined` while the window is closed. */
function beginningOf(part: OnceCondition, facts: Facts): number | undefined {
  if (part.window === undefined) return facts.period(part.unit, part.timezone).startAt
  const { inside, startAt } = facts.window(part.window)
  return inside ? startAt : undefined
}

function judgeRunning(part: RunningCondition, facts: Facts): boolean {
  const runs = part.waiting ? facts.live(part.task) : facts.running(part.task)
  return runs >= part.atLeast && runs <= part.atMost
}

function judgeCount(part: CountCondition, facts: Facts): boolean {
  const count = recordsOf(part, facts).length
  return count >= part.atLeast && count <= part.atMost
}

/** Of several kinds, in no order. */
function recordsOf({ task, record, within, timezone }: CountCondition, facts: Facts): number[] {
  if (typeof within !== 'number') {
    const { startAt } = facts.period(within, timezone)
    return KINDS[record].flatMap((kind) => facts.recent(task, kind, startAt))
  }
  // What is exactly so many ms old has left the span.
  const since = facts.now - within
  return KINDS[record].flatMap((kind) => facts.recent(task, kind, since).filter((at) => at > since))
}

function judgeFunction({ test }: FunctionCondition, facts: Facts, owner: ConditionOwner): boolean {
  const answer: unknown = test({ task: owner.task, now: facts.now })
  if (typeof answer === 'boolean') return answer
  if (answer instanceof Promise) answer.catch(() => {})
  throw new TypeError(
    `Expected the condition function to return true or false, got ${answer instanceof Promise ? 'a promise' : typeof answer}.`,
  )
}

function changeOf(part: Part, facts: Facts, owner: ConditionOwner): number {
  switch (part.kind) {
    case 'every': {
      const last = lastOf(facts, taskOf(owner), part.since)
      return last === undefined || facts.now - last.at >= part.ms ? NEVER : last.at + part.ms
    }
    case 'once':
      return part.window === undefined
        ? facts.period(part.unit, part.timezone).endAt
        : facts.window(part.window).changesAt
    case 'within':
      return facts.window(part.window).changesAt
    case 'crontime':
      return facts.crontime(part.expression, part.timezone).changesAt
    case 'count':
      return changeOfCount(part, facts)
    case 'function':
      return facts.now + part.recheckMs
    default:
      return NEVER
  }
}

function changeOfCount(part: CountCondition, facts: Facts): number {
  if (typeof part.within !== 'number') return facts.period(part.within, part.timezone).endAt
  let oldest = NEVER
  for (const at of recordsOf(part, facts)) oldest = Math.min(oldest, at)
  return oldest + part.within
}

/** The newest record of the kinds. */
function lastOf(facts: Facts, task: string, record: RecordKind): Stamp | undefined {
  let newest: Stamp | undefined
  for (const kind of KINDS[record]) {
    const last = facts.last(task, kind)
    if (last !== undefined && (newest === undefined || isNewer(last, newest))) newest = last
  }
  return newest
}

function taskOf({ task }: ConditionOwner): string {
  if (task === undefined) throw new TypeError('The condition speaks of its own task, and there is none.')
  return task
}
