/** A schedule that does not come again, because a run of it said so: it is kept as it was said, with a mark. */
import type { ScheduleRecord } from '../../actors/store/records.ts'
import type { ClaimedTask, TaskRecord } from '../../actors/store/task-record.ts'
import type { QueueStore } from './queue-store.ts'

/** In the place of what is owed, so that saying the same schedule again does not wake it up, and another rule does. */
const OVER = '"over"'

export type Occurrence = Pick<ClaimedTask, 'id' | 'createdAt'> & { readonly schedule: string }

/**
 * @param task - an occurrence of a schedule, or a child of one, at any depth
 * @returns the occurrence; `undefined` when no schedule has made it
 * @throws QueueError
 */
export async function occurrenceAbove(
  queue: QueueStore,
  task: Pick<ClaimedTask, 'id' | 'createdAt' | 'schedule'>,
): Promise<Occurrence | undefined> {
  const { id, createdAt, schedule } = task
  if (schedule !== null) return { id, createdAt, schedule }
  const read = async (id: string): Promise<TaskRecord | undefined> =>
    (await queue.read((store) => store.get([id])))[0]
  const parent = (await read(id))?.parent ?? null
  const above = parent === null ? undefined : await read(parent)
  return above && occurrenceAbove(queue, above)
}

/**
 * @param task - an occurrence of it
 * @param by - who says so, for the operations log
 * @returns whether this has ended it: not when it was taken away, made anew, or has been ended before
 * @throws QueueError
 */
export async function endSchedule(
  queue: QueueStore,
  { schedule: name, createdAt }: Omit<Occurrence, 'id'>,
  by: string,
): Promise<boolean> {
  for (;;) {
    const record = (await queue.read((store) => store.schedules())).find((one) => one.name === name)
    if (record === undefined || record.createdAt > createdAt || isOver(record)) return false
    const plan = { nextAt: null, owed: OVER, lookAt: null }
    const act = { at: queue.now(), by, name: record.name, seen: record, task: null, plan }
    const { kind } = await queue.do({ type: 'occur', ...act })
    // Somebody has looked at it in between: what it owes now is not what was read.
    if (kind === 'occurred') return true
  }
}

export const isOver = ({ owed }: Pick<ScheduleRecord, 'owed'>): boolean => owed === OVER
