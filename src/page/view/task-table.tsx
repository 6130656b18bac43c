/** Tasks as a table; each row can be opened. */
import { useState } from 'preact/hooks'
import type { TaskRow } from '../../runtime/inspector/messages.ts'
import { duration, instant, placed, relative, shortId } from '../model/format.ts'
import { Badge } from './badge.tsx'
import { useNow } from './now.ts'
import { Progress } from './progress.tsx'
import { TaskActs } from './task-acts.tsx'
import { TaskDetailView } from './task-detail.tsx'
import { useTaskDetail } from './task-facts.tsx'
import { Within } from './within.tsx'

export interface TaskTableProps {
  readonly tasks: readonly TaskRow[]
  /** Something was done to one of them. */
  onChange(): void
}

export function TaskTable({ tasks, onChange }: TaskTableProps) {
  const [open, setOpen] = useState<string | undefined>(undefined)
  if (tasks.length === 0) return <p class="muted blank">No task matches.</p>
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it.
    <section class="table-box" tabIndex={0} aria-label="Tasks">
      <table class="task-table">
        <thead>
          <tr>
            <th scope="col">Task</th>
            <th scope="col">State</th>
            <th scope="col" class="wide">
              Priority
            </th>
            <th scope="col" class="wide">
              Where
            </th>
            <th scope="col" class="wide">
              From
            </th>
            <th scope="col">Time</th>
            <th scope="col">
              <span class="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        {tasks.map((task) => (
          <TaskRows
            key={keyOf(task)}
            task={task}
            open={open === keyOf(task)}
            onToggle={() => setOpen(open === keyOf(task) ? undefined : keyOf(task))}
            onChange={onChange}
          />
        ))}
      </table>
    </section>
  )
}

/** Ids that a user has made may be those of runs of several supervisors. */
function keyOf({ id, within }: TaskRow): string {
  return placed(id, within)
}

interface TaskRowsProps {
  readonly task: TaskRow
  readonly open: boolean
  onToggle(): void
  onChange(): void
}

function TaskRows({ task, open, onToggle, onChange }: TaskRowsProps) {
  const { name, description, state, priority, execution, holder, from, attempt } = task
  return (
    <tbody data-open={open}>
      <tr>
        <td class="task-name">
          <button type="button" class="link" aria-expanded={open} title={description} onClick={onToggle}>
            {description === '' ? name : description}
          </button>
          <span class="muted id" title={task.id}>
            <Within path={task.within} />
            {description === name ? '' : `${name} · `}
            {shortId(task.id)}
          </span>
        </td>
        <td>
          <Badge state={state} />
          {state === 'running' ? <Progress percent={task.percent} note={task.note} name={name} /> : null}
          {task.reason === null || state === 'running' ? null : (
            <span class="muted reason">{task.reason}</span>
          )}
        </td>
        <td class="wide">{priority}</td>
        <td class="wide where" title={holder ?? undefined}>
          {execution ?? holder ?? '—'}
          {attempt > 1 ? <span class="muted"> attempt {attempt}</span> : null}
        </td>
        <td class="wide">{from ?? '—'}</td>
        <td>
          <Time task={task} />
        </td>
        <td class="end">
          <TaskActs task={task} onDone={onChange} />
        </td>
      </tr>
      {open ? (
        <tr class="opened">
          <td colSpan={7}>
            <Opened task={task} />
          </td>
        </tr>
      ) : null}
    </tbody>
  )
}

function Opened({ task }: { task: TaskRow }) {
  const detail = useTaskDetail(task, task.state)
  return detail === undefined ? <p class="muted">Asking…</p> : <TaskDetailView task={detail} />
}

function Time({ task }: { task: TaskRow }) {
  const now = useNow()
  const { createdAt, startedAt, endedAt, runAt } = task
  const title = `created ${instant(createdAt, now)}`
  const text =
    endedAt !== null
      ? `${startedAt === null ? '' : `${duration(endedAt - startedAt)}, `}${relative(endedAt, now)}`
      : startedAt !== null && task.state === 'running'
        ? `for ${duration(now - startedAt)}`
        : runAt !== null && runAt > now
          ? relative(runAt, now)
          : `waits ${duration(now - Math.max(createdAt, runAt ?? 0))}`
  return (
    <span class="number" title={title}>
      {text}
    </span>
  )
}
