/** Who sent an event to a machine, as far as its name tells. Pure. */
import type { TaskRun } from '../../actors/task-run.ts'
import type { Ids } from './ids.ts'
import type { EventRow } from './messages.ts'

/** @param ids - of the supervisor of the run */
export function sourceOfTask(event: string, run: TaskRun, ids: Ids): EventRow['source'] {
  if (event === 'task.admit') return ids.poolOf(run)
  if (event.startsWith('timer.')) return 'clock'
  if (event.startsWith('attempt.') || event.startsWith('loop.')) return 'handler'
  if (event === 'task.terminate' || event === 'task.kill') return ids.root
  return event === 'task.submit' ? (ids.owner(run) ?? 'user') : 'user'
}

/** @param parent - id of the actor above it */
export function sourceOfOther(event: string, parent: string): EventRow['source'] {
  if (event.startsWith('timer.')) return 'clock'
  if (event.startsWith('run.') || event.startsWith('item.')) return 'handler'
  if (event === 'worker.trigger' || event === 'worker.pause' || event === 'worker.resume') return 'user'
  return parent
}
