/**
 * Claims what is due, and renews what is held.
 *
 * Per band the index over waiting tasks gives the first ones without looking at others, so it costs the same beside a
 * million finished rows. A daemon that knows only some definitions reads that index as far as a window reaches; when
 * foreign tasks fill the window, it asks per name instead, so that another daemon's backlog does not slow it down.
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
import type { Sql } from './sqlite-driver.ts'
import { bandOf, type RequestColumns, requestOf } from './sqlite-rows.ts'
import type { ClaimedTask } from './task-record.ts'

/** A row as it was before the claim. */
type Waiting = Omit<ClaimedTask, 'priority'> & { readonly seq: number }

const COLUMNS = `seq, id, name, version, input, options, description, metadata, run_at AS runAt, key, schedule, attempt,
  lost, step, fence, created_at AS createdAt`
const READY = `FROM stateward_task INDEXED BY stateward_task_ready
  WHERE state = 'pending' AND band = ? AND run_at <= ? ORDER BY run_at, seq LIMIT ?`
const FIRST = `SELECT ${COLUMNS} ${READY}`
const FIRST_KNOWN = `SELECT ${COLUMNS} FROM (SELECT seq AS first ${READY}) CROSS JOIN stateward_task ON seq = first
  WHERE name IN (SELECT value FROM json_each(?)) LIMIT ?`
const FIRST_STRANGE = `SELECT ${COLUMNS} FROM (SELECT seq AS first ${READY}) CROSS JOIN stateward_task ON seq = first
  WHERE name NOT IN (SELECT value FROM json_each(?)) LIMIT ?`
const WINDOW = `SELECT count(*) AS count FROM (SELECT 1 ${READY})`
const FIRST_OF_NAME = `SELECT ${COLUMNS} FROM stateward_task INDEXED BY stateward_task_ready_name
  WHERE state = 'pending' AND name = ? AND band = ? AND run_at <= ? ORDER BY run_at, seq LIMIT ?`

// Reading first and writing all at once takes half the time of RETURNING, and a third of row by row.
const TAKE = `UPDATE stateward_task SET state = 'running', phase = 'held', attempt = attempt + 1, fence = fence + 1,
  holder = ?, lease_until = ?, started_at = ?, percent = CASE phase WHEN 'step' THEN percent END, note = NULL
  WHERE seq IN (SELECT value FROM json_each(?))`

/** How much further than needed the common index is read for known names. */
const FOREIGN_WINDOW = 200

const ASKED = `SELECT id, fence, asked, asked_at, asked_by, asked_reason FROM stateward_task
  WHERE state = 'running' AND asked IS NOT NULL AND holder = ?`
const NEXT_IN_BAND = `SELECT min(run_at) AS at FROM stateward_task INDEXED BY stateward_task_ready
  WHERE state = 'pending' AND band = ? AND run_at > ?`
const NEXT_SCHEDULE = 'SELECT min(look_at) AS at FROM stateward_schedule WHERE look_at IS NOT NULL'

export function claim(sql: Sql, operation: ClaimOperation): ClaimAnswer {
  const { at, holder, leaseUntil, room, limit } = operation
  const tasks: ClaimedTask[] = []
  const taken: number[] = []
  for (const priority of PRIORITIES) {
    const places = placesFor(room, priority, tasks.length, limit)
    if (places === 0) continue
    for (const { seq, attempt, fence, ...rest } of candidates(sql, operation, bandOf(priority), places)) {
      taken.push(seq)
      tasks.push({ ...rest, attempt: attempt + 1, fence: fence + 1, priority })
    }
  }
  if (taken.length > 0) sql.statement(TAKE).run(holder, leaseUntil, at, JSON.stringify(taken))
  return { tasks, asked: askedOf(sql, holder), nextAt: nextAt(sql, at), scheduleAt: scheduleAt(sql) }
}

function candidates(sql: Sql, operation: ClaimOperation, band: number, places: number): readonly Waiting[] {
  const { at, names, except } = operation
  if (except !== undefined) {
    const window = places + FOREIGN_WINDOW
    const strange = sql.statement(FIRST_STRANGE).all(band, at, window, JSON.stringify(except), places)
    return (strange as Waiting[]).sort(byTurn)
  }
  if (names === undefined) return sql.statement(FIRST).all(band, at, places) as Waiting[]
  const window = places + FOREIGN_WINDOW
  const known = sql.statement(FIRST_KNOWN).all(band, at, window, JSON.stringify(names), places) as Waiting[]
  if (known.length === places) return known.sort(byTurn)
  const { count } = sql.statement(WINDOW).get(band, at, window) as { count: number }
  return count < window ? known.sort(byTurn) : ofEachName(sql, names, at, band, places)
}

function ofEachName(sql: Sql, names: readonly string[], at: number, band: number, places: number): Waiting[] {
  const statement = sql.statement(FIRST_OF_NAME)
  return names
    .flatMap((name) => statement.all(name, band, at, places) as Waiting[])
    .sort(byTurn)
    .slice(0, places)
}

const byTurn = (a: Waiting, b: Waiting): number => a.runAt - b.runAt || a.seq - b.seq

function askedOf(sql: Sql, holder: string): AskedTask[] {
  const rows = sql.statement(ASKED).all(holder) as (RequestColumns & { id: string; fence: number })[]
  return rows.flatMap((row) => {
    const request = requestOf(row)
    return request === null ? [] : [{ id: row.id, fence: row.fence, request }]
  })
}

function nextAt(sql: Sql, after: number): number | null {
  let next: number | null = null
  for (const priority of PRIORITIES) {
    const { at } = sql.statement(NEXT_IN_BAND).get(bandOf(priority), after) as { at: number | null }
    if (at !== null && (next === null || at < next)) next = at
  }
  return next
}

function scheduleAt(sql: Sql): number | null {
  return (sql.statement(NEXT_SCHEDULE).get() as { at: number | null }).at
}

const RENEW = `UPDATE stateward_task SET lease_until = ? WHERE id = ? AND state = 'running' AND fence = ?
  RETURNING asked, asked_at, asked_by, asked_reason`

export function renew(sql: Sql, { leases, leaseUntil }: RenewOperation): AnswerTable['renew'] {
  const statement = sql.statement(RENEW)
  const items = leases.map(({ id, fence }): RenewAnswer => {
    const row = statement.get(leaseUntil, id, fence) as RequestColumns | undefined
    return row === undefined ? { kind: 'lost' } : { kind: 'kept', request: requestOf(row) }
  })
  return { items }
}
