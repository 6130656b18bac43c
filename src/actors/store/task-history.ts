/** The operations log of a task: what its record says by itself, and what was noted besides. */
import type { LogEntry } from './records.ts'
import type { TaskRecord } from './task-record.ts'

/**
 * @param noted - entries of the log, oldest first
 * @returns oldest first: who made it, its last start, its end, and all that was noted
 */
export function historyOf(record: TaskRecord, noted: readonly LogEntry[]): LogEntry[] {
  const { createdAt, createdBy, startedAt, holder } = record
  const entries: LogEntry[] = [{ at: createdAt, by: createdBy, act: 'created', detail: null }, ...noted]
  entries.sort((a, b) => a.at - b.at)
  if (startedAt !== null && holder !== null) {
    // Within one millisecond its holder may have told of the attempt before, and of this one if that is over already.
    const isOver = record.state === 'pending'
    const later = entries.findIndex(({ at }) => at > startedAt)
    const last = later === -1 ? entries.length : later
    const told = entries[last - 1]
    const after = isOver && told?.at === startedAt && told.by === holder ? last - 1 : last
    const started: LogEntry = { at: startedAt, by: holder, act: 'started', detail: null }
    entries.splice(after, 0, started)
  }
  const end = endOf(record)
  return end === undefined ? entries : [...entries, end]
}

function endOf({
  state,
  endedAt,
  request,
  holder,
  createdBy,
  reason,
  error,
}: TaskRecord): LogEntry | undefined {
  if (state === 'pending' || state === 'running' || state === 'forked' || endedAt === null) return undefined
  // One that was asked to end before anybody held it was ended by who asked.
  const by = (state === 'cancelled' ? request?.by : undefined) ?? holder ?? request?.by ?? createdBy
  return { at: endedAt, by, act: state, detail: error ?? reason }
}
