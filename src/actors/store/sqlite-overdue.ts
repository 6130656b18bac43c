/** Ends what has waited for longer than it may. Triggers tell its parent and its schedule, as they do of every end. */
import { overdueOf, type Wait } from '../../machines/overdue.ts'
import type { AnswerTable, OverdueOperation, OverdueTask } from './operations.ts'
import type { Sql } from './sqlite-driver.ts'
import { LIFE_COLUMNS, type TaskLife, writeLife } from './sqlite-rows.ts'
import { nextLife } from './stored-life.ts'

const WAITING = `FROM stateward_task INDEXED BY stateward_task_overdue WHERE state = 'pending' AND overdue_at`
const OVERDUE = `SELECT ${LIFE_COLUMNS}, step, created_at AS createdAt, queue_timeout_ms AS queueTimeoutMs,
  deadline_ms AS deadlineMs, expires_at AS expiresAt ${WAITING} <= ? ORDER BY overdue_at LIMIT ?`
const FIRST = `SELECT min(overdue_at) AS at ${WAITING} IS NOT NULL`

export function overdue(sql: Sql, { at, by, limit }: OverdueOperation): AnswerTable['overdue'] {
  const rows = sql.statement(OVERDUE).all(at, limit) as (TaskLife & Wait)[]
  const tasks = rows.flatMap((row): OverdueTask[] => {
    const { reason } = overdueOf(row) ?? {}
    const next = reason === undefined ? undefined : nextLife(row, { type: 'task.overdue', reason })
    if (reason === undefined || next === undefined) return []
    writeLife(sql, row.seq, next, { at, reason, error: null, endedBy: by })
    return [{ id: row.id, name: row.name, state: next.state as OverdueTask['state'], reason }]
  })
  return { tasks, nextAt: overdueAt(sql) }
}

/** When the first one is overdue of those that wait, epoch ms. */
export function overdueAt(sql: Sql): number | null {
  return (sql.statement(FIRST).get() as { at: number | null }).at
}
