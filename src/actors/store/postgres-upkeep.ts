/** What keeps a store in order: lost leases, old rows, signs of life. */

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
import { ACTIVE_SEQS } from './postgres-boss.ts'
import type { PgSql } from './postgres-driver.ts'
import { flushAndJoin } from './postgres-forks.ts'
import { LIFE_COLUMNS, type PgWork, Rows, type TaskLife } from './postgres-rows.ts'
import { nextLife } from './stored-life.ts'

const EXPIRED = `SELECT ${LIFE_COLUMNS} FROM stateward.task WHERE seq IN (${ACTIVE_SEQS})
  AND state = 'running' AND lease_until <= $1 AND ($3::text IS NULL OR id = $3) ORDER BY lease_until LIMIT $2 FOR UPDATE SKIP LOCKED`

export async function reclaim(work: PgWork, operation: ReclaimOperation): Promise<AnswerTable['reclaim']> {
  const { at, by, lostLimit, limit, id = null } = operation
  const rows = new Rows(work)
  const tasks: ReclaimedTask[] = []
  for (const found of await work.sql.rows<TaskLife>(EXPIRED, [at, limit, id])) {
    rows.add(found)
    const row = rows.get(found.id) as TaskLife
    const next = nextLife(row, { type: 'lease.expired', at, lostLimit })
    if (next === undefined) continue
    const { id, name, schedule } = row
    const holder = row.holder as string
    // One that was asked to end was ended by who asked.
    const end = row.asked === null ? { reason: 'awol', endedBy: by } : { reason: endReason(row) }
    const { state } = rows.write(row, next, { at, error: null, ...end })
    rows.logAttemptEnd(row, at, by, 'leaseLost', holder)
    tasks.push({ id, name, holder, schedule, state })
  }
  await flushAndJoin(work, rows)
  return { tasks }
}

const DROP = (
  found: string,
): string => `WITH gone AS (DELETE FROM stateward.task WHERE seq IN (${found}) RETURNING id),
  logs AS (DELETE FROM stateward.log WHERE id IN (SELECT id FROM gone)) SELECT count(*) AS count FROM gone`
const UNNEEDED = `(parent IS NULL OR NOT EXISTS
  (SELECT 1 FROM stateward.task above WHERE above.id = task.parent AND above.ended_at IS NULL))`
const OLD = DROP(`SELECT seq FROM stateward.task WHERE ended_as = $1 AND ended_at <= $2 AND ${UNNEEDED}
  ORDER BY ended_at, seq LIMIT $3 FOR UPDATE SKIP LOCKED`)
const LAST_KEPT = `SELECT ended_at AS "endedAt", seq FROM stateward.task
  WHERE ended_as = $1 ORDER BY ended_at DESC, seq DESC LIMIT 1 OFFSET $2`
const BEYOND = DROP(`SELECT seq FROM stateward.task WHERE ended_as = $1
  AND (ended_at, seq) <= ($2, $3) AND ${UNNEEDED}
  ORDER BY ended_at, seq LIMIT $4 FOR UPDATE SKIP LOCKED`)

export async function prune(
  { sql }: PgWork,
  { at, keep, limit }: PruneOperation,
): Promise<AnswerTable['prune']> {
  let removed = 0
  const drop = async (text: string, values: unknown[]): Promise<void> => {
    const [said] = await sql.rows<{ count: number }>(text, [...values, limit - removed])
    removed += Number(said?.count ?? 0)
  }
  for (const { state, ms, count } of keep) {
    if (ms !== undefined && removed < limit) await drop(OLD, [state, at - ms])
    if (count !== undefined && removed < limit) {
      const [first] = await sql.rows<{ endedAt: number; seq: number }>(LAST_KEPT, [state, count])
      if (first !== undefined) await drop(BEYOND, [state, first.endedAt, first.seq])
    }
  }
  return { removed }
}

const HEAR = 'SELECT message FROM stateward.daemon WHERE id = $1 FOR UPDATE'
const BEAT = `INSERT INTO stateward.daemon (id, name, host, pid, started_at, beat_at, state, counts)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at,
  state = excluded.state, counts = excluded.counts, message = NULL`

export async function beat({ sql }: PgWork, { daemon, at }: BeatOperation): Promise<AnswerTable['beat']> {
  const { id, name, host, pid, startedAt, state, counts } = daemon
  const [left] = await sql.rows<{ message: string | null }>(HEAR, [id])
  await sql.rows(BEAT, [id, name, host, pid, startedAt, at, state, counts])
  return { message: left?.message ?? null }
}

const LEAVE = 'DELETE FROM stateward.daemon WHERE id = ANY($1) RETURNING id'

export async function leave({ sql }: PgWork, { ids }: LeaveOperation): Promise<AnswerTable['leave']> {
  return { left: (await sql.rows(LEAVE, [ids])).length }
}

const TELL_ALL = 'UPDATE stateward.daemon SET message = $1 RETURNING id'
const TELL = 'UPDATE stateward.daemon SET message = $1 WHERE id = ANY($2) RETURNING id'

export async function tell(
  { sql }: { readonly sql: PgSql },
  { ids, message }: TellOperation,
): Promise<AnswerTable['tell']> {
  const told = ids === undefined ? sql.rows(TELL_ALL, [message]) : sql.rows(TELL, [message, ids])
  return { told: (await told).length }
}
