/** Ends what has waited for longer than it may. */
import { overdueOf, type Wait } from '../../machines/overdue.ts'
import type { AnswerTable, OverdueOperation, OverdueTask } from './operations.ts'
import { flushAndJoin } from './postgres-forks.ts'
import { type PgWork, Rows, type TaskLife } from './postgres-rows.ts'
import { nextLife } from './stored-life.ts'

/** SQL for when the first one is overdue of those that wait, epoch ms. */
export const FIRST_OVERDUE = `SELECT overdue_at FROM stateward.task
  WHERE overdue_at IS NOT NULL AND state = 'pending' ORDER BY overdue_at LIMIT 1`
const OVERDUE = `SELECT id FROM stateward.task WHERE overdue_at <= $1 AND state = 'pending'
  ORDER BY overdue_at LIMIT $2`
const WAITS = `SELECT id, created_at AS "createdAt", queue_timeout_ms AS "queueTimeoutMs", deadline_ms AS "deadlineMs",
  expires_at AS "expiresAt" FROM stateward.task WHERE id = ANY($1) AND overdue_at <= $2 AND state = 'pending'
  ORDER BY overdue_at`

export async function overdue(work: PgWork, operation: OverdueOperation): Promise<AnswerTable['overdue']> {
  const { at, by, limit } = operation
  const { sql } = work
  const ids = (await sql.rows<{ id: string }>(OVERDUE, [at, limit])).map(({ id }) => id)
  const tasks = ids.length === 0 ? [] : await endAll(work, ids, { at, by })
  const [first] = await sql.rows<{ overdue_at: number }>(FIRST_OVERDUE)
  return { tasks, nextAt: first?.overdue_at ?? null }
}

/** Locked first, as a claim locks them: what was claimed or moved since is left alone. */
async function endAll(
  work: PgWork,
  ids: readonly string[],
  { at, by }: { readonly at: number; readonly by: string },
): Promise<OverdueTask[]> {
  const rows = new Rows(work)
  await rows.load(ids)
  const waits = await work.sql.rows<Wait & { readonly id: string }>(WAITS, [ids, at])
  const tasks = waits.flatMap((wait): OverdueTask[] => {
    const row = rows.get(wait.id) as TaskLife
    const { reason } = overdueOf({ ...wait, ...row }) ?? {}
    const next = reason === undefined ? undefined : nextLife(row, { type: 'task.overdue', reason })
    if (reason === undefined || next === undefined) return []
    const { state } = rows.write(row, next, { at, reason, error: null, endedBy: by })
    return [{ id: row.id, name: row.name, state: state as OverdueTask['state'], reason }]
  })
  await flushAndJoin(work, rows)
  return tasks
}
