/** The buttons of a task: there for those who may act, as far as it can be done now. */
import type { TaskRow } from '../../runtime/inspector/messages.ts'
import { placeOf } from '../model/format.ts'
import { ActButton } from './act-button.tsx'
import { usePage } from './context.ts'

export function TaskActs({ task, onDone }: { task: TaskRow; onDone?: () => void }) {
  const { session } = usePage()
  if (task.acts.length === 0) return null
  const { id, of, name } = task
  const place = placeOf(task)
  const act = async (which: 'cancel' | 'retry', done: string): Promise<void> => {
    await session.act({ type: 'act', act: which, task: id, of, ...place }, done)
    onDone?.()
  }
  return (
    <span class="acts">
      {task.acts.includes('cancel') ? (
        <ActButton label={`Cancel ${name}`} onClick={() => void act('cancel', `${name} is asked to end.`)}>
          Cancel
        </ActButton>
      ) : null}
      {task.acts.includes('retry') ? (
        <ActButton label={`Retry ${name}`} onClick={() => void act('retry', `${name} runs again.`)}>
          Retry
        </ActButton>
      ) : null}
    </span>
  )
}
