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
import { type Dispatch, type FetchedUse, instantText, LOCK_FREE_JOBS, SEQ_OF_JOB } from './postgres-boss.ts'
import { FIRST_OVERDUE } from './postgres-overdue.ts'
import type { PgWork } from './postgres-rows.ts'
import { bandOf, priorityOf, type RequestColumns, requestOf } from './shared-columns.ts'
import type { ClaimedTask, Lease } from './task-record.ts'

const SET_CLOCK = "SELECT set_config('stateward.now', $1, true)"
const STRANGE = 'SELECT name FROM stateward.name WHERE name <> ALL($1)'
/** So many of a few names are taken one by one. */
const FEW = 32
// The order makes the planner use the index of names, whatever it believes to know of them.
const STRANGE_AND_DUE = `SELECT array(${STRANGE}) AS strange, array(SELECT id FROM unnest($1::text[]) AS known (known)
  CROSS JOIN LATERAL (SELECT id FROM stateward.task WHERE name = known AND ended_at IS NULL AND run_at <= $2
    AND state = 'pending' ORDER BY run_at LIMIT ${FEW}) AS first LIMIT ${FEW}) AS due`

/** What a claimed task has, and its column. */
const COLUMNS: { readonly [Key in keyof ClaimedTask]: string } = {
  id: 'id',
  name: 'name',
  version: 'version',
  input: 'input',
  options: 'options',
  description: 'description',
  metadata: 'metadata',
  priority: 'band',
  runAt: 'run_at',
  key: 'key',
  schedule: 'schedule',
  attempt: 'attempt',
  lost: 'lost',
  step: 'step',
  fence: 'fence',
  createdAt: 'created_at',
  next: 'next',
}
const TAKEN = Object.values(COLUMNS)
const NEXT = `CASE WHEN t.rest > 0 THEN (SELECT call FROM stateward.call c WHERE c.task = t.seq AND c.at = t.rest) END AS next`

/** What a holder has to know beside its tasks. */
const AROUND = (holder: string, at: string): string => `
  (SELECT run_at FROM stateward.task WHERE ended_at IS NULL AND state = 'pending' AND run_at > ${at}
    ORDER BY run_at LIMIT 1) AS "nextAt",
  (SELECT min(look_at) FROM stateward.schedule WHERE look_at IS NOT NULL) AS "scheduleAt",
  (${FIRST_OVERDUE}) AS "overdueAt",
  (SELECT json_agg(json_build_object('id', id, 'fence', fence, 'asked', asked, 'asked_at', asked_at,
    'asked_by', asked_by, 'asked_reason', asked_reason)) FROM stateward.task
    WHERE request_open AND holder = ${holder}) AS asked`

const ASK_AROUND = `SELECT ${AROUND('$1', '$2')}`

/**
 * Takes the tasks of the fetched jobs. All of it is one row, with a list for each column: a row for each task, or an object,
 * costs both sides several times as much. `left` are the jobs whose tasks were not taken.
 */
const TAKE = (value: (index: number) => string): string => `, taken AS (
  UPDATE stateward.task t SET state = 'running', phase = 'held', attempt = t.attempt + 1, fence = t.fence + 1,
    holder = ${value(1)}::text, lease_until = ${value(2)}::bigint, started_at = ${value(3)}::bigint,
    percent = CASE t.phase WHEN 'step' THEN t.percent END, note = NULL
  FROM fetched WHERE t.seq = ${SEQ_OF_JOB('fetched.id')} AND t.state = 'pending'
    AND (${value(4)}::text[] IS NULL OR t.name = ANY(${value(4)}::text[]))
  RETURNING t.seq, ${TAKEN.map((column) => (column === 'next' ? NEXT : `t.${column}`)).join(', ')})
  SELECT lists.*, CASE WHEN (SELECT count(*) FROM fetched) > taken THEN
      (SELECT json_agg(json_build_object('seq', ${SEQ_OF_JOB('id')}, 'name', "groupId")) FROM fetched
        WHERE ${SEQ_OF_JOB('id')} NOT IN (SELECT seq FROM taken)) END AS left, ${AROUND(`${value(1)}::text`, `${value(3)}::bigint`)}
  FROM (SELECT count(*)::integer AS taken, ${TAKEN.map((column) => `json_agg(${column}) AS ${column}`).join(', ')}
    FROM (SELECT * FROM taken ORDER BY band, run_at, seq) AS sorted) AS lists`

