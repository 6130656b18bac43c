/** Rows of `stateward_task` as the rest of the store knows them, and the writes that several operations share. */

import type { StoredPhase, StoredState } from '../../machines/stored-task.ts'
import type { LogAct } from './records.ts'
import { priorityOf, type RequestColumns, requestOf } from './shared-columns.ts'
import type { Sql } from './sqlite-driver.ts'
import type { LifeRow } from './stored-life.ts'
import type { EndRequest, TaskRecord } from './task-record.ts'

/** Entries kept in the log of one task; older ones make room, so that endless trampolines need no endless log. */
const LOG_LIMIT = 100

/** What decides about a row, and whom to tell. */
export const LIFE_COLUMNS = `seq, id, name, schedule, holder, state, phase, run_at AS runAt, attempt, lost, fence,
  coalesce(lease_until, 0) AS leaseUntil, key, parent, asked, asked_at, asked_by, asked_reason,
  started_at AS startedAt, ended_at AS endedAt, ended_by AS endedBy, error, rest`

export interface TaskLife extends LifeRow, RequestColumns {
  readonly seq: number
  readonly id: string
  readonly name: string
  readonly state: StoredState
  readonly schedule: string | null
  readonly holder: string | null
  readonly key: string | null
  readonly parent: string | null
  readonly startedAt: number | null
  readonly endedAt: number | null
  readonly endedBy: string | null
  readonly error: string | null
  readonly rest: number
}

const LIFE_OF_ID = `SELECT ${LIFE_COLUMNS} FROM stateward_task WHERE id = ?`

export function lifeOf(sql: Sql, id: string): TaskLife | undefined {
  return sql.statement(LIFE_OF_ID).get(id) as TaskLife | undefined
}

const WAIT = `UPDATE stateward_task SET state = ?, phase = ?, run_at = ?, attempt = ?, lost = ?, lease_until = ?,
  error = coalesce(?, error) WHERE seq = ?`
const END = `UPDATE stateward_task SET state = ?, phase = NULL, attempt = ?, lost = ?, lease_until = NULL, live_key = NULL,
  ended_at = ?, ended_by = ?, reason = ?, error = coalesce(?, error) WHERE seq = ?`

/** Why and when a row leaves the state it is in. */
export interface Facts {
  readonly at: number
  readonly reason: string | null
  readonly error: string | null
  /** Who ended it where its holder did not, and nobody had asked for that. */
  readonly endedBy?: string
}

/** Writes what the machine has decided. */
export function writeLife(sql: Sql, seq: number, life: LifeRow, facts: Facts): void {
  const { at, reason, error, endedBy = null } = facts
  const { state, phase, runAt, attempt, lost, leaseUntil } = life
  if (state === 'pending' || state === 'running' || state === 'forked') {
    sql.statement(WAIT).run(state, phase, runAt, attempt, lost, leaseUntil || null, error, seq)
  } else {
    sql.statement(END).run(state, attempt, lost, at, endedBy, reason, error, seq)
  }
}

const ASK = `UPDATE stateward_task SET asked = coalesce(asked, ?), asked_at = coalesce(asked_at, ?),
  asked_by = coalesce(asked_by, ?), asked_reason = coalesce(asked_reason, ?) WHERE seq = ?`

/** Notes that somebody wants it ended. Who asked first stays noted. */
export function writeRequest(sql: Sql, seq: number, { at, by, reason, replaced }: EndRequest): void {
  sql.statement(ASK).run(replaced ? 'replace' : 'cancel', at, by, reason, seq)
}

const LOG = 'INSERT INTO stateward_log (id, at, by, act, detail) VALUES (?, ?, ?, ?, ?)'
const TRIM = `DELETE FROM stateward_log WHERE id = ? AND seq <=
  (SELECT seq FROM stateward_log WHERE id = ? ORDER BY seq DESC LIMIT 1 OFFSET ${LOG_LIMIT})`

export function writeLog(
  sql: Sql,
  id: string,
  at: number,
  by: string,
  act: LogAct,
  detail: string | null,
): void {
  sql.statement(LOG).run(id, at, by, act, detail)
  sql.statement(TRIM).run(id, id)
}

/** The end of an attempt that is not the end of its task: its start leaves the row with the next one. */
export function writeAttemptEnd(
  sql: Sql,
  { id, startedAt, holder }: TaskLife,
  at: number,
  by: string,
  act: LogAct,
  detail: string | null,
): void {
  sql.statement(LOG).run(id, startedAt, holder, 'started', null)
  writeLog(sql, id, at, by, act, detail)
}

// Its last attempt may have ended before the task did, and was noted then.
const LAST_START = `INSERT INTO stateward_log (id, at, by, act) SELECT id, started_at, holder, 'started'
  FROM stateward_task AS task WHERE seq = ? AND started_at IS NOT NULL AND holder IS NOT NULL AND NOT EXISTS
  (SELECT 1 FROM stateward_log WHERE id = task.id AND at = task.started_at AND by = task.holder AND act = 'started')`

/** The last start of a task that has ended and is to run again. */
export function writeLastStart(sql: Sql, seq: number): void {
  sql.statement(LAST_START).run(seq)
}

interface TaskRow extends RequestColumns {
  readonly seq: number
  readonly id: string
  readonly state: StoredState
  readonly phase: StoredPhase | null
  readonly band: number
  readonly run_at: number
  readonly attempt: number
  readonly lost: number
  readonly step: number
  readonly fence: number
  readonly holder: string | null
  readonly lease_until: number | null
  readonly name: string
  readonly version: number
  readonly key: string | null
  readonly schedule: string | null
  readonly parent: string | null
  readonly created_at: number
  readonly created_by: string
  readonly started_at: number | null
  readonly ended_at: number | null
  readonly ended_by: string | null
  readonly percent: number | null
  readonly note: string | null
  readonly reason: string | null
  readonly description: string | null
  readonly metadata: string | null
  readonly options: string | null
  readonly input: string | null
  readonly result: string | null
  readonly error: string | null
}

/** @param found - all columns of a row */
export function toRecord(found: unknown): TaskRecord & { readonly seq: number } {
  const row = found as TaskRow
  return {
    seq: row.seq,
    id: row.id,
    state: row.state,
    phase: row.phase,
    priority: priorityOf(row.band),
    runAt: row.run_at,
    attempt: row.attempt,
    lost: row.lost,
    step: row.step,
    fence: row.fence,
    holder: row.holder,
    leaseUntil: row.lease_until,
    name: row.name,
    version: row.version,
    key: row.key,
    schedule: row.schedule,
    parent: row.parent,
    request: requestOf(row),
    createdAt: row.created_at,
    createdBy: row.created_by,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    endedBy: row.ended_by,
    percent: row.percent,
    note: row.note,
    reason: row.reason,
    description: row.description,
    metadata: row.metadata,
    options: row.options,
    input: row.input,
    result: row.result,
    error: row.error,
  }
}
