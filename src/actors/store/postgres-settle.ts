/** What holders say about the tasks that they hold. Without the fence it changes nothing. */
import { endReason, eventOf } from './attempt-event.ts'
import type { AnswerTable, ProgressOperation, SettleAnswer, Settlement, Verdict } from './operations.ts'
import { DELETE_JOBS_OF } from './postgres-boss.ts'
import { type Forked, flushAndJoin, joinParents, storeChildren } from './postgres-forks.ts'
import { type Child, type PgWork, Rows, type TaskLife } from './postgres-rows.ts'
import { nextLife } from './stored-life.ts'
import type { Lease } from './task-record.ts'

export interface SettleItem extends Settlement {
  readonly at: number
  readonly by: string
}

const LOST: SettleAnswer = { kind: 'lost' }

// The machine lets a holder end its task wherever it runs, so one statement does it. It names those that were lost, and
// the ended ones that somebody may wait for: as a rule there are none.
const END = `WITH given AS MATERIALIZED (SELECT * FROM json_to_recordset($1::json) AS v (id text, fence integer, state text,
    at bigint, result text, error text, reason text)),
  ended AS (UPDATE stateward.task t SET state = v.state, phase = NULL, lease_until = NULL, live_key = NULL,
    request_open = NULL, ended_at = v.at, result = v.result, error = v.error,
    reason = CASE v.state WHEN 'finished' THEN v.reason ELSE coalesce(v.reason, t.asked_reason) END
    FROM given v WHERE t.id = v.id AND t.fence = v.fence AND t.state = 'running'
    RETURNING t.id, t.seq, t.parent, t.schedule),
  gone AS (${DELETE_JOBS_OF('ended')})
  SELECT CASE WHEN (SELECT count(*) FROM ended) < (SELECT count(*) FROM given) THEN
      (SELECT json_agg(id) FROM given WHERE id NOT IN (SELECT id FROM ended)) END AS lost,
    (SELECT json_agg(json_build_object('id', id, 'parent', parent)) FROM ended WHERE parent IS NOT NULL) AS children,
    EXISTS (SELECT 1 FROM ended WHERE schedule IS NOT NULL) AS scheduled`

interface Ended {
  readonly lost: readonly string[] | null
  readonly children: readonly { readonly id: string; readonly parent: string }[] | null
  readonly scheduled: boolean
}

type Ending = Extract<Verdict, { kind: 'finished' | 'failed' | 'cancelled' | 'terminated' }>
type Postponement = Exclude<Verdict, Ending>

export interface SettledAll {
  readonly answers: SettleAnswer[]
  /** A task that waited for children is due, or a schedule may be to be looked at. */
  readonly joined: boolean
}

const OPTIONS = `UPDATE stateward.task t SET options = v.options
  FROM json_to_recordset($1::json) AS v (id text, options text) WHERE t.id = v.id`

export async function settleAll(work: PgWork, items: readonly SettleItem[]): Promise<SettledAll> {
  const answers: SettleAnswer[] = []
  let joined = false
  for (const some of distinct(items)) {
    const ended = await endAll(work, some)
    const postponed = await postponeAll(work, some)
    const settled = new Map([...ended.answers, ...postponed.answers])
    await writeOptions(
      work,
      some.filter(({ id }) => settled.has(id)),
    )
    for (const { id } of some) answers.push(settled.get(id) ?? LOST)
    joined ||= ended.joined || postponed.joined
  }
  return { answers, joined }
}

async function writeOptions({ sql }: PgWork, settled: readonly SettleItem[]): Promise<void> {
  const rows = settled.flatMap(({ id, verdict }) =>
    'options' in verdict ? [{ id, options: verdict.options }] : [],
  )
  if (rows.length > 0) await sql.rows(OPTIONS, [JSON.stringify(rows)])
}

interface Settled {
  readonly answers: ReadonlyMap<string, SettleAnswer>
  readonly joined: boolean
}

const NOTHING: Settled = { answers: new Map(), joined: false }

/** Runs of items with different ids. */
function distinct<Item extends { readonly id: string }>(items: readonly Item[]): Item[][] {
  const runs: Item[][] = []
  let ids = new Set<string>()
  for (const item of items) {
    if (runs.length === 0 || ids.has(item.id)) {
      runs.push([])
      ids = new Set()
    }
    ids.add(item.id)
    runs.at(-1)?.push(item)
  }
  return runs
}

function isEnding(verdict: Verdict): verdict is Ending {
  return ['finished', 'failed', 'cancelled', 'terminated'].includes(verdict.kind)
}