interface Around {
  readonly nextAt: number | null
  readonly scheduleAt: number | null
  readonly overdueAt: number | null
  readonly asked: readonly (RequestColumns & { id: string; fence: number })[] | null
}

interface Answer extends Around {
  /** How many. Beside it the lists, by their columns. */
  readonly taken: number
  readonly left: readonly { readonly seq: number; readonly name: string }[] | null
}

export async function claim(work: PgWork, operation: ClaimOperation): Promise<ClaimAnswer> {
  const { at, holder, ids } = operation
  await setClock(work, at)
  const said = await (ids === undefined ? claimDue(work, operation) : claimThese(work, operation, ids))
  let last: Around | undefined = said.at(-1)
  // One statement sees what was before it: the first one that may be overdue may have just been taken.
  if (last === undefined || last.overdueAt !== null) {
    last = (await work.sql.rows<Around>(ASK_AROUND, [holder, at]))[0]
  }
  return {
    tasks: said.flatMap(toClaimed),
    asked: (last?.asked ?? []).flatMap(toAsked),
    nextAt: last?.nextAt ?? null,
    scheduleAt: last?.scheduleAt ?? null,
    overdueAt: last?.overdueAt ?? null,
  }
}

async function setClock({ sql, clock }: PgWork, at: number): Promise<void> {
  if (clock.at === at) return
  await sql.rows(SET_CLOCK, [instantText(at)])
  clock.at = at
}

/** Bands with the same room are fetched together. */
async function claimDue(work: PgWork, operation: ClaimOperation): Promise<Answer[]> {
  const { sql, dispatcher } = work
  const { room, limit, names } = operation
  const runs = bandRuns(operation)
  if (runs.length === 0) return []
  const known = names === undefined ? undefined : await ofNames(work, operation, names)
  // pg-boss meets all that waits before what it is asked for.
  if (known?.due.length === 0) return []
  if (known !== undefined && known.strange.length > 0 && known.due.length < FEW)
    return claimThese(work, operation, known.due)
  const except = operation.except ?? known?.strange ?? []
  const use = useOf(operation)
  const said: Answer[] = []
  let taken = 0
  for (const { from, to } of runs) {
    const places = placesFor(room, priorityOf(from), taken, limit)
    if (places === 0) continue
    const [answer] = await dispatcher.fetch<Answer>(sql, { from, to, limit: places, except }, use)
    if (answer === undefined) continue
    taken += answer.taken
    said.push(answer)
    const left = answer.left ?? []
    // A name that was stored since we looked which there are.
    const strangers = left.filter(({ name }) => names?.includes(name) === false)
    await dispatcher.restore(sql, strangers.map(toSeq))
    // A job whose task does not wait is of no use to anybody.
    await dispatcher.drop(sql, left.filter((one) => !strangers.includes(one)).map(toSeq))
  }
  return said
}

const toSeq = ({ seq }: { readonly seq: number }): number => seq

function useOf({ at, holder, leaseUntil, names }: ClaimOperation): FetchedUse {
  return { text: TAKE, values: [holder, leaseUntil, at, names ?? null] }
}

const THESE = `SELECT seq, band, run_at AS "runAt", name FROM stateward.task
  WHERE seq = ANY($1) AND state = 'pending' AND run_at <= $2 AND ($3::text[] IS NULL OR name = ANY($3))
    AND ($4::text[] IS NULL OR name <> ALL($4)) ORDER BY band, run_at, seq FOR UPDATE SKIP LOCKED`

