/** Who sent an event to a machine, as far as its name tells. Pure. */

import { ROOT_ID } from './ids.ts'
import type { EventRow } from './messages.ts'

/**
 * @param owner - id of the worker or task that submitted a run
 * @param pool - id of the pool of a run
 */
export function sourceOfTask(event: string, owner: string | undefined, pool: string): EventRow['source'] {
  if (event === 'task.admit') return pool
  if (event.startsWith('timer.')) return 'clock'
  if (event.startsWith('attempt.') || event.startsWith('loop.')) return 'handler'
  if (event === 'task.terminate' || event === 'task.kill') return ROOT_ID
  return event === 'task.submit' ? (owner ?? 'user') : 'user'
}

/** @param parent - id of the actor above it */
export function sourceOfOther(event: string, parent: string): EventRow['source'] {
  if (event.startsWith('timer.')) return 'clock'
  if (event.startsWith('run.') || event.startsWith('item.')) return 'handler'
  if (event === 'worker.trigger' || event === 'worker.pause' || event === 'worker.resume') return 'user'
  return parent
}
