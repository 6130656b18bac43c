/** A machine laid out flat: its leaves, the transitions of each, and how it begins. */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'
import { compileAction, type Op } from './compile-action.ts'
import { compileGuard } from './compile-guard.ts'
import { Candidate, type Completion, Leaf, type Wild } from './compile-leaf.ts'
import { checkMachine } from './compile-refusal.ts'
import { descent, pathTo, type Route, routeOf } from './compile-route.ts'

export interface Program {
  readonly machine: AnyStateMachine
  readonly leaves: readonly Leaf[]
  readonly leafOf: ReadonlyMap<AnyStateNode, Leaf>
  /** The transition into the initial states. */
  readonly entry: Candidate
  /** A snapshot that failed before it had a state: the initial value, but only the root's tags and meta. */
  readonly unborn: Leaf
  readonly maxIterations: number
}

const atomicIn = (node: AnyStateNode): AnyStateNode[] =>
  node.type === 'compound' ? Object.values(node.states).flatMap((child) => atomicIn(child)) : [node]

/** Action lists per state and transition, compiled once and shared by all leaves below. */
class Lists {
  readonly #known = new Map<readonly unknown[], readonly Op[]>()

  of(node: AnyStateNode, actions: readonly unknown[]): readonly Op[] {
    const known = this.#known.get(actions)
    if (known !== undefined) return known
    const ops = actions.map((action) => compileAction(node, action))
    this.#known.set(actions, ops)
    return ops
  }

  /** Everything a route performs, with `actions` of the transition in the middle. */
  along(route: Route, between: readonly Op[]): readonly Op[] {
    return [
      ...route.exits.flatMap((node) => this.of(node, node.exit)),
      ...between,
      ...route.entries.flatMap((node) => [
        ...this.of(node, node.entry),
        ...(route.byDefault.has(node) ? this.of(node, node.initial.actions) : []),
      ]),
    ]
  }
}

function completionOf(route: Route): Completion | undefined {
  const final = route.entries.find((node) => node.type === 'final')
  if (final === undefined) return undefined
  const whole = final.parent?.parent === undefined
  const type = `xstate.done.state.${whole ? final.id : final.parent?.id}`
  return { type, output: final.output, whole }
}

class Builder {
  readonly #lists = new Lists()
  readonly #guards = new Map<AnyTransitionDefinition, ReturnType<typeof compileGuard>>()
  readonly leafOf = new Map<AnyStateNode, Leaf>()
  readonly leaves: readonly Leaf[]

  constructor(machine: AnyStateMachine) {
    this.leaves = atomicIn(machine.root).map((node, index) => new Leaf(machine, index, pathTo(node)))
    for (const leaf of this.leaves) this.leafOf.set(leaf.nodes.at(-1) as AnyStateNode, leaf)
    for (const leaf of this.leaves) {
      leaf.exits = leaf.nodes.toReversed().flatMap((node) => this.#lists.of(node, node.exit))
      leaf.always = this.#chain(
        leaf,
        leaf.nodes.toReversed().flatMap((node) => node.always ?? []),
      )
    }
  }

  /** Fills the rows, once every leaf knows whether something eventless can follow on its entry. */
  fill(): void {
    for (const leaf of this.leaves) {
      const innerFirst = leaf.nodes.toReversed()
      const types = new Set(innerFirst.flatMap((node) => [...node.transitions.keys()].filter(isExact)))
      leaf.rows = new Map(
        [...types].flatMap((type) => {
          const row = this.#chain(
            leaf,
            innerFirst.flatMap((node) => transitionsFor(node, type)),
          )
          return row === undefined ? [] : [[type, row]]
        }),
      )
      leaf.wilds = innerFirst.flatMap((node) =>
        wildcardsOf(node).flatMap((wildcard) => this.#wild(leaf, node, wildcard)),
      )
      leaf.done = leaf.variant(innerFirst)
    }
  }

  #wild(leaf: Leaf, node: AnyStateNode, wildcard: string): Wild[] {
    const first = this.#chain(leaf, node.transitions.get(wildcard) ?? [])
    return first === undefined ? [] : [{ prefix: prefixOf(wildcard), first }]
  }

  #chain(leaf: Leaf, transitions: readonly AnyTransitionDefinition[]): Candidate | undefined {
    const sure = transitions.findIndex((transition) => this.#guard(transition) === undefined)
    const reachable = sure < 0 ? transitions : transitions.slice(0, sure + 1)
    return reachable.reduceRight<Candidate | undefined>((otherwise, transition) => {
      const candidate = this.#candidate(leaf, transition)
      candidate.otherwise = otherwise
      return candidate
    }, undefined)
  }

  #guard(transition: AnyTransitionDefinition): ReturnType<typeof compileGuard> {
    if (!this.#guards.has(transition)) {
      this.#guards.set(transition, compileGuard(transition.source, transition.guard))
    }
    return this.#guards.get(transition)
  }

  #candidate(leaf: Leaf, transition: AnyTransitionDefinition): Candidate {
    const { source, target, reenter, actions } = transition
    const route = routeOf(leaf.nodes, { source, target: target?.[0], reenter })
    return this.take(route, this.#lists.of(source, actions), {
      guard: this.#guard(transition),
      source: source.id,
      inert: target === undefined && actions.length === 0,
    })
  }

  take(route: Route, between: readonly Op[], rest: Pick<Candidate, 'guard' | 'source' | 'inert'>): Candidate {
    const ops = this.#lists.along(route, between)
    const next = this.leafOf.get(route.leaf) as Leaf
    const completion = completionOf(route)
    const settled = completion === undefined ? next.always === undefined : completion.whole
    return new Candidate({ ...rest, ops, next, completion, single: settled && !ops.some((op) => op.raises) })
  }
}

const isWildcard = (descriptor: string): boolean => descriptor === '*' || descriptor.endsWith('.*')
const isExact = (descriptor: string): boolean => !isWildcard(descriptor)
const prefixOf = (wildcard: string): string | undefined =>
  wildcard === '*' ? undefined : wildcard.slice(0, -2)

/** Longest first, as the interpreter asks them. */
const wildcardsOf = (node: AnyStateNode): string[] =>
  [...node.transitions.keys()].filter(isWildcard).sort((a, b) => b.length - a.length)

function transitionsFor(node: AnyStateNode, type: string): AnyTransitionDefinition[] {
  const wild = wildcardsOf(node).filter((wildcard) => {
    const prefix = prefixOf(wildcard)
    return prefix === undefined || type === prefix || type.startsWith(`${prefix}.`)
  })
  return [type, ...wild].flatMap((descriptor) => node.transitions.get(descriptor) ?? [])
}

/**
 * Lays a machine out.
 *
 * @throws {UnsupportedMachineError} for a machine that uses what the compiler does not reproduce.
 */
export function layOut(machine: AnyStateMachine): Program {
  checkMachine(machine)
  const { root, options } = machine
  const builder = new Builder(machine)
  builder.fill()
  const nodes = descent(root)
  const route: Route = {
    exits: [],
    entries: nodes,
    byDefault: new Set(nodes),
    leaf: nodes.at(-1) as AnyStateNode,
  }
  const entry = builder.take(route, [], { guard: undefined, source: root.id, inert: false })
  return {
    machine,
    leaves: builder.leaves,
    leafOf: builder.leafOf,
    entry,
    unborn: unbornOf(entry.next, root),
    maxIterations: options.maxIterations ?? Number.POSITIVE_INFINITY,
  }
}

function unbornOf(leaf: Leaf, root: AnyStateNode): Leaf {
  const unborn = leaf.variant([root])
  unborn.base = unborn
  return unborn
}
