/** What is looked at, whether the connection lives, and the views as tabs. */
import type { Goodbye } from '../../runtime/inspector/messages.ts'
import { count, duration } from '../model/format.ts'
import { usePage } from './context.ts'
import { useNow } from './now.ts'
import { VIEWS, type View } from './ui.ts'

const NAMES: Readonly<Record<View, string>> = {
  overview: 'Overview',
  actors: 'Actors',
  tasks: 'Tasks',
  events: 'Events',
  schedules: 'Schedules',
}

export function Header() {
  const { session } = usePage()
  const locked = session.locked.value
  return (
    <header class="header">
      <img class="logo" src="./icon.svg" alt="" width="26" height="26" />
      {locked ? <h1 class="subject">Stateward</h1> : <Subject />}
      {locked ? null : <Tabs />}
      <div class="header-end">
        <Load />
        <Status />
        {locked ? null : <UnlockButton />}
        {locked ? null : <PauseButton />}
      </div>
    </header>
  )
}

function Subject() {
  const { session } = usePage()
  session.visits.value
  const { hello } = session.picture
  const now = useNow()
  if (hello === undefined) return <h1 class="subject">Stateward</h1>
  const { supervisor, queue } = hello.sources
  const name = supervisor?.id ?? queue?.daemon ?? queue?.engine ?? 'Stateward'
  return (
    <div class="subject">
      <h1>{name}</h1>
      <p class="muted">
        {hello.host} · pid {hello.pid} · up {duration(now - hello.startedAt)}
      </p>
    </div>
  )
}

function Tabs() {
  const { session, ui } = usePage()
  session.visits.value
  const { isQueueAlone } = session.picture
  const chosen = ui.view.value
  const move = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    if (step === 0) return
    event.preventDefault()
    const tabs = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('[role=tab]')].filter(
      (tab) => tab.offsetParent !== null,
    )
    const at = tabs.findIndex((tab) => tab.id === `tab-${chosen}`)
    const next = tabs[(at + step + tabs.length) % tabs.length]
    next?.focus()
    next?.click()
  }
  return (
    <div class="tabs" role="tablist" aria-label="Views" onKeyDown={move}>
      {VIEWS.filter((view) => view !== 'events' || !isQueueAlone).map((view) => (
        <button
          key={view}
          type="button"
          role="tab"
          class="tab"
          id={`tab-${view}`}
          aria-selected={view === chosen}
          aria-controls={view === chosen ? `panel-${view}` : undefined}
          tabIndex={view === chosen ? 0 : -1}
          onClick={() => {
            ui.view.value = view
            ui.unlocking.value = false
          }}
        >
          {NAMES[view]}
        </button>
      ))}
    </div>
  )
}

/** Told only when not every event is shown. */
function Load() {
  const { session } = usePage()
  session.numbers.value
  const { sampled, rates } = session.picture
  if (sampled <= 1) return null
  return (
    <span class="load muted" title="There are more events than are told">
      1 in {count(sampled)} of {count(rates?.events ?? 0)} events/s
    </span>
  )
}

const FAREWELLS: Readonly<Record<Goodbye['reason'], string>> = {
  stopped: 'The supervisor has stopped',
  failed: 'The supervisor has failed',
  closed: 'The inspector was closed',
}

function Status() {
  const { session } = usePage()
  const state = session.state.value
  const paused = session.paused.value
  const farewell = session.farewell.value
  const [tone, text] =
    state.name === 'outdated'
      ? ['lost', 'Reload the page: the server is of another version']
      : farewell !== undefined
        ? ['lost', FAREWELLS[farewell]]
        : state.name === 'open'
          ? paused
            ? ['held', 'Paused']
            : ['live', 'Live']
          : state.name === 'waiting'
            ? ['lost', 'Connection lost, trying again']
            : ['lost', state.tries > 0 ? 'Connecting again' : 'Connecting']
  return (
    <output class="status" data-tone={tone}>
      <span class="dot" aria-hidden="true" />
      {text}
    </output>
  )
}

function UnlockButton() {
  const { session, ui } = usePage()
  if (session.access.value !== 'look' || ui.unlocking.value) return null
  return (
    <button
      type="button"
      class="button"
      title="To act, and to see inputs and results"
      onClick={() => {
        ui.unlocking.value = true
      }}
    >
      Unlock
    </button>
  )
}

function PauseButton() {
  const { session } = usePage()
  const paused = session.paused.value
  return (
    <button
      type="button"
      class="button"
      aria-pressed={paused}
      aria-keyshortcuts="p"
      onClick={() => {
        session.paused.value = !paused
      }}
    >
      {paused ? 'Go on' : 'Pause'}
    </button>
  )
}
