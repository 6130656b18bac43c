/** Snapshots of compiled machines: five fields each; what a state has in common is shared. */
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  matchesState,
  type StateValue,
} from 'xstate'
import type { Context } from './compile-action.ts'
import type { Leaf } from './compile-leaf.ts'
import { canTake } from './compile-selection.ts'

type Status = AnyMachineSnapshot['status']

const NONE: Readonly<Record<string, never>> = Object.freeze({})

/** Reads like the snapshot of the interpreter. `value`, `tags`, `children` and `historyValue` are frozen. */
export class CompiledSnapshot {
  readonly status: Status
  readonly output: unknown
  readonly error: unknown
  readonly context: Context
  readonly #leaf: Leaf

  constructor(status: Status, output: unknown, error: unknown, context: Context, leaf: Leaf) {
    this.status = status
    this.output = output
    this.error = error
    this.context = context
    this.#leaf = leaf
  }

  static leafOf(snapshot: CompiledSnapshot): Leaf {
    return snapshot.#leaf
  }

  get machine(): AnyStateMachine {
    return (this.#leaf.nodes[0] as AnyStateNode).machine
  }

  get value(): StateValue {
    return this.#leaf.value
  }

  get tags(): Set<string> {
    return this.#leaf.tags
  }

  get children(): Readonly<Record<string, never>> {
    return NONE
  }

  get historyValue(): Readonly<Record<string, never>> {
    return NONE
  }

  get _nodes(): readonly AnyStateNode[] {
    return this.#leaf.nodes
  }

  matches(value: StateValue): boolean {
    return matchesState(value, this.#leaf.value)
  }

  hasTag(tag: string): boolean {
    return this.#leaf.tags.has(tag)
  }

  can(event: { readonly type: string }): boolean {
    return canTake(this.#leaf, this.context, event)
  }

  getMeta(): Record<string, unknown> {
    return Object.fromEntries(this.#leaf.metas)
  }

  toJSON(): unknown {
    const { status, output, error, context, value, children, historyValue, tags } = this
    return { status, output, error, context, value, children, historyValue, tags: Array.from(tags) }
  }
}

/**
 * Gives a snapshot the interpreter's own properties. XState makes the snapshot of an actor that has thrown
 * by spreading the last one, and a spread copies nothing from a prototype.
 */
export function flatten(snapshot: CompiledSnapshot): void {
  const { machine, value, tags, children, historyValue, _nodes } = snapshot
  const { matches, hasTag, can, getMeta, toJSON } = machine.resolveState({ value, context: {} })
  const properties = { machine, value, tags, children, historyValue, _nodes }
  for (const [key, held] of Object.entries({ ...properties, matches, hasTag, can, getMeta, toJSON })) {
    Object.defineProperty(snapshot, key, {
      value: held,
      enumerable: true,
      writable: true,
      configurable: true,
    })
  }
}
