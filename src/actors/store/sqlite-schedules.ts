/** Named schedules. Who sees an occurrence first makes its task; for all others it is stale. */
import type {
  AnswerTable,
  OccurAnswer,
  OccurOperation,
  ScheduleDoneOperation,
  ScheduleOperation,
  UnscheduleOperation,
} from './operations.ts'
import type { Sql } from './sqlite-driver.ts'
import { enqueueOne } from './sqlite-enqueue.ts'

const PUT = `INSERT INTO stateward_schedule (name, rule, call, next_at, created_at, created_by) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (name) DO UPDATE SET rule = excluded.rule, call = excluded.call, next_at = excluded.next_at`

export function schedule(sql: Sql, { schedules, at, by }: ScheduleOperation): AnswerTable['schedule'] {
  const items = schedules.map(({ name, rule, call, nextAt }) => {
    sql.statement(PUT).run(name, rule, call, nextAt, at, by)
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

const ADVANCE = 'UPDATE stateward_schedule SET next_at = ? WHERE name = ? AND next_at = ?'
const BEGIN_RUN = 'UPDATE stateward_schedule SET run_id = ? WHERE name = ?'

export function occur(sql: Sql, operation: OccurOperation): OccurAnswer {
  const { name, dueAt, task, nextAt } = operation
  if (sql.statement(ADVANCE).run(nextAt, name, dueAt).changes !== 1) return { kind: 'stale' }
  if (task === null) return { kind: 'occurred', enqueued: null }
  const enqueued = enqueueOne(sql, task, operation)
  if (enqueued.kind === 'stored') sql.statement(BEGIN_RUN).run(task.id, name)
  return { kind: 'occurred', enqueued }
}

const DONE = 'UPDATE stateward_schedule SET run_id = NULL WHERE name = ? AND run_id = ?'
const DONE_AND_NEXT = 'UPDATE stateward_schedule SET run_id = NULL, next_at = ? WHERE name = ? AND run_id = ?'

export function scheduleDone(sql: Sql, operation: ScheduleDoneOperation): AnswerTable['scheduleDone'] {
  const { name, runId, nextAt } = operation
  const { changes } =
    nextAt === undefined
      ? sql.statement(DONE).run(name, runId)
      : sql.statement(DONE_AND_NEXT).run(nextAt, name, runId)
  return { kind: changes === 1 ? 'done' : 'stale' }
}
