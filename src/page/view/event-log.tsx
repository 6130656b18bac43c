/** Events as lines, the newest at the end, where the log stays while it is there. */
import { clockTime, nameOfId, placed } from '../model/format.ts'
import type { LoggedEvent } from '../model/picture.ts'
import { Badge } from './badge.tsx'
import { usePage } from './context.ts'
import { VirtualList } from './virtual-list.tsx'
import { Within } from './within.tsx'

const ROW_HEIGHT = 28

export function EventLog({ events }: { events: readonly LoggedEvent[] }) {
  if (events.length === 0)
    return <p class="muted blank">Nothing has happened yet, or nothing that matches.</p>
  return (
    <VirtualList
      class="log"
      size={events.length}
      rowHeight={ROW_HEIGHT}
      sticky
      box={{ role: 'log', 'aria-label': 'Events', 'aria-live': 'off', tabIndex: 0 }}
      rows={({ start, end }) =>
        events.slice(start, end).map((event) => <Line key={event.key} event={event} />)
      }
    />
  )
}

function Line({ event }: { event: LoggedEvent }) {
  const { session, ui } = usePage()
  const { at, id, within, name, type, from, to, source } = event
  const open = (): void => {
    ui.selected.value = id
    ui.view.value = 'actors'
  }
  return (
    <div class="log-row">
      <time>{clockTime(at)}</time>
      <button type="button" class="link name" tabIndex={-1} onClick={open} title={placed(name, within)}>
        <Within path={within} />
        {name}
      </button>
      <code>{type}</code>
      <span class="step">
        {from === to ? <span class="muted">stays in</span> : <span class="muted">{from} →</span>}
        <Badge state={to} />
      </span>
      <span class="muted from">{session.picture.actors.get(source)?.name ?? nameOfId(source)}</span>
    </div>
  )
}
