/** What a machine can be in: one record per atomic state, with every transition out of it laid out flat. */
import type { AnyStateNode, StateValue } from 'xstate'
import type { Op } from './compile-action.ts'
import type { Guard } from './compile-guard.ts'

/** What entering a final state brings about. */
export interface Completion {
  /** Type of the event that tells the parent, or the machine's output, of it. */
  readonly type: string
  /** Output of the final state: a value or a function. */
  readonly output: unknown
  /** It ends the machine, not only the parent state. */
  readonly whole: boolean
}

/** One transition, seen from one leaf: where it goes and all it does on the way are known. */
export class Candidate {
  readonly guard: Guard | undefined
  /** Id of the state that declares it. */
  readonly source: string
  /** Exit, transition and entry actions in their order. */
  readonly ops: readonly Op[]
  readonly next: Leaf
  readonly completion: Completion | undefined
  /** Forbidden: it is selected, so that no ancestor is asked, and does nothing. */
  readonly inert: boolean
  /** Whether taking it gives another snapshot even where the leaf stays the same. */
  readonly updates: boolean
  /** It raises nothing, and nothing eventless can follow: the macrostep is this one transition. */
  readonly single: boolean
  otherwise: Candidate | undefined = undefined

  constructor(parts: {
    readonly guard: Guard | undefined
    readonly source: string
    readonly ops: readonly Op[]
    readonly next: Leaf
    readonly completion: Completion | undefined
    readonly inert: boolean
    readonly single: boolean
  }) {
    this.guard = parts.guard
    this.source = parts.source
    this.ops = parts.ops
    this.next = parts.next
    this.completion = parts.completion
    this.inert = parts.inert
    this.single = parts.single
    this.updates = parts.ops.some((op) => op.updates)
  }
}

/** Candidates of a wildcard: `prefix` is `undefined` for `*`. */
export interface Wild {
  readonly prefix: string | undefined
  readonly first: Candidate
}

const lockedTags = (tags: Iterable<string>): Set<string> => {
  const set = new Set(tags)
  const locked = (): never => {
    throw new TypeError('The tags of a snapshot are shared and cannot be changed')
  }
  for (const method of ['add', 'delete', 'clear']) Object.defineProperty(set, method, { value: locked })
  return Object.freeze(set)
}

function stateValueOf(path: readonly AnyStateNode[]): StateValue {
  const [, ...below] = path
  const leaf = below.pop()
  if (leaf === undefined) return Object.freeze({})
  return below.reduceRight<StateValue>((value, node) => Object.freeze({ [node.key]: value }), leaf.key)
}

/** An atomic state with its ancestors: all that snapshots of it share, and its transitions. */
export class Leaf {
  /** The compiled machine it belongs to. */
  readonly owner: object
  readonly index: number
  /** Active state nodes, root first. */
  readonly nodes: readonly AnyStateNode[]
  readonly value: StateValue
  readonly tags: Set<string>
  readonly metas: readonly (readonly [string, unknown])[]
  /** Candidates by exact event type, wildcards merged in. */
  rows: ReadonlyMap<string, Candidate> = new Map()
  /** For event types without a row, in the order of precedence. */
  wilds: readonly Wild[] = []
  always: Candidate | undefined = undefined
  /** All exit actions, leaf to root: what the end of the machine runs. */
  exits: readonly Op[] = []
  /** The leaf itself; a variant of it names the leaf it was made of. */
  base: Leaf = this
  /** The variant of a done snapshot: the interpreter then lists the nodes leaf first. */
  done: Leaf = this

  constructor(
    owner: object,
    index: number,
    nodes: readonly AnyStateNode[],
    value: StateValue = stateValueOf(nodes),
  ) {
    this.owner = owner
    this.index = index
    this.nodes = Object.freeze(nodes)
    this.value = value
    this.tags = lockedTags(nodes.flatMap((node) => node.tags))
    this.metas = nodes.flatMap((node) => (node.meta === undefined ? [] : [[node.id, node.meta] as const]))
  }

  /** The same transitions under other nodes. */
  variant(nodes: readonly AnyStateNode[]): Leaf {
    const leaf = new Leaf(this.owner, this.index, nodes, this.value)
    leaf.rows = this.rows
    leaf.wilds = this.wilds
    leaf.always = this.always
    leaf.exits = this.exits
    leaf.base = this.base
    leaf.done = leaf
    return leaf
  }
}
