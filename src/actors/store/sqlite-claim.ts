/**
 * Claims what is due, and renews what is held.
 *
 * Per band the index over waiting tasks gives the first ones without looking at others, so it costs the same beside a
 * million finished rows. A daemon that knows only some definitions asks per name if they are few; else it reads that
 * index as far as a window reaches, and when foreign tasks fill the window, it asks per name all the same, so that another
 * daemon's backlog does not slow it down.
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
import { bandOf, type RequestColumns, requestOf } from './shared-columns.ts'
import type { Sql } from './sqlite-driver.ts'
import { overdueAt } from './sqlite-overdue.ts'
import type { ClaimedTask } from './task-record.ts'

/** A row as it was before the claim. */
type Waiting = Omit<ClaimedTask, 'priority'> & { readonly seq: number }

const COLUMNS = `seq, id, name, version, input, options, description, metadata, run_at AS runAt, key, schedule, attempt,
  lost, step, fence, created_at AS createdAt, CASE WHEN rest > 0 THEN (SELECT call FROM stateward_call
  WHERE task = stateward_task.seq AND at = stateward_task.rest) END AS next`
const READY = `FROM stateward_task INDEXED BY stateward_task_ready
  WHERE state = 'pending' AND band = ? AND run_at <= ? ORDER BY run_at, seq LIMIT ?`
const FIRST = `SELECT ${COLUMNS} ${READY}`
const FIRST_KNOWN = `SELECT ${COLUMNS} FROM (SELECT seq AS first ${READY}) CROSS JOIN stateward_task ON seq = first
  WHERE name IN (SELECT value FROM json_each(?)) LIMIT ?`
const WINDOW = `SELECT count(*) AS count FROM (SELECT 1 ${READY})`
const FIRST_OF_NAME = `SELECT ${COLUMNS} FROM stateward_task INDEXED BY stateward_task_ready_name
  WHERE state = 'pending' AND name = ? AND band = ? AND run_at <= ? ORDER BY run_at, seq LIMIT ?`
const THESE = `SELECT ${COLUMNS} FROM (SELECT DISTINCT value FROM json_each(?)) CROSS JOIN stateward_task ON id = value
  WHERE state = 'pending' AND band = ? AND run_at <= ?`
// Which of the names has something due, per band: one statement, however many there are.
const DUE = `SELECT known.value AS name, bands.column1 AS band FROM json_each(?) AS known, (VALUES (0), (1), (2), (3)) AS bands
  WHERE EXISTS (SELECT 1 FROM stateward_task INDEXED BY stateward_task_ready_name
    WHERE state = 'pending' AND name = known.value AND band = bands.column1 AND run_at <= ?)`
// Jumps from name to name: as many steps as there are names, whatever waits.
const WAITING_NAMES = `WITH RECURSIVE waiting(name) AS (
    SELECT min(name) FROM stateward_task INDEXED BY stateward_task_ready_name WHERE state = 'pending'
    UNION ALL
    SELECT (SELECT min(name) FROM stateward_task INDEXED BY stateward_task_ready_name
      WHERE state = 'pending' AND name > waiting.name) FROM waiting WHERE name IS NOT NULL)
  SELECT name FROM waiting WHERE name IS NOT NULL LIMIT ?`

// Reading first and writing all at once takes half the time of RETURNING, and a third of row by row.
const TAKE = `UPDATE stateward_task SET state = 'running', phase = 'held', attempt = attempt + 1, fence = fence + 1,
  holder = ?, lease_until = ?, started_at = ?, percent = CASE phase WHEN 'step' THEN percent END, note = NULL
  WHERE seq IN (SELECT value FROM json_each(?))`

/** So many are asked for one by one. */
const FEW_NAMES = 16
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
  const find = finderOf(sql, operation)
  for (const priority of PRIORITIES) {
    const places = placesFor(room, priority, tasks.length, limit)
    if (places === 0) continue
    for (const { seq, attempt, fence, ...rest } of find(bandOf(priority), places)) {
      taken.push(seq)
      tasks.push({ ...rest, attempt: attempt + 1, fence: fence + 1, priority })
    }
  }
  if (taken.length > 0) sql.statement(TAKE).run(holder, leaseUntil, at, JSON.stringify(taken))
  return {
    tasks,
    asked: askedOf(sql, holder),
    nextAt: nextAt(sql, at),
    scheduleAt: scheduleAt(sql),
    overdueAt: overdueAt(sql),
  }
}

/** How to ask for those that may be taken of a band. */
function finderOf(sql: Sql, operation: ClaimOperation): (band: number, places: number) => readonly Waiting[] {
  if (operation.ids !== undefined) return (band, places) => these(sql, operation, band).slice(0, places)
  const due = dueNames(sql, operation)
  if (due === undefined) return (band, places) => candidates(sql, operation, band, places)
  return (band, places) => ofEachName(sql, namesIn(due, band), operation.at, band, places)
}

/** Those that are named by their ids. */
function these(sql: Sql, { at, ids, names, except }: ClaimOperation, band: number): Waiting[] {
  const due = sql.statement(THESE).all(JSON.stringify(ids), band, at) as Waiting[]
  const isMeant = ({ name }: Waiting): boolean =>
    (names?.includes(name) ?? true) && !(except?.includes(name) ?? false)
  return due.filter(isMeant).sort(byTurn)
}

interface DueName {
  readonly name: string
  readonly band: number
}

/** What is due of the names that are asked for, if these are few; else `undefined`. */
function dueNames(sql: Sql, { names, except, at }: ClaimOperation): DueName[] | undefined {
  const asked = except === undefined ? names : strangeNames(sql, except)
  if (asked === undefined || asked.length > FEW_NAMES) return undefined
  return asked.length === 0 ? [] : (sql.statement(DUE).all(JSON.stringify(asked), at) as unknown as DueName[])
}

/** Not all of them, if they are many: they get their turn. */
function strangeNames(sql: Sql, known: readonly string[]): string[] {
  const waiting = sql.statement(WAITING_NAMES).all(known.length + FEW_NAMES) as { name: string }[]
  return waiting
    .map(({ name }) => name)
    .filter((name) => !known.includes(name))
    .slice(0, FEW_NAMES)
}

function namesIn(due: readonly DueName[], wanted: number): string[] {
  return due.filter(({ band }) => band === wanted).map(({ name }) => name)
}

function candidates(
  sql: Sql,
  { at, names }: ClaimOperation,
  band: number,
  places: number,
): readonly Waiting[] {
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
