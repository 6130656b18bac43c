/** `when`: the condition under which workers submit a task. Submissions by hand do not ask. */
import type { AnyDefinition } from '../actors/definition.ts'
import type { Condition } from '../machines/condition.ts'
import { type ConditionLike, toCondition } from './condition-check.ts'

/** Both, if there are two. They have been checked. */
export function both(
  one: ConditionLike | undefined,
  other: ConditionLike | undefined,
): Condition | undefined {
  if (one === undefined) return other === undefined ? undefined : toCondition(other)
  if (other === undefined) return toCondition(one)
  return Object.freeze({ kind: 'all', conditions: Object.freeze([toCondition(one), toCondition(other)]) })
}

/**
 * What a worker of a definition obeys: the `when` of its group, of the definition, and its own, all of them. Ask once
 * and keep the answer: a watch and a question about one condition know of each other by its identity.
 */
export function whenOf(definition: AnyDefinition, own?: ConditionLike): Condition | undefined {
  const { options } = definition as { options?: { when?: ConditionLike } }
  return both(options?.when, own)
}
