/** Tasks that wait for their children, and what is told of the children. */
import type { Verdict } from './operations.ts'
import type { PgSql } from './postgres-driver.ts'
import { type Child, LIFE_COLUMNS, noteNames, type PgWork, Rows, type TaskLife } from './postgres-rows.ts'
import { writeAfter } from './postgres-step.ts'
import { bandOf } from './shared-columns.ts'
import { StoreError } from './store-error.ts'
import { nextLife } from './stored-life.ts'
import type { TaskRecord } from './task-record.ts'

export interface Forked {
  readonly id: string
  readonly seq: number
  /** Of its next step. */
  readonly step: number
  readonly at: number
  readonly by: string
  readonly verdict: Extract<Verdict, { kind: 'fork' }>
}

const INSERT = `INSERT INTO stateward.task (id, state, phase, band, run_at, name, version, created_at, created_by,
  description, metadata, options, input, queue_timeout_ms, deadline_ms, expires_at, rest, parent, parent_step)
  SELECT id, 'pending', 'new', band, "runAt", name, version, at, by, description, metadata, options, input,
    "queueTimeoutMs", "deadlineMs", "expiresAt", rest, parent, "parentStep" FROM json_to_recordset($1::json) AS v (id text,
    band smallint, "runAt" bigint, name text, version integer, at bigint, by text, description text, metadata text,
    options text, input text, "queueTimeoutMs" bigint, "deadlineMs" bigint, "expiresAt" bigint, rest integer,
    parent text, "parentStep" integer)
  ON CONFLICT DO NOTHING RETURNING id, seq`
const FORK = `UPDATE stateward.task t SET fork_from = v."from", fork_to = v."to"
  FROM json_to_recordset($1::json) AS v (seq bigint, "from" double precision, "to" double precision) WHERE t.seq = v.seq`

/** Stores the children of tasks that wait for them by now. */
export async function storeChildren(work: PgWork, forked: readonly Forked[]): Promise<void> {
  if (forked.length === 0) return
  const { sql, dispatcher } = work
  await sql.rows(FORK, [JSON.stringify(forked.map(({ seq, verdict }) => ({ seq, ...verdict.percent })))])
  const rows = forked.flatMap(({ id: parent, step: parentStep, at, by, verdict }) =>
    verdict.children.map(({ bounds, after = [], ...child }) => {
      const facts = { band: bandOf(child.priority), rest: after.length, at, by, parent, parentStep }
      return { row: { ...child, ...bounds, ...facts }, after }
    }),
  )
  if (rows.length === 0) return
  const stored = await sql.rows<{ id: string; seq: number }>(INSERT, [
    JSON.stringify(rows.map(({ row }) => row)),
  ])
  const seqs = new Map(stored.map(({ id, seq }) => [id, Number(seq)]))
  const taken = rows.find(({ row }) => !seqs.has(row.id))
  if (taken !== undefined || seqs.size < rows.length) {
    throw new StoreError('ERR_STORE_FAILED', `A child cannot be stored: the id "${taken?.row.id}" is taken.`)
  }
  const jobs = rows.map(({ row: { id, band, runAt, name }, after }) => {
    return { seq: seqs.get(id) as number, band, runAt, name, after, kept: 0 }
  })
  await writeAfter(sql, jobs)
  await noteNames(
    work,
    jobs.map(({ name }) => name),
  )
  await dispatcher.put(sql, jobs)
}

const WAITING = `SELECT ${LIFE_COLUMNS} FROM stateward.task WHERE id = ANY($1) AND state = 'forked' ORDER BY seq FOR UPDATE`
const LIVE_PARENTS = `SELECT DISTINCT parent FROM stateward.task WHERE parent = ANY($1) AND ended_at IS NULL`
const JOINED = `UPDATE stateward.task SET percent = fork_to WHERE id = ANY($1)`

/**
 * Has parents go on of whose children none is live any more. The row of a parent is locked before its children are looked
 * at: of two transactions that end the last ones, the second one sees what the first one did.
 *
 * @returns the ids of those that are due now
 */
export async function joinParents(work: PgWork, ended: readonly Child[]): Promise<ReadonlySet<string>> {
  const joined = new Set<string>()
  if (ended.length === 0) return joined
  const { sql } = work
  const instants = new Map(ended.map(({ parent, endedAt }) => [parent, endedAt]))
  const waiting = await sql.rows<TaskLife>(WAITING, [[...instants.keys()]])
  if (waiting.length === 0) return joined
  const live = await sql.rows<{ parent: string }>(LIVE_PARENTS, [waiting.map(({ id }) => id)])
  const rows = new Rows(work)
  for (const found of waiting) {
    if (live.some(({ parent }) => parent === found.id)) continue
    rows.add(found)
    const row = rows.get(found.id) as TaskLife
    const at = instants.get(found.id) as number
    const next = nextLife(row, { type: 'children.ended', at })
    if (next === undefined) continue
    rows.write(row, next, { at, reason: null, error: null })
    joined.add(found.id)
  }
  await rows.flush()
  if (joined.size > 0) await sql.rows(JOINED, [[...joined]])
  return joined
}

/** Writes what has changed, and has those go on whose children have ended with it. */
export async function flushAndJoin(work: PgWork, rows: Rows): Promise<ReadonlySet<string>> {
  const ended = rows.endingChildren
  await rows.flush()
  return joinParents(work, ended)
}

const LIVE_CHILDREN = 'SELECT id FROM stateward.task WHERE parent = $1 AND ended_at IS NULL ORDER BY seq'

export async function liveChildren({ sql }: PgWork, parent: string): Promise<string[]> {
  return (await sql.rows<{ id: string }>(LIVE_CHILDREN, [parent])).map(({ id }) => id)
}

const PARTS = `SELECT child.id, child.state, child.percent FROM stateward.task parent JOIN stateward.task child
  ON child.parent = parent.id AND child.parent_step = parent.step WHERE parent.id = $1`
const RANGE = 'SELECT fork_from AS "from", fork_to AS "to" FROM stateward.task WHERE id = $1'

type Part = Pick<TaskRecord, 'id' | 'state' | 'percent'>

/** The percent of a task that waits for its children is made of theirs. */
export async function withPercents<Row extends Part>(sql: PgSql, rows: readonly Row[]): Promise<Row[]> {
  const read: Row[] = []
  for (const row of rows) {
    read.push(row.state === 'forked' ? { ...row, percent: await percentOf(sql, row.id) } : row)
  }
  return read
}

async function percentOf(sql: PgSql, id: string): Promise<number> {
  const [range] = await sql.rows<{ from: number; to: number }>(RANGE, [id])
  const { from, to } = range ?? { from: 0, to: 0 }
  const parts = await sql.rows<Part>(PARTS, [id])
  let sum = 0
  for (const part of parts) sum += await percentOfPart(sql, part)
  return parts.length === 0 ? to : from + ((to - from) * sum) / parts.length / 100
}

async function percentOfPart(sql: PgSql, { id, state, percent }: Part): Promise<number> {
  if (state === 'forked') return percentOf(sql, id)
  return state === 'pending' || state === 'running' ? (percent ?? 0) : 100
}
