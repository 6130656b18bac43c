/** Named schedules. Who sees an occurrence first makes its task; for all others it is stale. */
import type {
  AnswerTable,
  OccurAnswer,
  OccurOperation,
  ScheduleOperation,
  UnscheduleOperation,
} from './operations.ts'
import type { Sql } from './sqlite-driver.ts'
import { enqueueOne } from './sqlite-enqueue.ts'

const PUT = `INSERT INTO stateward_schedule (name, rule, call, next_at, look_at, created_at, created_by)
  VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (name) DO UPDATE SET call = excluded.call,
    next_at = CASE WHEN rule = excluded.rule THEN next_at ELSE excluded.next_at END,
    look_at = CASE WHEN rule = excluded.rule THEN look_at ELSE excluded.look_at END,
    owed = CASE WHEN rule = excluded.rule THEN owed END,
    rule = excluded.rule`

export function schedule(sql: Sql, { schedules, at, by }: ScheduleOperation): AnswerTable['schedule'] {
  const items = schedules.map(({ name, rule, call, nextAt }) => {
    sql.statement(PUT).run(name, rule, call, nextAt, nextAt, at, by)
    return { kind: 'done' } as const
  })
  return { items }
}

export function unschedule(sql: Sql, { names }: UnscheduleOperation): AnswerTable['unschedule'] {
  const statement = sql.statement('DELETE FROM stateward_schedule WHERE name = ?')
  return {
    items: names.map((name) => ({ kind: statement.run(name).changes === 1 ? 'done' : 'unknown' }) as const),
  }
}

const ADVANCE = `UPDATE stateward_schedule SET next_at = ?, owed = ?, look_at = ?
  WHERE name = ? AND next_at IS ? AND owed IS ? AND run_id IS ?`
const BEGIN_RUN = 'UPDATE stateward_schedule SET run_id = ? WHERE name = ?'

export function occur(sql: Sql, operation: OccurOperation): OccurAnswer {
  const { name, seen, task, plan } = operation
  const { changes } = sql
    .statement(ADVANCE)
    .run(plan.nextAt, plan.owed, plan.lookAt, name, seen.nextAt, seen.owed, seen.runId)
  if (changes !== 1) return { kind: 'stale' }
  if (task === null) return { kind: 'occurred', enqueued: null }
  const enqueued = enqueueOne(sql, task, operation)
  if (enqueued.kind === 'stored') sql.statement(BEGIN_RUN).run(task.id, name)
  return { kind: 'occurred', enqueued }
}
