/** What people and programs do to tasks: cancel, retry, move, remove. */
import type {
  AnswerTable,
  CancelAnswer,
  CancelOperation,
  MoveOperation,
  Refusal,
  RemoveOperation,
  RetryOperation,
} from './operations.ts'
import type { Sql } from './sqlite-driver.ts'
import { lifeOf, type TaskLife, writeLife, writeLog, writeRequest } from './sqlite-rows.ts'
import { nextLife } from './stored-life.ts'

type Plain = { readonly kind: 'done' } | Refusal

const DONE = { kind: 'done' } as const
const UNKNOWN: Refusal = { kind: 'refused', code: 'ERR_RUN_UNKNOWN' }
const notIn = ({ state }: TaskLife): Refusal => ({ kind: 'refused', code: 'ERR_RUN_STATE', state })

export function cancel(sql: Sql, operation: CancelOperation): AnswerTable['cancel'] {
  return { items: operation.ids.map((id) => cancelOne(sql, id, operation)) }
}

function cancelOne(sql: Sql, id: string, { at, by, reason }: CancelOperation): CancelAnswer {
  const row = lifeOf(sql, id)
  if (row === undefined) return UNKNOWN
  const next = nextLife(row, { type: 'task.cancel' })
  // It runs, and was asked before.
  if (next === undefined) return row.state === 'running' ? { kind: 'asked' } : notIn(row)
  writeRequest(sql, row.seq, { at, by, reason, replaced: false })
  writeLife(sql, row.seq, next, { at, reason, error: null })
  if (next.state === 'cancelled') return { kind: 'cancelled' }
  writeLog(sql, id, at, by, 'cancelAsked', reason)
  return { kind: 'asked' }
}

const KEY_HOLDER = 'SELECT id FROM stateward_task WHERE live_key = ?'
const REVIVE = `UPDATE stateward_task SET live_key = key, ended_at = NULL, result = NULL, reason = NULL, asked = NULL,
  asked_at = NULL, asked_by = NULL, asked_reason = NULL, percent = NULL, note = NULL WHERE seq = ?`

export function retry(sql: Sql, operation: RetryOperation): AnswerTable['retry'] {
  return { items: operation.ids.map((id) => retryOne(sql, id, operation)) }
}

function retryOne(sql: Sql, id: string, { at, by, runAt }: RetryOperation): Plain {
  const row = lifeOf(sql, id)
  if (row === undefined) return UNKNOWN
  const next = nextLife(row, { type: 'task.retry', runAt })
  if (next === undefined) return notIn(row)
  const other =
    row.key === null ? undefined : (sql.statement(KEY_HOLDER).get(row.key) as { id: string } | undefined)
  if (other !== undefined) return { kind: 'refused', code: 'ERR_TASK_KEY_TAKEN', id: other.id }
  // The row forgets how it ended; the log does not.
  const ended = row.state as 'failed' | 'cancelled' | 'terminated'
  writeLog(sql, id, row.endedAt ?? at, row.asked_by ?? row.holder ?? by, ended, row.error)
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

export function remove(sql: Sql, { ids }: RemoveOperation): AnswerTable['remove'] {
  const items = ids.map((id): Plain => {
    const row = lifeOf(sql, id)
    if (row === undefined) return UNKNOWN
    if (nextLife(row, { type: 'task.remove' }) === undefined) return notIn(row)
    sql.statement(REMOVE).run(row.seq)
    sql.statement(REMOVE_LOG).run(id)
    return DONE
  })
  return { items }
}
