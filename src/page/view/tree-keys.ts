/** What a key does in the tree of actors. */
import type { ActorTreeRow, TreeRows } from '../model/tree-rows.ts'

export type TreeStep =
  | { readonly toggle: string; readonly open: boolean }
  /** `select` is `undefined` when the row is not known yet. */
  | { readonly select: string | undefined; readonly index: number }

/** @returns `undefined` for a key that does nothing */
export function treeStep(
  key: string,
  rows: TreeRows,
  selected: string | undefined,
  height: number,
  rowHeight: number,
): TreeStep | undefined {
  const index = selected === undefined ? -1 : rows.indexOf(selected)
  const row = index < 0 ? undefined : rows.slice(index, index + 1)[0]
  const page = Math.max(1, Math.floor(height / rowHeight) - 1)
  const to = (next: number): TreeStep | undefined => goTo(rows, next)
  if (key === 'ArrowDown') return to(index + 1)
  if (key === 'ArrowUp') return to(Math.max(0, index - 1))
  if (key === 'PageDown') return to(index + page)
  if (key === 'PageUp') return to(index - page)
  if (key === 'Home') return to(0)
  if (key === 'End') return to(rows.size - 1)
  return row?.kind === 'actor' ? rowStep(key, rows, row, index) : undefined
}

function rowStep(key: string, rows: TreeRows, row: ActorTreeRow, index: number): TreeStep | undefined {
  const { actor, expanded } = row
  if (key === 'ArrowRight') {
    if (expanded === undefined) return undefined
    return expanded ? goTo(rows, index + 1) : { toggle: actor.id, open: true }
  }
  if (key === 'ArrowLeft') {
    if (expanded === true) return { toggle: actor.id, open: false }
    return actor.parent === null ? undefined : goTo(rows, rows.indexOf(actor.parent))
  }
  if ((key === 'Enter' || key === ' ') && expanded !== undefined) return { toggle: actor.id, open: !expanded }
  return undefined
}

function goTo(rows: TreeRows, wanted: number): TreeStep | undefined {
  if (rows.size === 0) return undefined
  const index = Math.min(rows.size - 1, Math.max(0, wanted))
  const [row] = rows.slice(index, index + 1)
  return { select: row?.kind === 'actor' ? row.actor.id : undefined, index }
}
