/** The way of a transition through the tree of states: what it leaves and what it enters. */
import type { AnyStateNode } from 'xstate'

export interface Route {
  /** Left states, deepest first. */
  readonly exits: readonly AnyStateNode[]
  /** Entered states, outermost first. */
  readonly entries: readonly AnyStateNode[]
  /** Entered states whose initial transition is taken too, with its actions. */
  readonly byDefault: ReadonlySet<AnyStateNode>
  /** The atomic state it ends in. */
  readonly leaf: AnyStateNode
}

/** A transition as the machine holds it, with its one target. */
export interface Arrow {
  readonly source: AnyStateNode
  readonly target: AnyStateNode | undefined
  readonly reenter: boolean
}

/** The state and its ancestors, root first. */
export function pathTo(node: AnyStateNode): AnyStateNode[] {
  return node.parent === undefined ? [node] : [...pathTo(node.parent), node]
}

const initialOf = (node: AnyStateNode): AnyStateNode | undefined =>
  node.type === 'compound' ? (node.initial.target[0] as AnyStateNode) : undefined

/** The state and what is entered below it by default. */
export function descent(node: AnyStateNode): AnyStateNode[] {
  const child = initialOf(node)
  return child === undefined ? [node] : [node, ...descent(child)]
}

/** Strictly below; everything is below `undefined`, the place outside the root. */
const isBelow = (node: AnyStateNode, ancestor: AnyStateNode | undefined): boolean =>
  ancestor === undefined || (node !== ancestor && pathTo(node).includes(ancestor))

/** The innermost state that a transition stays within: XState's getTransitionDomain. */
function domainOf({ source, reenter }: Arrow, target: AnyStateNode): AnyStateNode | undefined {
  if (!reenter && (target === source || isBelow(target, source))) return source
  const common = pathTo(target)
    .slice(0, -1)
    .findLast((ancestor) => isBelow(source, ancestor))
  return common ?? (reenter ? undefined : source.machine.root)
}

/** Follows a transition from the active states `from` (root first). */
export function routeOf(from: readonly AnyStateNode[], arrow: Arrow): Route {
  const { source, target, reenter } = arrow
  const leaf = from.at(-1) as AnyStateNode
  if (target === undefined) return { exits: [], entries: [], byDefault: new Set(), leaf }
  const domain = domainOf(arrow, target)
  const exits = from.filter((node) => isBelow(node, domain)).reverse()
  const [, ...below] = descent(target)
  const entersTarget = target !== source || source !== domain || reenter
  const byDefault = new Set(entersTarget ? [target, ...below] : below)
  const ancestors = pathTo(target)
    .slice(0, -1)
    .filter((node) => isBelow(node, domain))
  const entries = [...ancestors, ...byDefault]
  return { exits, entries, byDefault, leaf: entries.at(-1) ?? leaf }
}
