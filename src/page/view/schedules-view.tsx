/** What comes again: schedules of the queue, and workers whose times are known, with their next runs. */
import { useEffect, useState } from 'preact/hooks'
import type { ScheduleRow } from '../../runtime/inspector/messages.ts'
import { instant, placed, relative } from '../model/format.ts'
import { Badge } from './badge.tsx'
import { usePage } from './context.ts'
import { useNow } from './now.ts'
import { Within } from './within.tsx'
import { WorkerButtons } from './worker-acts.tsx'

const REFRESH_MS = 2_000

export function SchedulesView() {
  const rows = useSchedules()
  const [text, setText] = useState('')
  const wanted = text.trim().toLowerCase()
  const shown = rows?.filter(({ name, within, task }) =>
    `${placed(name, within)} ${task}`.toLowerCase().includes(wanted),
  )
  return (
    <div class="panel schedules">
      <search class="filters">
        <input
          type="search"
          data-filter
          placeholder="Filter schedules  ( / )"
          aria-label="Filter schedules by name or task"
          aria-keyshortcuts="/"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </search>
      {shown === undefined || shown.length === 0 ? (
        <p class="muted blank">{shown === undefined ? 'Asking…' : 'There is none, or none that matches.'}</p>
      ) : (
        <Table rows={shown} />
      )}
    </div>
  )
}

function Table({ rows }: { rows: readonly ScheduleRow[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it.
    <section class="table-box" tabIndex={0} aria-label="Schedules">
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">State</th>
            <th scope="col">When</th>
            <th scope="col">Next</th>
            <th scope="col" class="wide">
              Then
            </th>
            <th scope="col">
              <span class="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Line key={`${row.of} ${placed(row.name, row.within)}`} row={row} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Line({ row }: { row: ScheduleRow }) {
  const now = useNow()
  const { name, within, task, state, times, timezone, nextAt, laterAt } = row
  return (
    <tr>
      <td class="task-name">
        <strong>{name}</strong>
        {task === name && within === undefined ? null : (
          <span class="muted id">
            <Within path={within} />
            {task}
          </span>
        )}
      </td>
      <td>
        <Badge state={state} />
      </td>
      <td>
        <code>{times}</code>
        {timezone === null ? null : <span class="muted id">{timezone}</span>}
      </td>
      <td>
        {nextAt === null ? (
          '—'
        ) : (
          <>
            <span class="number">{relative(nextAt, now)}</span>
            <span class="muted id">{instant(nextAt, now)}</span>
          </>
        )}
      </td>
      <td class="wide">
        <span class="muted number later">
          {laterAt
            .slice(0, 3)
            .map((at) => instant(at, now))
            .join('  ·  ')}
        </span>
      </td>
      <td class="end">
        <WorkerButtons row={row} />
      </td>
    </tr>
  )
}

/** `undefined` until the first answer. */
function useSchedules(): readonly ScheduleRow[] | undefined {
  const { session } = usePage()
  const [rows, setRows] = useState<readonly ScheduleRow[] | undefined>(undefined)
  const open = session.state.value.name === 'open' && !session.paused.value
  useEffect(() => {
    if (!open) return
    const ask = (): Promise<void> =>
      session.ask<readonly ScheduleRow[]>({ type: 'ask', ask: 'schedules' }).then(setRows, () => {})
    void ask()
    const timer = setInterval(ask, REFRESH_MS)
    const end = session.standing(ask)
    return () => {
      clearInterval(timer)
      end()
    }
  }, [open, session])
  return rows
}
