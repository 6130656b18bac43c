/** The tree of actors: one tab stop, arrow keys as in every tree; what is selected follows the keys. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { count } from '../model/format.ts'
import { type ActorTreeRow, type TreeRow, TreeRows } from '../model/tree-rows.ts'
import { Badge } from './badge.tsx'
import { usePage } from './context.ts'
import { KindIcon } from './kind-icon.tsx'
import { treeStep } from './tree-keys.ts'
import { type Sight, showRow, VirtualList } from './virtual-list.tsx'
import { stretchesOf } from './watch.ts'

const ROW_HEIGHT = 28

export function Tree() {
  const { session, ui } = usePage()
  const changes = session.actors.value
  const expanded = ui.expanded.value
  const selected = ui.selected.value
  const box = useRef<HTMLDivElement | null>(null)
  const [sight, setSight] = useState<Sight>({ start: 0, end: 40 })
  // The picture changes in place; `changes` counts that.
  const rows = useMemo(() => new TreeRows(session.picture, expanded), [changes, expanded])
  useRootsOpen()
  useEffect(() => {
    const open = [...expanded].filter((id) => session.picture.actors.has(id))
    ui.stretches.value = stretchesOf(rows, sight, open)
  }, [rows, sight, expanded, session, ui])
  const onKey = (event: KeyboardEvent): void => {
    const step = treeStep(event.key, rows, selected, box.current?.clientHeight ?? 0, ROW_HEIGHT)
    if (step === undefined) return
    event.preventDefault()
    if ('toggle' in step) ui.toggle(step.toggle, step.open)
    else {
      if (step.select !== undefined) ui.selected.value = step.select
      if (box.current !== null) showRow(box.current, step.index, ROW_HEIGHT)
    }
  }
  return (
    <VirtualList
      class="tree"
      size={rows.size}
      rowHeight={ROW_HEIGHT}
      boxRef={box}
      box={{
        role: 'tree',
        'aria-label': 'Actors',
        tabIndex: 0,
        'aria-activedescendant': selected === undefined ? undefined : domId(selected),
        onKeyDown: onKey,
      }}
      onSight={setSight}
      rows={({ start, end }) =>
        rows.slice(start, end).map((row) => <Row key={row.key} row={row} selected={row.key === selected} />)
      }
    />
  )
}

function Row({ row, selected }: { row: TreeRow; selected: boolean }) {
  const indent = { paddingInlineStart: `${8 + (row.level - 1) * 16}px` }
  if (row.kind === 'gap') {
    return (
      <div class="tree-row" role="none" style={indent}>
        <span class="gap" />
      </div>
    )
  }
  return <ActorRowView row={row} selected={selected} indent={indent} />
}

interface ActorRowProps {
  readonly row: ActorTreeRow
  readonly selected: boolean
  readonly indent: { readonly paddingInlineStart: string }
}

function ActorRowView({ row, selected, indent }: ActorRowProps) {
  const { ui } = usePage()
  const { actor, expanded } = row
  const twist = (event: MouseEvent): void => {
    event.stopPropagation()
    ui.toggle(actor.id)
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the focus and the keys.
    // biome-ignore lint/a11y/useFocusableInteractive: the tree has the focus and names this row.
    <div
      class="tree-row"
      role="treeitem"
      id={domId(actor.id)}
      style={indent}
      aria-level={row.level}
      aria-setsize={row.siblings}
      aria-posinset={row.index + 1}
      aria-expanded={expanded}
      aria-selected={selected}
      onClick={() => {
        ui.selected.value = actor.id
      }}
      onDblClick={() => ui.toggle(actor.id)}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: for the mouse; keys do it by the arrows. */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: as above. */}
      <span class="twist" data-open={expanded} onClick={twist} />
      <KindIcon kind={actor.kind} />
      <span class="name">{actor.name}</span>
      {actor.children > 0 ? <span class="muted number">{count(actor.children)}</span> : null}
      {actor.task?.percent != null ? (
        <span class="tiny-bar" aria-hidden="true">
          <span style={{ width: `${actor.task.percent}%` }} />
        </span>
      ) : null}
      <Badge state={actor.state} short />
    </div>
  )
}

/** What is at the top is selected, until something else is, and opened once, with its pools and groups. */
function useRootsOpen(): void {
  const { session, ui } = usePage()
  const visit = session.visits.value
  session.actors.value
  const opened = useRef({ visit: -1, ids: new Set<string>() })
  useEffect(() => {
    ui.selected.value ??= session.picture.roots[0]
    if (opened.current.visit !== visit) opened.current = { visit, ids: new Set() }
    const { ids } = opened.current
    const fresh = [...session.picture.actors.values()].filter(
      ({ id, kind, parent, children }) =>
        children > 0 && !ids.has(id) && (parent === null || kind === 'pool' || kind === 'group'),
    )
    if (fresh.length === 0) return
    for (const { id } of fresh) ids.add(id)
    ui.expanded.value = new Set([...ui.expanded.peek(), ...fresh.map(({ id }) => id)])
  })
}

/** An id may hold anything. */
function domId(id: string): string {
  return `actor-${encodeURIComponent(id)}`
}