async function claimThese(
  { sql, dispatcher }: PgWork,
  operation: ClaimOperation,
  ids: readonly string[],
): Promise<Answer[]> {
  const { at, room, limit, names, except } = operation
  const taken: Dispatch[] = []
  // Jobs before rows, as who fetches: neither waits for the other.
  const free = (await sql.rows<{ seq: number }>(LOCK_FREE_JOBS, [ids])).map(({ seq }) => seq)
  for (const one of await sql.rows<Dispatch>(THESE, [free, at, names ?? null, except ?? null])) {
    if (placesFor(room, priorityOf(one.band), taken.length, limit) > 0) taken.push(one)
  }
  return dispatcher.take<Answer>(sql, taken, useOf(operation))
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

interface OfNames {
  /** Names that are not meant. */
  readonly strange: readonly string[]
  /** Ids of what is due of those that are, the first ones. */
  readonly due: readonly string[]
}

async function ofNames({ sql }: PgWork, { at }: ClaimOperation, names: readonly string[]): Promise<OfNames> {
  const [found] = await sql.rows<OfNames>(STRANGE_AND_DUE, [names, at])
  return found ?? { strange: [], due: [] }
}

type Lists = { readonly [Key in keyof ClaimedTask]: readonly ClaimedTask[Key][] }

function toClaimed(answer: Answer): ClaimedTask[] {
  const said = answer as unknown as Readonly<Record<string, readonly never[] | null>>
  const lists = Object.fromEntries(
    Object.entries(COLUMNS).map(([key, column]) => [key, said[column] ?? []]),
  ) as unknown as Lists
  const bands = lists.priority as unknown as readonly number[]
  return lists.id.map(
    (id, index) =>
      ({
        id,
        name: lists.name[index],
        version: lists.version[index],
        input: lists.input[index],
        options: lists.options[index],
        description: lists.description[index],
        metadata: lists.metadata[index],
        priority: priorityOf(bands[index] as number),
        runAt: lists.runAt[index],
        key: lists.key[index],
        schedule: lists.schedule[index],
        attempt: lists.attempt[index],
        lost: lists.lost[index],
        step: lists.step[index],
        fence: lists.fence[index],
        createdAt: lists.createdAt[index],
        next: lists.next[index],
      }) as ClaimedTask,
  )
}

function toAsked({ id, fence, ...row }: RequestColumns & { id: string; fence: number }): AskedTask[] {
  const request = requestOf(row)
  return request === null ? [] : [{ id, fence, request }]
}

// The others must not wait for one that an open transaction of somebody else has locked.
const RENEW = `UPDATE stateward.task t SET lease_until = $2
  FROM (SELECT seq FROM stateward.task t JOIN json_to_recordset($1::json) AS v (id text, fence integer)
    ON t.id = v.id AND t.fence = v.fence AND t.state = 'running' FOR NO KEY UPDATE OF t SKIP LOCKED) AS free
  WHERE t.seq = free.seq RETURNING t.id, t.fence, asked, asked_at, asked_by, asked_reason`
const HELD = `SELECT t.id, t.fence FROM stateward.task t JOIN json_to_recordset($1::json) AS v (id text, fence integer)
  ON t.id = v.id AND t.fence = v.fence AND t.state = 'running'`

const wordOf = ({ id, fence }: Lease): string => `${fence} ${id}`

export async function renew(
  { sql }: PgWork,
  { leases, leaseUntil }: RenewOperation,
): Promise<AnswerTable['renew']> {
  // A holder gives what it holds, whose id and fence need not be members of its own.
  const given = JSON.stringify(leases.map(({ id, fence }) => ({ id, fence })))
  const kept = await sql.rows<RequestColumns & Lease>(RENEW, [given, leaseUntil])
  const rows = new Map(kept.map((row) => [wordOf(row), row]))
  const others = rows.size < leases.length ? await sql.rows<Lease>(HELD, [given]) : []
  const held = new Set(others.map(wordOf))
  const items = leases.map((lease): RenewAnswer => {
    const row = rows.get(wordOf(lease))
    if (row !== undefined) return { kind: 'kept', request: requestOf(row) }
    return { kind: held.has(wordOf(lease)) ? 'locked' : 'lost' }
  })
  return { items }
}
