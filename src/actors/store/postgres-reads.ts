/** What a PostgreSQL store is asked, besides lists of tasks. */
import type { Priority, TaskState } from '../../machines/model.ts'
import { publicState, type StoredPhase, type StoredState } from '../../machines/stored-task.ts'
import type { PgSql } from './postgres-driver.ts'
import { withPercents } from './postgres-forks.ts'
import { toRecord } from './postgres-rows.ts'
import type { Backlog, DaemonRecord, LogEntry, ScheduleRecord } from './records.ts'
import { priorityOf } from './shared-columns.ts'
import { historyOf } from './task-history.ts'
import type { TaskRecord } from './task-record.ts'

const BY_ID = 'SELECT * FROM stateward.task WHERE id = ANY($1)'

export async function get(sql: PgSql, ids: readonly string[]): Promise<(TaskRecord | undefined)[]> {
  const found = await withPercents(sql, (await sql.rows<object>(BY_ID, [ids])).map(toRecord))
  const records = new Map(found.map((record) => [record.id, record]))
  return ids.map((id) => records.get(id))
}

export type Counts = Record<Exclude<TaskState, 'created'>, number>

const ENDED =
  'SELECT ended_as AS state, count(*) AS count FROM stateward.task WHERE ended_as IS NOT NULL GROUP BY ended_as'
const LIVE = `SELECT state, phase, run_at <= $1 AS due, count(*) AS count FROM stateward.task WHERE ended_at IS NULL
  GROUP BY state, phase, due`

export async function counts(sql: PgSql, now: number): Promise<Counts> {
  const found: Counts = {
    scheduled: 0,
    queued: 0,
    running: 0,
    retrying: 0,
    snoozed: 0,
    finished: 0,
    failed: 0,
    cancelled: 0,
    terminated: 0,
  }
  for (const { state, count } of await sql.rows<{ state: keyof Counts; count: number }>(ENDED)) {
    found[state] += Number(count)
  }
  const live = await sql.rows<{ state: StoredState; phase: StoredPhase; due: boolean; count: number }>(LIVE, [
    now,
  ])
  for (const { state, phase, due, count } of live) {
    found[publicState(state, phase, due ? now : now + 1, now) as keyof Counts] += Number(count)
  }
  return found
}

const BACKLOG = `SELECT band, count(*) AS count, min(run_at) AS since FROM stateward.task
  WHERE ended_at IS NULL AND state = 'pending' AND run_at <= $1 GROUP BY band`

export async function backlog(sql: PgSql, now: number): Promise<Record<Priority, Backlog>> {
  const found: Record<Priority, Backlog> = { critical: NOTHING, high: NOTHING, normal: NOTHING, low: NOTHING }
  for (const { band, count, since } of await sql.rows<{ band: number; count: number; since: number }>(
    BACKLOG,
    [now],
  )) {
    found[priorityOf(band)] = { count: Number(count), since: Number(since) }
  }
  return found
}

const NOTHING: Backlog = { count: 0, since: null }

const SCHEDULE = `SELECT name, rule, call, next_at AS "nextAt", owed, look_at AS "lookAt", run_id AS "runId",
  ended_at AS "endedAt", created_at AS "createdAt", created_by AS "createdBy" FROM stateward.schedule`
const SCHEDULES = `${SCHEDULE} ORDER BY name`
const DUE_SCHEDULES = `${SCHEDULE} WHERE look_at <= $1 ORDER BY look_at, name`

export function schedules(sql: PgSql, lookAt?: number): Promise<ScheduleRecord[]> {
  return lookAt === undefined ? sql.rows(SCHEDULES) : sql.rows(DUE_SCHEDULES, [lookAt])
}

const DAEMONS = `SELECT id, name, host, pid, started_at AS "startedAt", beat_at AS "beatAt", state, counts, message
  FROM stateward.daemon ORDER BY started_at, id`

export function daemons(sql: PgSql): Promise<DaemonRecord[]> {
  return sql.rows(DAEMONS)
}

const LOG = 'SELECT at, by, act, detail FROM stateward.log WHERE id = $1 ORDER BY seq'

export async function log(sql: PgSql, id: string): Promise<LogEntry[]> {
  const [record] = await get(sql, [id])
  if (record === undefined) return []
  return historyOf(record, await sql.rows<LogEntry>(LOG, [id]))
}
