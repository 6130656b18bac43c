/** What a SQLite store is asked, besides lists of tasks. */
import { PRIORITIES, type Priority, type TaskState } from '../../machines/model.ts'
import { publicState, type StoredPhase } from '../../machines/stored-task.ts'
import type { Backlog, DaemonRecord, LogEntry, ScheduleRecord } from './records.ts'
import { bandOf } from './shared-columns.ts'
import type { Sql } from './sqlite-driver.ts'
import { withPercent } from './sqlite-forks.ts'
import { toRecord } from './sqlite-rows.ts'
import { historyOf } from './task-history.ts'
import type { TaskRecord } from './task-record.ts'

const BY_ID = 'SELECT * FROM stateward_task WHERE id = ?'

export function get(sql: Sql, ids: readonly string[]): (TaskRecord | undefined)[] {
  const statement = sql.statement(BY_ID)
  return ids.map((id) => {
    const row = statement.get(id)
    return row === undefined ? undefined : withPercent(sql, toRecord(row))
  })
}

export type Counts = Record<Exclude<TaskState, 'created'>, number>

const ENDED = `SELECT state, count(*) AS count FROM stateward_task INDEXED BY stateward_task_ended
  WHERE ended_at IS NOT NULL GROUP BY state`
const RUNNING = `SELECT count(*) AS count FROM stateward_task INDEXED BY stateward_task_leased WHERE state = 'running'`
const FORKED = `SELECT count(*) AS count FROM stateward_task INDEXED BY stateward_task_forked WHERE state = 'forked'`
const DUE = `SELECT count(*) AS count FROM stateward_task INDEXED BY stateward_task_ready
  WHERE state = 'pending' AND band = ? AND run_at <= ?`
const LATER = `SELECT phase, count(*) AS count FROM stateward_task INDEXED BY stateward_task_ready
  WHERE state = 'pending' AND band = ? AND run_at > ? GROUP BY phase`

/** Reads indexes only, but all of their entries: about 20 ms for a million ended tasks. */
export function counts(sql: Sql, now: number): Counts {
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
  const ended = sql.statement(ENDED).all() as { state: keyof Counts; count: number }[]
  for (const { state, count } of ended) found[state] += count
  for (const text of [RUNNING, FORKED])
    found.running += (sql.statement(text).get() as { count: number }).count
  for (const priority of PRIORITIES) {
    const band = bandOf(priority)
    found.queued += (sql.statement(DUE).get(band, now) as { count: number }).count
    const later = sql.statement(LATER).all(band, now) as { phase: StoredPhase; count: number }[]
    for (const { phase, count } of later) {
      found[publicState('pending', phase, now + 1, now) as keyof Counts] += count
    }
  }
  return found
}

const BACKLOG = `SELECT count(*) AS count, min(run_at) AS since FROM stateward_task INDEXED BY stateward_task_ready
  WHERE state = 'pending' AND band = ? AND run_at <= ?`

/** Reads the entries of what is due in an index. */
export function backlog(sql: Sql, now: number): Record<Priority, Backlog> {
  const statement = sql.statement(BACKLOG)
  const bands = PRIORITIES.map((priority) => [
    priority,
    { ...(statement.get(bandOf(priority), now) as Backlog) },
  ])
  return Object.fromEntries(bands)
}

const SCHEDULE = `SELECT name, rule, call, next_at AS nextAt, owed, look_at AS lookAt, run_id AS runId,
  ended_at AS endedAt, created_at AS createdAt, created_by AS createdBy FROM stateward_schedule`
const SCHEDULES = `${SCHEDULE} ORDER BY name`
const DUE_SCHEDULES = `${SCHEDULE} INDEXED BY stateward_schedule_look WHERE look_at <= ? ORDER BY look_at, name`

export function schedules(sql: Sql, lookAt?: number): ScheduleRecord[] {
  const rows =
    lookAt === undefined ? sql.statement(SCHEDULES).all() : sql.statement(DUE_SCHEDULES).all(lookAt)
  return rows.map((row) => ({ ...(row as ScheduleRecord) }))
}

const DAEMONS = `SELECT id, name, host, pid, started_at AS startedAt, beat_at AS beatAt, state, counts, message
  FROM stateward_daemon ORDER BY started_at, id`

export function daemons(sql: Sql): DaemonRecord[] {
  return sql
    .statement(DAEMONS)
    .all()
    .map((row) => ({ ...(row as DaemonRecord) }))
}

const LOG = 'SELECT at, by, act, detail FROM stateward_log WHERE id = ? ORDER BY seq'

export function log(sql: Sql, id: string): LogEntry[] {
  const [record] = get(sql, [id])
  if (record === undefined) return []
  const noted = sql
    .statement(LOG)
    .all(id)
    .map((row) => ({ ...(row as LogEntry) }))
  return historyOf(record, noted)
}
