/** What there is to know of a task that is selected, and what may be done to it. */
import { useEffect, useState } from 'preact/hooks'
import type { ActorRow, TaskDetail, TaskRow, TaskSource } from '../../runtime/inspector/messages.ts'
import { placeOf } from '../model/format.ts'
import { usePage } from './context.ts'
import { TaskActs } from './task-acts.tsx'
import { TaskDetailView } from './task-detail.tsx'

export function TaskFacts({ actor, ended }: { actor: ActorRow; ended: boolean }) {
  const { runId = '', execution } = actor.task ?? {}
  // A run of the supervisor is one of its own executions.
  const of: TaskSource = execution === 'durable' ? 'queue' : 'supervisor'
  const detail = useTaskDetail({ id: runId, of, ...placeOf(actor) }, `${actor.state} ${ended}`)
  const { task } = actor
  return (
    <>
      <dl class="facts">
        {task === undefined ? null : (
          <>
            <Fact name="priority" value={task.priority} />
            <Fact name="execution" value={task.execution} />
            <Fact name="attempt" value={String(task.attempt)} />
          </>
        )}
        {ended && detail !== undefined ? <Fact name="ended as" value={detail.state} /> : null}
        {detail?.reason == null ? null : <Fact name="reason" value={detail.reason} />}
        {detail?.error == null ? null : <Fact name="error" value={detail.error.message} />}
      </dl>
      {detail === undefined ? null : (
        <div class="row">
          <TaskActs task={detail} />
          <TaskDetailView task={detail} log={false} />
        </div>
      )}
    </>
  )
}

export function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}

/** Asked again whenever `change` is another one. */
export function useTaskDetail(
  { id, of, within }: Pick<TaskRow, 'id' | 'of' | 'within'>,
  change: string,
): TaskDetail | undefined {
  const { session } = usePage()
  const [detail, setDetail] = useState<TaskDetail | undefined>(undefined)
  const open = session.state.value.name === 'open'
  // `change` says when to ask again.
  useEffect(() => {
    let wanted = open && id !== ''
    if (!wanted) return
    const ask = (): Promise<void> =>
      session.ask<TaskDetail>({ type: 'ask', ask: 'task', task: id, of, ...placeOf({ within }) }).then(
        (answer) => {
          if (wanted) setDetail(answer)
        },
        () => {},
      )
    void ask()
    const end = session.standing(ask)
    return () => {
      wanted = false
      end()
    }
  }, [id, of, within, change, open, session])
  return detail?.id === id ? detail : undefined
}
