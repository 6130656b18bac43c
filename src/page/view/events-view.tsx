/** What actors took: as a log, and as a sequence between them. */
import { useState } from 'preact/hooks'
import { count } from '../model/format.ts'
import type { LoggedEvent } from '../model/picture.ts'
import { usePage } from './context.ts'
import { Elsewhere } from './elsewhere.tsx'
import { EventLog } from './event-log.tsx'
import { SequenceView } from './sequence.tsx'

export function EventsView() {
  const { session, ui } = usePage()
  session.events.value
  const [text, setText] = useState('')
  const [drawing, setDrawing] = useState(false)
  const selected = ui.selected.value
  const { picture } = session
  if (picture.isQueueAlone) return <Elsewhere />
  const wanted = text.trim().toLowerCase()
  const only = ui.onlySelected.value ? selected : undefined
  const events = picture.events.items.filter((event) => matches(event, wanted, only))
  const name = selected === undefined ? undefined : picture.actors.get(selected)?.name
  return (
    <div class="panel events">
      <search class="filters">
        <input
          type="search"
          data-filter
          placeholder="Filter events  ( / )"
          aria-label="Filter events by type, name or state"
          aria-keyshortcuts="/"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={ui.onlySelected.value}
            disabled={selected === undefined}
            onChange={(event) => {
              ui.onlySelected.value = event.currentTarget.checked
            }}
          />
          only {name ?? 'the selected actor'}
        </label>
        <fieldset class="switch" aria-label="How events are shown">
          <button type="button" aria-pressed={!drawing} onClick={() => setDrawing(false)}>
            Log
          </button>
          <button type="button" aria-pressed={drawing} onClick={() => setDrawing(true)}>
            Sequence
          </button>
        </fieldset>
        <span class="muted number told">
          {count(events.length)} shown
          {picture.skipped > 0 ? `, ${count(picture.skipped)} not told` : ''}
        </span>
      </search>
      {drawing ? <SequenceView events={events} /> : <EventLog events={events} />}
    </div>
  )
}

function matches({ id, name, type, from, to }: LoggedEvent, text: string, only: string | undefined): boolean {
  if (only !== undefined && id !== only) return false
  return text === '' || [type, name, from, to, id].some((part) => part.toLowerCase().includes(text))
}
