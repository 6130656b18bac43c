/** The frame of the page: header, the chosen view, and beside it what is always worth a look. */
import type { ComponentChildren } from 'preact'
import { useLayoutEffect } from 'preact/hooks'
import { ActorsView } from './actors-view.tsx'
import { usePage } from './context.ts'
import { EventsView } from './events-view.tsx'
import { Header } from './header.tsx'
import { Login } from './login.tsx'
import { NoticeBar } from './notice-bar.tsx'
import { Overview } from './overview.tsx'
import { SchedulesView } from './schedules-view.tsx'
import { TasksView } from './tasks-view.tsx'
import type { View } from './ui.ts'
import { useWatch } from './watch.ts'

export function App() {
  const { session, ui } = usePage()
  const asksToken = session.locked.value || (ui.unlocking.value && session.access.value === 'look')
  useShortcuts(asksToken)
  useWatch()
  const view = ui.view.value
  return (
    <div class="app" data-view={view} data-connected={session.state.value.name === 'open'}>
      <Header />
      {asksToken ? <Login /> : <Main view={view} />}
      <NoticeBar />
    </div>
  )
}

function Main({ view }: { view: View }) {
  return (
    <main class="main" id="main">
      <section
        class="view"
        role="tabpanel"
        id={`panel-${view}`}
        aria-labelledby={`tab-${view}`}
        tabIndex={view === 'overview' ? 0 : undefined}
      >
        {PANELS[view]()}
      </section>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it. */}
      <aside class="rail" aria-label="Pools and rates" tabIndex={0}>
        {view === 'overview' ? null : <Overview />}
      </aside>
    </main>
  )
}

const PANELS: Readonly<Record<View, () => ComponentChildren>> = {
  overview: () => <Overview />,
  actors: () => <ActorsView />,
  tasks: () => <TasksView />,
  events: () => <EventsView />,
  schedules: () => <SchedulesView />,
}

/** `/` goes to the filter of the view; `p` pauses. */
function useShortcuts(isOff: boolean): void {
  const { session } = usePage()
  useLayoutEffect(() => {
    if (isOff) return
    const onKey = (event: KeyboardEvent): void => {
      const { key, target, ctrlKey, metaKey, altKey } = event
      const writes = target instanceof HTMLElement && target.closest('input, select, textarea') !== null
      if (writes || ctrlKey || metaKey || altKey) return
      if (key === '/') {
        const filter = document.querySelector<HTMLInputElement>('[data-filter]')
        if (filter === null) return
        event.preventDefault()
        filter.focus()
        filter.select()
      } else if (key === 'p') session.paused.value = !session.paused.peek()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [session, isOff])
}