async function endAll(work: PgWork, items: readonly SettleItem[]): Promise<Settled> {
  const rows: (Lease & { state: Ending['kind']; at: number; [column: string]: unknown })[] = []
  for (const { id, fence, at, verdict } of items) {
    if (!isEnding(verdict)) continue
    const { kind: state, reason } = verdict
    const result = 'result' in verdict ? verdict.result : null
    const error = 'error' in verdict ? verdict.error : null
    rows.push({ id, fence, state, at, result, error, reason })
  }
  if (rows.length === 0) return NOTHING
  const [said] = await work.sql.rows<Ended>(END, [JSON.stringify(rows)])
  const lost = new Set(said?.lost)
  const answers = new Map<string, SettleAnswer>()
  for (const { id, state } of rows) if (!lost.has(id)) answers.set(id, { kind: 'settled', state })
  const ended = said?.children ?? []
  const instants = new Map(ended.length === 0 ? [] : rows.map(({ id, at }) => [id, at]))
  const children = ended.map(({ id, parent }): Child => ({ parent, endedAt: instants.get(id) as number }))
  const joined = (await joinParents(work, children)).size > 0
  return { answers, joined: joined || said?.scheduled === true }
}

/** It waits again, for its time or for its children, unless it was asked to end. */
async function postponeAll(work: PgWork, items: readonly SettleItem[]): Promise<Settled> {
  const waiting = items.filter(({ verdict }) => !isEnding(verdict))
  if (waiting.length === 0) return NOTHING
  const answers = new Map<string, SettleAnswer>()
  const rows = new Rows(work)
  await rows.load(waiting.map(({ id }) => id))
  const forked = waiting.flatMap((item) => postpone(rows, item, answers))
  const above = await flushAndJoin(work, rows)
  await storeChildren(work, forked)
  // One without any live child waits for nobody.
  const alone = await joinParents(
    work,
    forked.map(({ id, verdict }) => ({ parent: id, endedAt: verdict.runAt })),
  )
  for (const id of alone) answers.set(id, { kind: 'settled', state: 'pending' })
  return { answers, joined: above.size > 0 }
}

function postpone(rows: Rows, item: SettleItem, answers: Map<string, SettleAnswer>): Forked[] {
  const { id, fence, at, by } = item
  const verdict = item.verdict as Postponement
  const row = rows.get(id)
  const next = row === undefined ? undefined : nextLife(row, eventOf(verdict, fence))
  if (row === undefined || next === undefined) return []
  const error = verdict.kind === 'retry' ? verdict.error : null
  const written = rows.write(row, next, { at, reason: endReason(row), error })
  answers.set(id, { kind: 'settled', state: written.state })
  if (verdict.kind === 'fork') {
    if (written.state !== 'forked') return []
    rows.step(written, verdict.call, verdict.percent.from)
    rows.logAttemptEnd(row, at, by, 'forked', String(verdict.children.length))
    return [{ id, seq: row.seq, step: row.step + 1, at, by, verdict }]
  }
  if (verdict.kind === 'step' && written.state === 'pending') {
    rows.step(written, verdict.call, verdict.percent ?? null, verdict.isNext)
  }
  log(rows, row, at, by, verdict)
  return []
}

function log(
  rows: Rows,
  row: TaskLife,
  at: number,
  by: string,
  verdict: Exclude<Postponement, { kind: 'fork' }>,
): void {
  switch (verdict.kind) {
    case 'retry':
      return rows.logAttemptEnd(row, at, by, 'attemptFailed', verdict.error)
    case 'snooze':
      return rows.logAttemptEnd(row, at, by, 'snoozed', String(verdict.runAt))
    case 'step':
      return rows.logAttemptEnd(row, at, by, 'stepped', verdict.call.name)
    case 'returned':
      return rows.logAttemptEnd(row, at, by, 'returned', null)
  }
}

// One that is locked is left out: a later report tells more.
const PROGRESS = `UPDATE stateward.task t SET percent = coalesce(v.percent, t.percent), note = coalesce(v.note, t.note)
  FROM (SELECT seq, v.percent, v.note FROM stateward.task t
    JOIN json_to_recordset($1::json) AS v (id text, fence integer, percent double precision, note text)
    ON t.id = v.id AND t.fence = v.fence AND t.state = 'running' FOR NO KEY UPDATE OF t SKIP LOCKED) AS v
  WHERE t.seq = v.seq RETURNING t.id`

export async function progress(
  { sql }: PgWork,
  { reports }: ProgressOperation,
): Promise<AnswerTable['progress']> {
  const items: AnswerTable['progress']['items'][number][] = []
  for (const some of distinct(reports)) {
    const done = await sql.rows<{ id: string }>(PROGRESS, [JSON.stringify(some)])
    const ids = new Set(done.map(({ id }) => id))
    items.push(...some.map(({ id }) => ({ kind: ids.has(id) ? 'done' : 'lost' }) as const))
  }
  return { items }
}
