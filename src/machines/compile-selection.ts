/** Which transition an event takes from a leaf: guards in order, deeper states first. */
import type { Candidate, Leaf } from './compile-leaf.ts'

type AnyEvent = { readonly type: string }

function passes(candidate: Candidate, context: object, event: AnyEvent): boolean {
  const { guard } = candidate
  if (guard === undefined) return true
  const { run } = guard
  try {
    return Boolean(run({ context, event }, guard.params))
  } catch (error) {
    const name = guard.name === undefined ? '' : `'${guard.name}' `
    const place = `transition for event '${event.type}' in state node '${candidate.source}'`
    throw new Error(`Unable to evaluate guard ${name}in ${place}:\n${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** The first candidate of a row whose guard passes. */
export function choose(row: Candidate | undefined, context: object, event: AnyEvent): Candidate | undefined {
  let candidate = row
  while (candidate !== undefined && candidate.guard !== undefined && !passes(candidate, context, event)) {
    candidate = candidate.otherwise
  }
  return candidate
}

/** Like {@link choose} for eventless transitions, whose guards throw their own errors. */
export function chooseAlways(
  row: Candidate | undefined,
  context: object,
  event: AnyEvent,
): Candidate | undefined {
  for (let candidate = row; candidate !== undefined; candidate = candidate.otherwise) {
    const { guard } = candidate
    if (guard === undefined) return candidate
    const { run } = guard
    if (run({ context, event }, guard.params)) return candidate
  }
  return undefined
}

/**
 * For an event type that no state on the path names. Nothing is remembered per type, so any number of
 * types costs no memory.
 */
export function chooseWild(leaf: Leaf, context: object, event: AnyEvent): Candidate | undefined {
  const { type } = event
  for (const { prefix, first } of leaf.wilds) {
    if (prefix !== undefined && type !== prefix && !type.startsWith(`${prefix}.`)) continue
    const candidate = choose(first, context, event)
    if (candidate !== undefined) return candidate
  }
  return undefined
}

/** The transition that an event takes, without the special meaning that some events have from outside. */
export function select(leaf: Leaf, context: object, event: AnyEvent): Candidate | undefined {
  const row = leaf.rows.get(event.type)
  return row === undefined ? chooseWild(leaf, context, event) : choose(row, context, event)
}

export function canTake(leaf: Leaf, context: object, event: AnyEvent): boolean {
  const candidate = select(leaf, context, event)
  return candidate !== undefined && !candidate.inert
}
