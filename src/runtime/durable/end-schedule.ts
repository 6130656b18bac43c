/** A schedule that does not come again, because a run of it said so: it is kept as it was said, with a mark. */
import type { ScheduleRecord } from '../../actors/store/records.ts'
import type { ClaimedTask } from '../../actors/store/task-record.ts'
import type { QueueStore } from './queue-store.ts'

/** In the place of what is owed, so that saying the same schedule again does not wake it up, and another rule does. */
const OVER = '"over"'

/**
 * @param task - an occurrence of it
 * @param by - who says so, for the operations log
 * @returns whether this has ended it: not when it was taken away, made anew, or has been ended before
 * @throws QueueError
 */
export async function endSchedule(
  queue: QueueStore,
  { schedule: name, createdAt }: Pick<ClaimedTask, 'schedule' | 'createdAt'>,
  by: string,
): Promise<boolean> {
  for (;;) {
    const record = (await queue.read((store) => store.schedules())).find((one) => one.name === name)
    if (record === undefined || record.createdAt > createdAt || isOver(record)) return false
    const { nextAt, owed } = record
    const plan = { nextAt: null, owed: OVER, lookAt: null }
    const act = { at: queue.now(), by, name: record.name, seen: { nextAt, owed }, task: null, plan }
    const { kind } = await queue.do({ type: 'occur', ...act })
    // Somebody has looked at it in between: what it owes now is not what was read.
    if (kind === 'occurred') return true
  }
}

export const isOver = ({ owed }: Pick<ScheduleRecord, 'owed'>): boolean => owed === OVER
