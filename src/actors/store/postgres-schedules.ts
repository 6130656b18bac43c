/** Named schedules. Who sees an occurrence first makes its task; for all others it is stale. */
import type {
  AnswerTable,
  OccurAnswer,
  OccurOperation,
  ScheduleOperation,
  UnscheduleOperation,
} from './operations.ts'
import { enqueueAll } from './postgres-enqueue.ts'
import type { PgWork } from './postgres-rows.ts'

const PUT = `INSERT INTO stateward.schedule AS old (name, rule, call, next_at, look_at, created_at, created_by)
  VALUES ($1, $2, $3, $4, $4, $5, $6)
  ON CONFLICT (name) DO UPDATE SET call = excluded.call,
    next_at = CASE WHEN old.rule = excluded.rule THEN old.next_at ELSE excluded.next_at END,
    look_at = CASE WHEN old.rule = excluded.rule THEN old.look_at ELSE excluded.look_at END,
    owed = CASE WHEN old.rule = excluded.rule THEN old.owed END,
    rule = excluded.rule`

export async function schedule(
  { sql }: PgWork,
  { schedules, at, by }: ScheduleOperation,
): Promise<AnswerTable['schedule']> {
  for (const { name, rule, call, nextAt } of schedules) {
    await sql.rows(PUT, [name, rule, call, nextAt, at, by])
  }
  return { items: schedules.map(() => ({ kind: 'done' }) as const) }
}

const TAKE_AWAY = 'DELETE FROM stateward.schedule WHERE name = $1 RETURNING name'

export async function unschedule(
  { sql }: PgWork,
  { names }: UnscheduleOperation,
): Promise<AnswerTable['unschedule']> {
  const items: AnswerTable['unschedule']['items'][number][] = []
  for (const name of names) {
    const gone = await sql.rows(TAKE_AWAY, [name])
    items.push({ kind: gone.length === 1 ? 'done' : 'unknown' })
  }
  return { items }
}

const ADVANCE = `UPDATE stateward.schedule SET next_at = $1, owed = $2, look_at = $3
  WHERE name = $4 AND next_at IS NOT DISTINCT FROM $5 AND owed IS NOT DISTINCT FROM $6
    AND run_id IS NOT DISTINCT FROM $7 RETURNING name`
const BEGIN_RUN = 'UPDATE stateward.schedule SET run_id = $1 WHERE name = $2'

export async function occur(work: PgWork, operation: OccurOperation): Promise<OccurAnswer> {
  const { name, seen, task, plan, at, by } = operation
  const { sql } = work
  const values = [plan.nextAt, plan.owed, plan.lookAt, name, seen.nextAt, seen.owed, seen.runId]
  const advanced = await sql.rows(ADVANCE, values)
  if (advanced.length === 0) return { kind: 'stale' }
  if (task === null) return { kind: 'occurred', enqueued: null }
  const [enqueued = null] = await enqueueAll(work, [{ task, at, by }])
  if (enqueued?.kind === 'stored') await sql.rows(BEGIN_RUN, [task.id, name])
  return { kind: 'occurred', enqueued }
}
