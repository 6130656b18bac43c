/** Acts on all tasks that a filter finds: page by page, so that others get their turn in between. */
import type { TaskFilter } from '../../actors/store/records.ts'
import type { TaskRecord } from '../../actors/store/task-record.ts'
import type { QueueStore } from './queue-store.ts'
import { DEAD_STATES, type StoredTaskFilter, toBulkFilter } from './task-query.ts'

const TASKS_PER_COMMIT = 500

/** @returns how many were removed */
export function clearTasks(queue: QueueStore, filter: StoredTaskFilter): Promise<number> {
  const chosen = toBulkFilter(filter, ['scheduled', 'queued', 'retrying', 'snoozed'])
  return onPages(queue, chosen, async (ids) => {
    const { items } = await queue.do({ type: 'remove', ids, at: queue.now() })
    return items
  })
}

/** @returns how many wait again */
export function retryTasks(queue: QueueStore, filter: StoredTaskFilter): Promise<number> {
  const chosen = toBulkFilter(filter, DEAD_STATES)
  return onPages(queue, chosen, async (ids) => {
    const at = queue.now()
    const { items } = await queue.do({ type: 'retry', ids, runAt: at, at, by: queue.by })
    return items
  })
}

/** What was stored later than the call is none of its business: it has an end, however busy the queue is. */
async function onPages(
  queue: QueueStore,
  filter: TaskFilter,
  act: (ids: readonly string[]) => Promise<readonly { readonly kind: string }[]>,
): Promise<number> {
  const now = queue.now()
  let done = 0
  let after: string | undefined
  do {
    const page = {
      limit: TASKS_PER_COMMIT,
      order: 'newest',
      ...(after === undefined ? {} : { after }),
    } as const
    const { items, next } = await queue.read((store) => store.list(filter, page, now))
    const answers = items.length === 0 ? [] : await act(items.map(({ id }: TaskRecord) => id))
    // What others have begun or removed meanwhile is left alone.
    done += answers.filter(({ kind }) => kind === 'done').length
    after = next ?? undefined
  } while (after !== undefined)
  return done
}
