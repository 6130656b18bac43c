/** What keeps a store in order: lost leases, old rows, signs of life. */
import type { StoredState } from '../../machines/stored-task.ts'
import { endReason } from './attempt-event.ts'
import type {
  AnswerTable,
  BeatOperation,
  LeaveOperation,
  PruneOperation,
  ReclaimedTask,
  ReclaimOperation,
  TellOperation,
} from './operations.ts'
import type { Sql } from './sqlite-driver.ts'
import { type Facts, LIFE_COLUMNS, type TaskLife, writeAttemptEnd, writeLife } from './sqlite-rows.ts'
import { nextLife } from './stored-life.ts'

const EXPIRED = `SELECT ${LIFE_COLUMNS} FROM stateward_task INDEXED BY stateward_task_leased
  WHERE state = 'running' AND lease_until <= ?1 AND (?3 IS NULL OR id = ?3) ORDER BY lease_until LIMIT ?2`

export function reclaim(sql: Sql, operation: ReclaimOperation): AnswerTable['reclaim'] {
  const { at, by, lostLimit, limit, id = null } = operation
  const rows = sql.statement(EXPIRED).all(at, limit, id) as TaskLife[]
  const tasks = rows.flatMap((row): ReclaimedTask[] => {
    const next = nextLife(row, { type: 'lease.expired', at, lostLimit })
    if (next === undefined) return []
    const { id, name, schedule } = row
    const holder = row.holder as string
    writeLife(sql, row.seq, next, { at, error: null, ...endOf(row, by) })
    writeAttemptEnd(sql, row, at, by, 'leaseLost', holder)
    return [{ id, name, holder, schedule, state: next.state as StoredState }]
  })
  return { tasks }
}

/** One that was asked to end was ended by who asked. */
function endOf(row: TaskLife, by: string): Pick<Facts, 'reason' | 'endedBy'> {
  return row.asked === null ? { reason: 'awol', endedBy: by } : { reason: endReason(row) }
}

const UNNEEDED = `(parent IS NULL OR NOT EXISTS
  (SELECT 1 FROM stateward_task AS above WHERE above.id = stateward_task.parent AND above.ended_at IS NULL))`
const OLD = `SELECT seq, id FROM stateward_task INDEXED BY stateward_task_ended
  WHERE ended_at IS NOT NULL AND state = ? AND ended_at <= ? AND ${UNNEEDED} ORDER BY ended_at, seq LIMIT ?`
const LAST_KEPT = `SELECT ended_at AS endedAt, seq FROM stateward_task INDEXED BY stateward_task_ended
  WHERE ended_at IS NOT NULL AND state = ? ORDER BY ended_at DESC, seq DESC LIMIT 1 OFFSET ?`
const BEYOND = `SELECT seq, id FROM stateward_task INDEXED BY stateward_task_ended
  WHERE ended_at IS NOT NULL AND state = ? AND (ended_at, seq) <= (?, ?) AND ${UNNEEDED} ORDER BY ended_at, seq LIMIT ?`
const DELETE_TASK = 'DELETE FROM stateward_task WHERE seq = ?'
const DELETE_LOG = 'DELETE FROM stateward_log WHERE id = ?'

type Found = { readonly seq: number; readonly id: string }

export function prune(sql: Sql, { at, keep, limit }: PruneOperation): AnswerTable['prune'] {
  let removed = 0
  const drop = (rows: readonly Found[]): void => {
    for (const { seq, id } of rows) {
      sql.statement(DELETE_TASK).run(seq)
      sql.statement(DELETE_LOG).run(id)
    }
    removed += rows.length
  }
  for (const { state, ms, count } of keep) {
    if (ms !== undefined && removed < limit) {
      drop(sql.statement(OLD).all(state, at - ms, limit - removed) as Found[])
    }
    if (count !== undefined && removed < limit) {
      const first = sql.statement(LAST_KEPT).get(state, count) as { endedAt: number; seq: number } | undefined
      if (first === undefined) continue
      drop(sql.statement(BEYOND).all(state, first.endedAt, first.seq, limit - removed) as Found[])
    }
  }
  return { removed }
}

const BEAT = `INSERT INTO stateward_daemon (id, name, host, pid, started_at, beat_at, state, counts)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at, state = excluded.state,
  counts = excluded.counts`
const HEAR = 'SELECT message FROM stateward_daemon WHERE id = ?'
const HEARD = 'UPDATE stateward_daemon SET message = NULL WHERE id = ?'

export function beat(sql: Sql, { daemon, at }: BeatOperation): AnswerTable['beat'] {
  const { id, name, host, pid, startedAt, state, counts } = daemon
  const left = sql.statement(HEAR).get(id) as { message: string | null } | undefined
  sql.statement(BEAT).run(id, name, host, pid, startedAt, at, state, counts)
  const message = left?.message ?? null
  if (message !== null) sql.statement(HEARD).run(id)
  return { message }
}

export function leave(sql: Sql, { ids }: LeaveOperation): AnswerTable['leave'] {
  let left = 0
  for (const id of ids)
    left += Number(sql.statement('DELETE FROM stateward_daemon WHERE id = ?').run(id).changes)
  return { left }
}

export function tell(sql: Sql, { ids, message }: TellOperation): AnswerTable['tell'] {
  if (ids === undefined) {
    return { told: Number(sql.statement('UPDATE stateward_daemon SET message = ?').run(message).changes) }
  }
  const statement = sql.statement('UPDATE stateward_daemon SET message = ? WHERE id = ?')
  let told = 0
  for (const id of ids) told += Number(statement.run(message, id).changes)
  return { told }
}
