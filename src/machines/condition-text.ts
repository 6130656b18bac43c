/** A condition in words, for events, errors and lists: as one would write it. */
import type {
  Condition,
  ConditionWindow,
  CountCondition,
  OnceCondition,
  RunningCondition,
} from './condition.ts'

const ONCE = {
  minute: 'minutely',
  hour: 'hourly',
  day: 'daily',
  week: 'weekly',
  month: 'monthly',
  year: 'yearly',
} as const

export function conditionText(condition: Condition): string {
  switch (condition.kind) {
    case 'all':
    case 'any':
      return `${condition.kind}(${condition.conditions.map(conditionText).join(', ')})`
    case 'not':
      return `not(${conditionText(condition.condition)})`
    case 'after': {
      const { tasks, outcome, which } = condition
      return `after(${tasks.length === 1 ? tasks[0] : `${which} of ${tasks.join(', ')}`}: ${outcome})`
    }
    case 'every':
      return `every(${condition.ms} ms since ${condition.since})`
    case 'once':
      return onceText(condition)
    case 'within':
      return `within(${condition.window.unit}: ${windowText(condition.window)})`
    case 'crontime':
      return `crontime(${condition.expression}${condition.timezone === undefined ? '' : ` in ${condition.timezone}`})`
    case 'retry':
      return `retry(${condition.times})`
    case 'running':
      return `${condition.waiting ? 'live' : 'running'}(${condition.task}: ${rangeText(condition)})`
    case 'count':
      return `count(${condition.task} ${condition.record} within ${typeof condition.within === 'number' ? `${condition.within} ms` : `the ${condition.within}`}: ${rangeText(condition)})`
    case 'function':
      return condition.test.name === '' ? 'condition(function)' : `condition(${condition.test.name})`
  }
}

function onceText({ unit, window, timezone, retries }: OnceCondition): string {
  const parts = [
    ...(window === undefined ? [] : [windowText(window)]),
    ...(window !== undefined || timezone === undefined ? [] : [`in ${timezone}`]),
    ...(retries === 0 ? [] : [`retries ${retries}`]),
  ]
  return `${ONCE[unit]}(${parts.join(', ')})`
}

function windowText({ from, until, timezone }: ConditionWindow): string {
  const span =
    from === undefined ? `before ${until}` : until === undefined ? `after ${from}` : `${from} to ${until}`
  return timezone === undefined ? span : `${span} in ${timezone}`
}

function rangeText({ atLeast, atMost }: RunningCondition | CountCondition): string {
  if (atLeast === atMost) return `${atLeast}`
  return atMost === Number.POSITIVE_INFINITY ? `at least ${atLeast}` : `${atLeast} to ${atMost}`
}
