/** What a machine declares, and what of it a walk did not come by. */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition, EventObject } from 'xstate'
import { beginningOf } from './machine-steps.ts'
import type { WalkEdge } from './machine-walk.ts'

/** Every candidate that the machine declares, also those that need no event (`always`), named by state, event, position and guard. */
export function declaredTransitions(machine: AnyStateMachine): Map<AnyTransitionDefinition, string> {
  const names = new Map<AnyTransitionDefinition, string>()
  const name = (
    node: AnyStateNode,
    descriptor: string,
    candidates: readonly AnyTransitionDefinition[],
  ): void => {
    for (const [index, candidate] of candidates.entries()) {
      const guard = candidate.guard as { type?: string } | string | undefined
      const guarded =
        guard === undefined ? '' : ` [${typeof guard === 'string' ? guard : (guard.type ?? 'inline')}]`
      names.set(candidate, `${node.id} ${descriptor} #${index}${guarded}`)
    }
  }
  const visit = (node: AnyStateNode): void => {
    for (const [descriptor, candidates] of node.transitions) name(node, descriptor, candidates)
    name(node, 'always', node.always ?? [])
    for (const child of Object.values(node.states)) visit(child)
  }
  visit(machine.root)
  return names
}

/** Dotted paths of all states that have none inside. A history is none: it stands for another one. */
export function atomicStates(machine: AnyStateMachine): string[] {
  const visit = (node: AnyStateNode): string[] => {
    const children = Object.values(node.states).filter(({ type }) => type !== 'history')
    return children.length === 0 ? [node.path.join('.')] : children.flatMap(visit)
  }
  return visit(machine.root)
}

/** What a machine declares and a walk did not come by: a hole in its events, or something that can never be. */
export interface Uncovered {
  /** Atomic states that were neither reached nor passed through. */
  readonly states: readonly string[]
  /** Transitions that were never taken, named as {@link declaredTransitions} names them. */
  readonly transitions: readonly string[]
}

/** @param edges - of one walk, or of several with different inputs */
export function uncovered(
  machine: AnyStateMachine,
  edges: readonly WalkEdge<unknown, EventObject>[],
): Uncovered {
  const begun = edges.flatMap(({ from }) => beginningOf(from) ?? [])
  const seen = [...begun, ...edges].flatMap(({ passed }) => passed)
  const states = new Set([
    ...seen,
    ...edges.flatMap(({ source, target }) => `${source}|${target}`.split('|')),
  ])
  const taken = new Set([...begun, ...edges].flatMap((step) => step.taken))
  return {
    states: atomicStates(machine).filter((state) => !states.has(state)),
    transitions: [...declaredTransitions(machine).values()].filter((name) => !taken.has(name)),
  }
}
