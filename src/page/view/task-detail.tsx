/** What a row does not show: the log of a task, its error, and, when the user asks for them, its values. */
import { useState } from 'preact/hooks'
import type { TaskDetail } from '../../runtime/inspector/messages.ts'
import { clockTime, placeOf } from '../model/format.ts'
import { ActButton } from './act-button.tsx'
import { usePage } from './context.ts'

export function TaskDetailView({ task, log = true }: { task: TaskDetail; log?: boolean }) {
  return (
    <div class="task-detail">
      {task.error === null || !log ? null : (
        <p class="error">
          {task.error.name}: {task.error.message}
          {task.error.code === null ? null : <code> {task.error.code}</code>}
        </p>
      )}
      {log && task.log.length > 0 ? (
        <ol class="task-log">
          {task.log.map(({ at, what, by }, index) => (
            <li key={index}>
              <time>{clockTime(at)}</time> {what}
              {by === null ? null : <span class="muted"> by {by}</span>}
            </li>
          ))}
        </ol>
      ) : null}
      {log && task.log.length === 0 ? <p class="muted">Nothing is in its log yet.</p> : null}
      <Values task={task} />
    </div>
  )
}

/** They may hold secrets: nothing is fetched before somebody who may see them asks. */
function Values({ task }: { task: TaskDetail }) {
  const { session } = usePage()
  const [shown, setShown] = useState<TaskDetail | undefined>(undefined)
  if (session.access.value !== 'act') return null
  if (shown?.id === task.id && shown.values !== null) {
    return (
      <pre class="values">{`input  ${text(shown.values.input)}\nresult ${text(shown.values.result)}`}</pre>
    )
  }
  const { id, of } = task
  const show = (): void => {
    session
      .ask<TaskDetail>({ type: 'ask', ask: 'task', task: id, of, ...placeOf(task), values: true })
      .then(setShown, (error) => {
        session.notice.value = { kind: 'failed', text: (error as Error).message }
      })
  }
  return <ActButton onClick={show}>Show input and result</ActButton>
}

function text(value: unknown): string {
  return value === undefined || value === null ? '—' : JSON.stringify(value, null, 2)
}
