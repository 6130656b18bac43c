/**
 * The rows of the tree of actors: those of expanded actors follow them, one level deeper. Only a stretch of the children
 * of an actor is known; the others are gaps of the right height, so that the scroll bar tells the truth.
 */
import type { ActorRow } from '../../runtime/inspector/messages.ts'
import type { Picture } from './picture.ts'

export type TreeRow = ActorTreeRow | GapRow

interface Place {
  readonly key: string
  /** From 1. */
  readonly level: number
  readonly parent: string | null
  /** From 0, among its siblings. */
  readonly index: number
  readonly siblings: number
}

export interface ActorTreeRow extends Place {
  readonly kind: 'actor'
  readonly actor: ActorRow
  /** `undefined`: it has no children. */
  readonly expanded: boolean | undefined
}

/** A child that is not known yet. */
export interface GapRow extends Place {
  readonly kind: 'gap'
}

/** Rows of a parent that the page asks for. */
export interface Stretch {
  readonly offset: number
  readonly limit: number
}

/** More than are in sight at once, so that a little scrolling shows no gaps. */
export const STRETCH = 200

/** Some of the children of one actor, those from `offset` on. */
interface Children {
  readonly ids: readonly string[]
  readonly offset: number
  readonly total: number
  readonly parent: string | null
  readonly level: number
}

interface Slice {
  readonly start: number
  readonly end: number
  readonly rows: TreeRow[]
}

type Tree = Pick<Picture, 'actors' | 'lists' | 'roots'>

export class TreeRows {
  readonly size: number
  readonly #tree: Tree
  readonly #expanded: ReadonlySet<string>
  readonly #sizes = new Map<string, number>()

  constructor(tree: Tree, expanded: ReadonlySet<string>) {
    this.#tree = tree
    this.#expanded = expanded
    this.size = tree.roots.reduce((sum, id) => sum + this.#sizeOf(id), 0)
  }

  /** Rows `start` up to, not including, `end`. */
  slice(start: number, end: number): TreeRow[] {
    const { roots } = this.#tree
    const out: Slice = { start, end, rows: [] }
    this.#walk({ ids: roots, offset: 0, total: roots.length, parent: null, level: 1 }, 0, out)
    return out.rows
  }

  /** Position of an actor; -1 when it is not in the tree as it is shown. */
  indexOf(id: string): number {
    const { actors, roots } = this.#tree
    const actor = actors.get(id)
    if (actor === undefined) return -1
    if (actor.parent === null) return before(roots, id, (root) => this.#sizeOf(root))
    const list = this.#expanded.has(actor.parent) ? this.#tree.lists.get(actor.parent) : undefined
    const above = this.indexOf(actor.parent)
    if (list === undefined || above < 0) return -1
    const within = before(list.ids, id, (one) => this.#sizeOf(one))
    return within < 0 ? -1 : above + 1 + this.#listOf(actor.parent).offset + within
  }

  /** @param from - row of the first child */
  #walk(children: Children, from: number, out: Slice): void {
    const { ids, offset, total } = children
    gaps(children, 0, offset, from, out)
    let at = from + offset
    for (const [within, id] of ids.entries()) {
      if (at >= out.end) return
      const size = this.#sizeOf(id)
      if (at + size > out.start) this.#actor(id, children, offset + within, at, out)
      at += size
    }
    gaps(children, offset + ids.length, total, at, out)
  }

  #actor(id: string, { parent, level, total }: Children, index: number, at: number, out: Slice): void {
    const actor = this.#tree.actors.get(id)
    const expanded = this.#isOpen(id)
    if (at >= out.start) {
      out.rows.push(
        actor === undefined
          ? { kind: 'gap', key: id, level, parent, index, siblings: total }
          : { kind: 'actor', key: id, level, parent, index, siblings: total, actor, expanded },
      )
    }
    if (expanded === true) this.#walk({ ...this.#listOf(id), parent: id, level: level + 1 }, at + 1, out)
  }

  /** How many rows an actor takes, with those below it. */
  #sizeOf(id: string): number {
    const known = this.#sizes.get(id)
    if (known !== undefined) return known
    let size = 1
    if (this.#isOpen(id) === true) {
      const { total, ids } = this.#listOf(id)
      size += total - ids.length + ids.reduce((sum, child) => sum + this.#sizeOf(child), 0)
    }
    this.#sizes.set(id, size)
    return size
  }

  #isOpen(id: string): boolean | undefined {
    const actor = this.#tree.actors.get(id)
    const known = this.#tree.lists.get(id)?.total ?? 0
    if (actor === undefined || actor.children + known === 0) return undefined
    return this.#expanded.has(id)
  }

  #listOf(id: string): { offset: number; total: number; ids: readonly string[] } {
    const list = this.#tree.lists.get(id)
    if (list !== undefined) {
      const { ids, total } = list
      // A stretch beyond the end is what there was when it was asked for.
      const offset = Math.min(list.offset, Math.max(0, total - ids.length))
      return { ids, offset, total: offset + ids.length + Math.max(0, total - offset - ids.length) }
    }
    return { offset: 0, total: this.#tree.actors.get(id)?.children ?? 0, ids: [] }
  }
}

/** What to ask for, so that the children in sight are known: whole stretches, so that it seldom changes. */
export function stretchFor(first: number, last: number): Stretch {
  const step = STRETCH / 2
  const offset = Math.max(0, (Math.floor(first / step) - 1) * step)
  const end = (Math.floor(last / step) + 2) * step
  return { offset, limit: Math.max(STRETCH, end - offset) }
}

/** Children `first` up to, not including, `end`; the row of the first one is `from`. */
function gaps(
  { parent, level, total }: Children,
  first: number,
  end: number,
  from: number,
  out: Slice,
): void {
  const skipped = Math.max(0, out.start - from)
  for (let index = first + skipped; index < end && from + index - first < out.end; index += 1) {
    out.rows.push({ kind: 'gap', key: `${parent}:${index}`, level, parent, index, siblings: total })
  }
}

function before(ids: readonly string[], id: string, sizeOf: (id: string) => number): number {
  let size = 0
  for (const one of ids) {
    if (one === id) return size
    size += sizeOf(one)
  }
  return -1
}
