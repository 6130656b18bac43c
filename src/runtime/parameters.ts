/** Parameters as options. */
import { type AnyDefinition, isDefinition } from '../actors/definition.ts'
import { type LastResult, lastResultOf } from '../actors/parameters.ts'
import { type Check, refuse } from './check.ts'

/**
 * What another task returned last, as a parameter: `{ parameters: { rates: lastResult(fetchRates, []) } }`. Only
 * successes of this supervisor's life count. Without a default, an attempt before the first success fails.
 *
 * @throws OptionError for what is no definition
 */
export function lastResult(task: AnyDefinition, ...fallback: [value?: unknown]): LastResult {
  if (!isDefinition(task)) refuse('lastResult()', 'given a definition made by defineTask()', task)
  return lastResultOf(task.name, fallback.length === 0 ? undefined : { value: fallback[0] })
}

export const checkParameters: Check = (where, value) => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return
  refuse(where, 'an object of parameters by name', value)
}
