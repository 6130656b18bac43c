/** A state value as a dotted path; of parallel regions all paths, joined by a comma and a space. */
import type { StateValue } from 'xstate'

export function statePath(value: StateValue | undefined): string {
  return leavesOf(value).join(', ')
}

function leavesOf(value: StateValue | undefined): string[] {
  if (typeof value !== 'object') return [value ?? '']
  return Object.entries(value).flatMap(([state, inner]) => {
    const leaves = leavesOf(inner)
    return leaves.length === 0 ? [state] : leaves.map((leaf) => `${state}.${leaf}`)
  })
}
