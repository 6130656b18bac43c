/** The operations log of a task: what its record says by itself, and what was noted besides. */
import type { LogEntry } from './records.ts'
import type { TaskRecord } from './task-record.ts'

/**
 * @param noted - entries of the log, oldest first; with the end of an attempt that did not end the task comes its start
 * @returns oldest first: who made it, each start, its end, and all that was noted
 */
export function historyOf(record: TaskRecord, noted: readonly LogEntry[]): LogEntry[] {
  const { createdAt, createdBy } = record
  const entries: LogEntry[] = [{ at: createdAt, by: createdBy, act: 'created', detail: null }, ...noted]
  entries.sort((a, b) => a.at - b.at)
  const started = lastStartOf(record, noted)
  if (started !== undefined) {
    // Within one millisecond its holder may have told of the attempt before.
    const later = entries.findIndex(({ at }) => at > started.at)
    entries.splice(later === -1 ? entries.length : later, 0, started)
  }
  const end = endOf(record)
  return end === undefined ? entries : [...entries, end]
}

/** The start that only the row knows. */
function lastStartOf(
  { state, startedAt, holder, endedBy }: TaskRecord,
  noted: readonly LogEntry[],
): LogEntry | undefined {
  if (startedAt === null || holder === null) return undefined
  const started: LogEntry = { at: startedAt, by: holder, act: 'started', detail: null }
  // An equal one is that of an attempt before, in the same millisecond. What was overdue has ended without one.
  if (state === 'running' || state === 'finished' || (state === 'failed' && endedBy === null)) return started
  const isNoted = noted.some(({ act, at, by }) => act === 'started' && at === startedAt && by === holder)
  return isNoted ? undefined : started
}

function endOf({
  state,
  endedAt,
  endedBy,
  request,
  holder,
  createdBy,
  reason,
  error,
}: TaskRecord): LogEntry | undefined {
  if (state === 'pending' || state === 'running' || state === 'forked' || endedAt === null) return undefined
  // One that was asked to end before anybody held it was ended by who asked.
  const by =
    endedBy ?? (state === 'cancelled' ? request?.by : undefined) ?? holder ?? request?.by ?? createdBy
  return { at: endedAt, by, act: state, detail: error ?? reason }
}
