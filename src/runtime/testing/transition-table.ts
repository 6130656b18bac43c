/** A walk as text: to be read, and to be kept as a snapshot. */
import type { AnyStateMachine, EventObject } from 'xstate'
import { atomicStates } from './machine-coverage.ts'
import type { WalkEdge } from './machine-walk.ts'

/**
 * Every atomic state with every type of event that can come there: where it may lead, that it stays, or that it is ignored
 * (no transition) or swallowed (one that does nothing).
 *
 * @param edges - of one walk, or of several with different inputs
 * @param eventTypes - in which order, and which. @defaultValue those of the edges, as they first come
 */
export function transitionTable(
  machine: AnyStateMachine,
  edges: readonly WalkEdge<unknown, EventObject>[],
  eventTypes: readonly string[] = [...new Set(edges.map(({ event }) => event.type))],
): string {
  const cells = new Map<string, Set<string>>()
  for (const edge of edges) {
    for (const state of edge.source.split('|')) {
      const key = `${state} ${edge.event.type}`
      const cell = cells.get(key) ?? new Set()
      cells.set(key, cell)
      cell.add(wordFor(edge))
    }
  }
  const lines: string[] = []
  for (const state of atomicStates(machine)) {
    const ignored: string[] = []
    lines.push(state)
    for (const type of eventTypes) {
      const cell = cells.get(`${state} ${type}`)
      if (cell === undefined) continue
      if (cell.size === 1 && cell.has('ignored')) ignored.push(type)
      else lines.push(`  ${type.padEnd(22)} ${[...cell].sort().join(' | ')}`)
    }
    const final = !eventTypes.some((type) => cells.has(`${state} ${type}`))
    lines.push(final ? '  final' : `  ignored: ${ignored.join(', ') || 'nothing'}`, '')
  }
  return lines.join('\n')
}

function wordFor({ source, target, effects, from, to, taken }: WalkEdge<unknown, EventObject>): string {
  if (taken.length === 0) return 'ignored'
  if (source !== target) return `→ ${target}`
  return effects.length === 0 && from === to ? 'swallowed' : 'stays'
}
