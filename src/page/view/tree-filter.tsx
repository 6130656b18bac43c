/** Which tasks are in the tree: by name or id, and by state. The server filters: it knows them all. */
import { usePage } from './context.ts'

const STATES = ['queued', 'running', 'scheduled', 'retrying', 'snoozed']

export function TreeFilter() {
  const { ui } = usePage()
  return (
    <search class="filters">
      <input
        type="search"
        data-filter
        placeholder="Filter tasks  ( / )"
        aria-label="Filter tasks by name or id"
        aria-keyshortcuts="/"
        value={ui.filter.value}
        onInput={(event) => {
          ui.filter.value = event.currentTarget.value
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') document.querySelector<HTMLElement>('[role=tree]')?.focus()
        }}
      />
      <select
        aria-label="State of tasks"
        value={ui.filterState.value}
        onChange={(event) => {
          ui.filterState.value = event.currentTarget.value
        }}
      >
        <option value="">any state</option>
        {STATES.map((state) => (
          <option key={state} value={state}>
            {state}
          </option>
        ))}
      </select>
    </search>
  )
}
