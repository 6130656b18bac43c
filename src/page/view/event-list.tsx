/** What an actor took last, the newest first. */
import { clockTime, nameOfId } from '../model/format.ts'
import { usePage } from './context.ts'

const MOST = 12

export function EventList({ of }: { of: string }) {
  const { session } = usePage()
  session.events.value
  const events = session.picture.events.items
    .filter(({ id }) => id === of)
    .slice(-MOST)
    .toReversed()
  if (events.length === 0) return <p class="muted">None was seen yet.</p>
  return (
    <ol class="event-list">
      {events.map(({ key, at, type, from, to, source }) => (
        <li key={key}>
          <time>{clockTime(at)}</time>
          <code>{type}</code>
          <span class="muted">{from === to ? `in ${to}` : `${from} → ${to}`}</span>
          <span class="muted from">{session.picture.actors.get(source)?.name ?? nameOfId(source)}</span>
        </li>
      ))}
    </ol>
  )
}
