/**
 * The tree of actors as a page sees it, and what of it one page has in view. Pure: whoever has the actors is behind
 * {@link ActorTree}.
 */
import type { ActorChange, ActorList, ActorRow, Frame, Watch } from './messages.ts'

/** Which tasks are to be in view at all. */
export interface TaskFilter {
  /** Lower case; empty: all. */
  readonly text: string
  /** Empty: all. */
  readonly states: ReadonlySet<string>
}

/** Answers for one moment. */
export interface ActorTree {
  roots(): readonly string[]
  /** `undefined` for one that is not there (any more). */
  row(id: string): ActorRow | undefined
  /** `undefined` for one that is not there, or has no children. */
  list(parent: string, offset: number, limit: number, filter: TaskFilter): ActorList | undefined
}

/** What a page wants to see. */
export interface Wish {
  readonly expanded: ReadonlyMap<string, { readonly offset: number; readonly limit: number }>
  readonly filter: TaskFilter
  readonly ids: readonly string[]
}

/** What a page has in view. Parents come before their children. */
export interface View {
  readonly rows: ReadonlyMap<string, ActorRow>
  readonly lists: ReadonlyMap<string, ActorList>
}

export const NO_FILTER: TaskFilter = { text: '', states: new Set() }
export const NOTHING: View = { rows: new Map(), lists: new Map() }

/** Rows of one page, whatever it asks for. */
const MOST_ROWS = 2_000
/** Of the roots, before a page says what it wants. */
const FIRST_ROWS = 200

export function firstWish(tree: ActorTree): Wish {
  const expanded = new Map(tree.roots().map((id) => [id, { offset: 0, limit: FIRST_ROWS }]))
  return { expanded, filter: NO_FILTER, ids: [] }
}

/** The message has been checked. */
export function toWish({ expanded, filter = {}, ids = [] }: Watch): Wish {
  return {
    expanded: new Map(Object.entries(expanded)),
    filter: { text: (filter.text ?? '').toLowerCase(), states: new Set(filter.states ?? []) },
    ids,
  }
}

/** What a page that wants `wish` sees of the tree. */
export function look(tree: ActorTree, { expanded, filter, ids }: Wish): View {
  const rows = new Map<string, ActorRow>()
  const lists = new Map<string, ActorList>()
  const visit = (id: string): void => {
    if (rows.has(id) || rows.size >= MOST_ROWS) return
    const row = tree.row(id)
    if (row === undefined) return
    rows.set(id, row)
    const window = expanded.get(id)
    if (window === undefined) return
    const list = tree.list(id, window.offset, Math.min(window.limit, MOST_ROWS - rows.size), filter)
    if (list === undefined) return
    lists.set(id, list)
    for (const child of list.ids) visit(child)
  }
  for (const root of tree.roots()) visit(root)
  for (const id of ids) visit(id)
  return { rows, lists }
}

export type Difference = Pick<Frame, 'added' | 'changed' | 'gone' | 'lists'>

/** What a page has to be told that knows `before`. What is empty is left out. */
export function difference(before: View, after: View): Difference {
  const added: ActorRow[] = []
  const changed: ActorChange[] = []
  for (const [id, row] of after.rows) {
    const old = before.rows.get(id)
    if (old === undefined) added.push(row)
    else if (old !== row) {
      const change = changeOf(old, row)
      if (change !== undefined) changed.push(change)
    }
  }
  const gone = [...before.rows.keys()].filter((id) => !after.rows.has(id))
  const lists: Record<string, ActorList> = {}
  for (const [id, list] of after.lists) if (!sameList(before.lists.get(id), list)) lists[id] = list
  return {
    ...(added.length > 0 ? { added } : {}),
    ...(changed.length > 0 ? { changed } : {}),
    ...(gone.length > 0 ? { gone } : {}),
    ...(Object.keys(lists).length > 0 ? { lists } : {}),
  }
}

const PLAIN = ['name', 'chart', 'state', 'startedAt', 'children', 'event', 'eventAt', 'from'] as const

function changeOf(old: ActorRow, row: ActorRow): ActorChange | undefined {
  const change: Record<string, unknown> = { id: row.id }
  let isOther = false
  for (const member of PLAIN) {
    if (old[member] === row[member]) continue
    change[member] = row[member]
    isOther = true
  }
  if (row.task !== undefined && !sameTask(old.task, row.task)) {
    change.task = row.task
    isOther = true
  }
  return isOther ? (change as unknown as ActorChange) : undefined
}

function sameTask(old: ActorRow['task'], task: NonNullable<ActorRow['task']>): boolean {
  if (old === undefined) return false
  return (Object.keys(task) as (keyof typeof task)[]).every((member) => old[member] === task[member])
}

function sameList(old: ActorList | undefined, list: ActorList): boolean {
  return (
    old !== undefined &&
    old.offset === list.offset &&
    old.total === list.total &&
    old.ids.length === list.ids.length &&
    old.ids.every((id, index) => id === list.ids[index])
  )
}
