/** All tasks, also those that have ended and those in the queue: filtered and paged by the server. */
import { useEffect, useState } from 'preact/hooks'
import type { TaskPage, TaskRow, TaskSource } from '../../runtime/inspector/messages.ts'
import { usePage } from './context.ts'
import { TaskTable } from './task-table.tsx'

const STATES = [
  'queued',
  'running',
  'scheduled',
  'retrying',
  'snoozed',
  'finished',
  'failed',
  'cancelled',
  'terminated',
]
const PAGE_SIZE = 50
/** How long typing is waited for, and how often the list is asked for anew (ms). */
const TYPING_MS = 150
const REFRESH_MS = 1_000

export function TasksView() {
  const { session } = usePage()
  session.visits.value
  const { supervisor, queue } = session.picture.hello?.sources ?? { supervisor: null, queue: null }
  const [source, setSource] = useState<TaskSource | undefined>(undefined)
  const of = source ?? (supervisor === null && queue !== null ? 'queue' : 'supervisor')
  const [state, setState] = useState('')
  const [text, setText] = useState('')
  const pages = usePages({ of, state, text })
  return (
    <div class="panel tasks">
      <search class="filters">
        {supervisor !== null && queue !== null ? (
          <fieldset class="switch" aria-label="Whose tasks">
            <button type="button" aria-pressed={of === 'supervisor'} onClick={() => setSource('supervisor')}>
              Runs
            </button>
            <button type="button" aria-pressed={of === 'queue'} onClick={() => setSource('queue')}>
              Queue
            </button>
          </fieldset>
        ) : null}
        <input
          type="search"
          data-filter
          placeholder={of === 'queue' ? 'Whole name or id  ( / )' : 'Filter tasks  ( / )'}
          aria-label={of === 'queue' ? 'Whole name of tasks, or id of one' : 'Filter tasks by name or id'}
          aria-keyshortcuts="/"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <select aria-label="State" value={state} onChange={(event) => setState(event.currentTarget.value)}>
          <option value="">any state</option>
          {STATES.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
        <Pager pages={pages} />
      </search>
      {pages.error === undefined ? null : <p class="error">{pages.error}</p>}
      <TaskTable tasks={pages.tasks} onChange={pages.refresh} />
    </div>
  )
}

function Pager({ pages }: { pages: Pages }) {
  return (
    <div class="pager">
      <button type="button" class="button small" disabled={pages.number === 1} onClick={pages.back}>
        Newer
      </button>
      <span class="muted number">page {pages.number}</span>
      <button type="button" class="button small" disabled={pages.forth === undefined} onClick={pages.forth}>
        Older
      </button>
    </div>
  )
}

interface Query {
  readonly of: TaskSource
  readonly state: string
  readonly text: string
}

interface Pages {
  readonly tasks: readonly TaskRow[]
  /** From 1. */
  readonly number: number
  readonly error: string | undefined
  readonly back: () => void
  /** `undefined` on the last page. */
  readonly forth: (() => void) | undefined
  readonly refresh: () => void
}

/** The page that is shown, asked for again while it is looked at. */
function usePages({ of, state, text }: Query): Pages {
  const { session } = usePage()
  const key = JSON.stringify([of, state, text.trim()])
  const [place, setPlace] = useState<{ key: string; after: readonly string[] }>({ key, after: [] })
  const [answer, setAnswer] = useState<TaskPage>({ tasks: [], next: null })
  const [error, setError] = useState<string | undefined>(undefined)
  const [asked, setAsked] = useState(0)
  const after = place.key === key ? place.after : []
  const open = session.state.value.name === 'open'
  const paused = session.paused.value
  // `asked` says when to ask again.
  useEffect(() => {
    if (!open || paused) return
    let wanted = true
    const [, states, name] = JSON.parse(key) as [TaskSource, string, string]
    const query = {
      of,
      limit: PAGE_SIZE,
      ...(states === '' ? {} : { states: [states] }),
      ...(name === '' ? {} : { text: name }),
      ...(after.length === 0 ? {} : { after: after.at(-1) as string }),
    }
    const ask = (): Promise<void> =>
      session.ask<TaskPage>({ type: 'ask', ask: 'tasks', ...query }).then(
        (page) => {
          if (!wanted) return
          setError(undefined)
          setAnswer(page)
        },
        (reason) => {
          if (wanted) setError((reason as Error).message)
        },
      )
    let timer: ReturnType<typeof setTimeout> = setTimeout(async () => {
      await ask()
      if (wanted) timer = setTimeout(() => setAsked(asked + 1), REFRESH_MS)
    }, TYPING_MS)
    const end = session.standing(ask)
    return () => {
      wanted = false
      clearTimeout(timer)
      end()
    }
  }, [key, after.length, open, paused, asked, session])
  const { next } = answer
  return {
    tasks: answer.tasks,
    number: after.length + 1,
    error,
    back: () => setPlace({ key, after: after.slice(0, -1) }),
    forth: next === null ? undefined : () => setPlace({ key, after: [...after, next] }),
    refresh: () => setAsked(asked + 1),
  }
}
