/** Tells the server what the page shows: which actors are open, which of their children are in sight, whose events. */
import { useEffect } from 'preact/hooks'
import type { Watch } from '../../runtime/inspector/messages.ts'
import { STRETCH, type Stretch, stretchFor, type TreeRows } from '../model/tree-rows.ts'
import { usePage } from './context.ts'
import type { Ui } from './ui.ts'
import type { Sight } from './virtual-list.tsx'

/** Long enough that a wheel that turns does not ask for each of its steps. */
const SETTLE_MS = 60

export function useWatch(): void {
  const { session, ui } = usePage()
  const wanted = JSON.stringify(watchOf(ui))
  useEffect(() => {
    const timer = setTimeout(() => session.watch(JSON.parse(wanted)), SETTLE_MS)
    return () => clearTimeout(timer)
  }, [wanted, session])
}

function watchOf({ view, stretches, filter, filterState, selected, onlySelected }: Ui): Watch {
  const text = filter.value.trim()
  const state = filterState.value
  const id = selected.value
  return {
    type: 'watch',
    expanded: view.value === 'actors' ? stretches.value : {},
    filter: { ...(text === '' ? {} : { text }), ...(state === '' ? {} : { states: [state] }) },
    ids: id === undefined ? [] : [id],
    events: onlySelected.value && id !== undefined ? [id] : 'all',
  }
}

/** Open actors out of sight keep their first stretch: their size counts in the scroll bar. */
export function stretchesOf(
  rows: TreeRows,
  { start, end }: Sight,
  open: readonly string[],
): Record<string, Stretch> {
  const seen = new Map<string, { first: number; last: number }>()
  for (const { parent, index } of rows.slice(start, end)) {
    if (parent === null) continue
    const { first = index } = seen.get(parent) ?? {}
    seen.set(parent, { first, last: index })
  }
  return Object.fromEntries(
    open.map((id) => {
      const range = seen.get(id)
      return [id, range === undefined ? { offset: 0, limit: STRETCH } : stretchFor(range.first, range.last)]
    }),
  )
}
