/**
 * Claims what is due, and renews what is held. pg-boss says which jobs are due, in their order, and keeps them from all
 * others; the rows of their tasks say the rest.
 */
import { placesFor } from '../../machines/claim-room.ts'
import { PRIORITIES } from '../../machines/model.ts'
import type {
  AnswerTable,
  AskedTask,
  ClaimAnswer,
  ClaimOperation,
  RenewAnswer,
  RenewOperation,
} from './operations.ts'
import { type Dispatch, type Fetched, instantText } from './postgres-boss.ts'
import { FIRST_OVERDUE } from './postgres-overdue.ts'
import type { PgWork } from './postgres-rows.ts'
import { bandOf, priorityOf, type RequestColumns, requestOf } from './shared-columns.ts'
import type { ClaimedTask } from './task-record.ts'

const SET_CLOCK = "SELECT set_config('stateward.now', $1, true)"
const STRANGE = 'SELECT name FROM stateward.name WHERE name <> ALL($1)'

const TAKE = `UPDATE stateward.task t SET state = 'running', phase = 'held', attempt = t.attempt + 1,
  fence = t.fence + 1, holder = $2, lease_until = $3, started_at = $4,
  percent = CASE t.phase WHEN 'step' THEN t.percent END, note = NULL
  WHERE t.seq = ANY($1) AND t.state = 'pending' RETURNING t.seq, id, name, version, input, options, description, metadata, band, run_at AS "runAt", key, schedule,
    attempt, lost, step, fence, created_at AS "createdAt"`

const AROUND = `SELECT
  (SELECT run_at FROM stateward.task WHERE ended_at IS NULL AND state = 'pending' AND run_at > $2
    ORDER BY run_at LIMIT 1) AS "nextAt",
  (SELECT min(look_at) FROM stateward.schedule WHERE look_at IS NOT NULL) AS "scheduleAt",
  (${FIRST_OVERDUE}) AS "overdueAt",
  (SELECT json_agg(json_build_object('id', id, 'fence', fence, 'asked', asked, 'asked_at', asked_at,
    'asked_by', asked_by, 'asked_reason', asked_reason)) FROM stateward.task WHERE request_open AND holder = $1) AS asked`

interface Around {
  readonly nextAt: number | null
  readonly scheduleAt: number | null
  readonly overdueAt: number | null
  readonly asked: readonly (RequestColumns & { id: string; fence: number })[] | null
}

type Taken = Omit<ClaimedTask, 'priority'> & { readonly seq: number; readonly band: number }

export async function claim(work: PgWork, operation: ClaimOperation): Promise<ClaimAnswer> {
  const { at, holder, leaseUntil, ids } = operation
  await work.sql.rows(SET_CLOCK, [instantText(at)])
  const fetched = await (ids === undefined ? fetchDue(work, operation) : fetchThese(work, operation, ids))
  const taken =
    fetched.length === 0
      ? []
      : await work.sql.rows<Taken>(TAKE, [fetched.map(({ seq }) => seq), holder, leaseUntil, at])
  if (taken.length < fetched.length) {
    // A job whose task does not wait is of no use to anybody.
    const ours = new Set(taken.map(({ seq }) => seq))
    const left = fetched.map(({ seq }) => seq).filter((seq) => !ours.has(seq))
    await work.dispatcher.drop(work.sql, left)
  }
  const [around] = await work.sql.rows<Around>(AROUND, [holder, at])
  taken.sort((a, b) => a.band - b.band || a.runAt - b.runAt || a.seq - b.seq)
  return {
    tasks: taken.map(({ seq: _, band, ...task }) => ({ ...task, priority: priorityOf(band) })),
    asked: (around?.asked ?? []).flatMap(toAsked),
    nextAt: around?.nextAt ?? null,
    scheduleAt: around?.scheduleAt ?? null,
    overdueAt: around?.overdueAt ?? null,
  }
}

/** Bands with the same room are fetched together. */
async function fetchDue(work: PgWork, operation: ClaimOperation): Promise<Fetched[]> {
  const { sql, dispatcher } = work
  const { room, limit, names } = operation
  const fetched: Fetched[] = []
  const strangers: Fetched[] = []
  const runs = bandRuns(operation)
  if (runs.length === 0) return fetched
  const except = await exceptions(work, operation)
  for (const { from, to } of runs) {
    const places = placesFor(room, priorityOf(from), fetched.length, limit)
    if (places === 0) continue
    for (const one of await dispatcher.fetch(sql, { from, to, limit: places, except })) {
      // A name that was stored since we looked which there are.
      if (names?.includes(one.name) === false) strangers.push(one)
      else fetched.push(one)
    }
  }
  await dispatcher.restore(
    sql,
    strangers.map(({ seq }) => seq),
  )
  return fetched
}

const THESE = `SELECT seq, band, run_at AS "runAt", name FROM stateward.task
  WHERE id = ANY($1) AND state = 'pending' AND run_at <= $2 AND ($3::text[] IS NULL OR name = ANY($3))
    AND ($4::text[] IS NULL OR name <> ALL($4)) ORDER BY band, run_at, seq FOR UPDATE SKIP LOCKED`

async function fetchThese(
  { sql, dispatcher }: PgWork,
  { at, room, limit, names, except }: ClaimOperation,
  ids: readonly string[],
): Promise<Dispatch[]> {
  const taken: Dispatch[] = []
  for (const one of await sql.rows<Dispatch>(THESE, [ids, at, names ?? null, except ?? null])) {
    if (placesFor(room, priorityOf(one.band), taken.length, limit) > 0) taken.push(one)
  }
  await dispatcher.take(sql, taken)
  return taken
}

function bandRuns({ room, limit }: ClaimOperation): { from: number; to: number }[] {
  const runs: { from: number; to: number; places: number }[] = []
  for (const priority of PRIORITIES) {
    const places = placesFor(room, priority, 0, limit)
    const last = runs.at(-1)
    if (last?.places === places) last.to = bandOf(priority)
    else runs.push({ from: bandOf(priority), to: bandOf(priority), places })
  }
  return runs.filter(({ places }) => places > 0)
}

async function exceptions({ sql }: PgWork, { names, except }: ClaimOperation): Promise<readonly string[]> {
  if (except !== undefined) return except
  if (names === undefined) return []
  const strange = await sql.rows<{ name: string }>(STRANGE, [names])
  return strange.map(({ name }) => name)
}

function toAsked({ id, fence, ...row }: RequestColumns & { id: string; fence: number }): AskedTask[] {
  const request = requestOf(row)
  return request === null ? [] : [{ id, fence, request }]
}

const RENEW = `UPDATE stateward.task t SET lease_until = $2
  FROM json_to_recordset($1::json) AS v (id text, fence integer)
  WHERE t.id = v.id AND t.fence = v.fence AND t.state = 'running'
  RETURNING t.id, t.fence, asked, asked_at, asked_by, asked_reason`

export async function renew(
  { sql }: PgWork,
  { leases, leaseUntil }: RenewOperation,
): Promise<AnswerTable['renew']> {
  const kept = await sql.rows<RequestColumns & { id: string; fence: number }>(RENEW, [
    // A holder gives what it holds, whose id and fence need not be members of its own.
    JSON.stringify(leases.map(({ id, fence }) => ({ id, fence }))),
    leaseUntil,
  ])
  const rows = new Map(kept.map((row) => [`${row.fence} ${row.id}`, row]))
  const items = leases.map(({ id, fence }): RenewAnswer => {
    const row = rows.get(`${fence} ${id}`)
    return row === undefined ? { kind: 'lost' } : { kind: 'kept', request: requestOf(row) }
  })
  return { items }
}
