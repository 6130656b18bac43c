/** What people and programs do to tasks: retry, move, remove. */
import type { AnswerTable, MoveOperation, Refusal, RemoveOperation, RetryOperation } from './operations.ts'
import type { Sql } from './sqlite-driver.ts'
import { hasLiveChild, joinIfOver } from './sqlite-forks.ts'
import { lifeOf, type TaskLife, writeLastStart, writeLife, writeLog } from './sqlite-rows.ts'
import { type LifeRow, nextLife } from './stored-life.ts'

type Plain = { readonly kind: 'done' } | Refusal

const DONE = { kind: 'done' } as const
const UNKNOWN: Refusal = { kind: 'refused', code: 'ERR_RUN_UNKNOWN' }
const notIn = ({ state }: TaskLife): Refusal => ({ kind: 'refused', code: 'ERR_RUN_STATE', state })

const KEY_HOLDER = 'SELECT id FROM stateward_task WHERE live_key = ?'
const REVIVE = `UPDATE stateward_task SET live_key = key, ended_at = NULL, ended_by = NULL, result = NULL, reason = NULL, asked = NULL,
  asked_at = NULL, asked_by = NULL, asked_reason = NULL, percent = NULL, note = NULL WHERE seq = ?`

export function retry(sql: Sql, operation: RetryOperation): AnswerTable['retry'] {
  return { items: operation.ids.map((id) => retryOne(sql, id, operation)) }
}

const UNFINISHED_CHILDREN = `SELECT id FROM stateward_task
  WHERE parent = ? AND state IN ('failed', 'cancelled', 'terminated') ORDER BY seq`

/** First its children that have not finished: whether it has to wait for some is known then. */
function retryOne(sql: Sql, id: string, operation: RetryOperation): Plain {
  const { at, by, runAt } = operation
  const row = lifeOf(sql, id)
  if (row === undefined) return UNKNOWN
  if (nextLife(row, { type: 'task.retry', runAt, waits: false }) === undefined) return notIn(row)
  const other =
    row.key === null ? undefined : (sql.statement(KEY_HOLDER).get(row.key) as { id: string } | undefined)
  if (other !== undefined) return { kind: 'refused', code: 'ERR_TASK_KEY_TAKEN', id: other.id }
  const children = sql.statement(UNFINISHED_CHILDREN).all(id) as { id: string }[]
  for (const child of children) retryOne(sql, child.id, operation)
  const waits = hasLiveChild(sql, id)
  const next = nextLife(row, { type: 'task.retry', runAt, waits }) as LifeRow
  // The row forgets how it ended; the log does not.
  const ended = row.state as 'failed' | 'cancelled' | 'terminated'
  writeLastStart(sql, row.seq)
  writeLog(sql, id, row.endedAt ?? at, row.endedBy ?? row.asked_by ?? row.holder ?? by, ended, row.error)
  writeLog(sql, id, at, by, 'retried', null)
  sql.statement(REVIVE).run(row.seq)
  writeLife(sql, row.seq, next, { at, reason: null, error: null })
  return DONE
}

export function move(sql: Sql, { ids, runAt, at, by }: MoveOperation): AnswerTable['move'] {
  const items = ids.map((id): Plain => {
    const row = lifeOf(sql, id)
    if (row === undefined) return UNKNOWN
    if (row.state !== 'pending') return notIn(row)
    const next = nextLife(row, { type: 'task.move', runAt })
    if (next === undefined) return DONE
    writeLife(sql, row.seq, next, { at, reason: null, error: null })
    writeLog(sql, id, at, by, 'moved', String(runAt))
    return DONE
  })
  return { items }
}

const REMOVE = 'DELETE FROM stateward_task WHERE seq = ?'
const REMOVE_LOG = 'DELETE FROM stateward_log WHERE id = ?'

export function remove(sql: Sql, { ids, at }: RemoveOperation): AnswerTable['remove'] {
  const items = ids.map((id): Plain => {
    const row = lifeOf(sql, id)
    if (row === undefined) return UNKNOWN
    if (nextLife(row, { type: 'task.remove' }) === undefined) return notIn(row)
    sql.statement(REMOVE).run(row.seq)
    sql.statement(REMOVE_LOG).run(id)
    if (row.parent !== null) joinIfOver(sql, row.parent, at)
    return DONE
  })
  return { items }
}
