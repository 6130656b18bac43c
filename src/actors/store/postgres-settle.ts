/** What holders say about the tasks that they hold. Without the fence it changes nothing. */
import type { StoredTaskEvent } from '../../machines/stored-task.ts'
import type { AnswerTable, ProgressOperation, SettleAnswer, Settlement, Verdict } from './operations.ts'
import { type PgWork, Rows, type TaskLife } from './postgres-rows.ts'
import { nextLife } from './stored-life.ts'

export interface SettleItem extends Settlement {
  readonly at: number
  readonly by: string
}

const LOST: SettleAnswer = { kind: 'lost' }

// The machine lets a holder end its task wherever it runs, so one statement does it.
const END = `UPDATE stateward.task t SET state = v.state, phase = NULL, lease_until = NULL, live_key = NULL,
  request_open = NULL, ended_at = v.at, result = v.result, error = v.error,
  reason = CASE v.state WHEN 'finished' THEN v.reason ELSE coalesce(v.reason, t.asked_reason) END
  FROM json_to_recordset($1::json) AS v (id text, fence integer, state text, at bigint, result text, error text,
    reason text)
  WHERE t.id = v.id AND t.fence = v.fence AND t.state = 'running' RETURNING t.id, t.seq`

type Ending = Extract<Verdict, { kind: 'finished' | 'failed' | 'cancelled' | 'terminated' }>
type Postponement = Exclude<Verdict, Ending>

export async function settleAll(work: PgWork, items: readonly SettleItem[]): Promise<SettleAnswer[]> {
  const answers: SettleAnswer[] = []
  for (const some of distinct(items)) {
    const ended = await endAll(work, some)
    const postponed = await postponeAll(work, some)
    for (const item of some) answers.push(ended.get(item.id) ?? postponed.get(item.id) ?? LOST)
  }
  return answers
}

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

async function endAll(
  { sql, dispatcher }: PgWork,
  items: readonly SettleItem[],
): Promise<Map<string, SettleAnswer>> {
  const rows = items.flatMap(({ id, fence, at, verdict }) => {
    if (!isEnding(verdict)) return []
    const { kind: state, reason } = verdict
    const result = 'result' in verdict ? verdict.result : null
    const error = 'error' in verdict ? verdict.error : null
    return [{ id, fence, state, at, result, error, reason }]
  })
  if (rows.length === 0) return new Map()
  const ended = await sql.rows<{ id: string; seq: number }>(END, [JSON.stringify(rows)])
  await dispatcher.drop(
    sql,
    ended.map(({ seq }) => seq),
  )
  const states = new Map(rows.map(({ id, state }) => [id, state]))
  return new Map(
    ended.map(({ id }) => [id, { kind: 'settled', state: states.get(id) as Ending['kind'] }] as const),
  )
}

/** It waits again, unless it was asked to end. */
async function postponeAll(work: PgWork, items: readonly SettleItem[]): Promise<Map<string, SettleAnswer>> {
  const answers = new Map<string, SettleAnswer>()
  const waiting = items.filter(({ verdict }) => !isEnding(verdict))
  if (waiting.length === 0) return answers
  const rows = new Rows(work)
  await rows.load(waiting.map(({ id }) => id))
  for (const item of waiting) {
    const said = postpone(rows, item, item.verdict as Postponement)
    if (said !== undefined) answers.set(item.id, said)
  }
  await rows.flush()
  return answers
}

function postpone(
  rows: Rows,
  { id, fence, at, by }: SettleItem,
  verdict: Postponement,
): SettleAnswer | undefined {
  const row = rows.get(id)
  const next = row === undefined ? undefined : nextLife(row, eventOf(verdict, fence))
  if (row === undefined || next === undefined) return undefined
  const error = verdict.kind === 'retry' ? verdict.error : null
  const written = rows.write(row, next, { at, reason: endReason(row), error })
  if (verdict.kind === 'step' && written.state === 'pending') {
    rows.step(written, verdict.call, verdict.percent ?? null)
  }
  log(rows, id, at, by, verdict)
  return { kind: 'settled', state: written.state }
}

/** Of a task that ends because it was asked to. */
export function endReason(row: TaskLife): string | null {
  return row.phase === 'replaced' ? 'replaced' : row.asked_reason
}

function eventOf(verdict: Postponement, fence: number): StoredTaskEvent {
  switch (verdict.kind) {
    case 'retry':
      return { type: 'attempt.failed', fence, retryAt: verdict.runAt }
    case 'snooze':
      return { type: 'attempt.snoozed', fence, until: verdict.runAt }
    case 'step':
      return { type: 'attempt.continued', fence, runAt: verdict.runAt }
    case 'returned':
      return { type: 'attempt.returned', fence }
  }
}

function log(rows: Rows, id: string, at: number, by: string, verdict: Postponement): void {
  switch (verdict.kind) {
    case 'retry':
      return rows.log(id, at, by, 'attemptFailed', verdict.error)
    case 'snooze':
      return rows.log(id, at, by, 'snoozed', String(verdict.runAt))
    case 'step':
      return rows.log(id, at, by, 'stepped', verdict.call.name)
    case 'returned':
      return rows.log(id, at, by, 'returned', null)
  }
}

const PROGRESS = `UPDATE stateward.task t SET percent = coalesce(v.percent, t.percent), note = coalesce(v.note, t.note)
  FROM json_to_recordset($1::json) AS v (id text, fence integer, percent double precision, note text)
  WHERE t.id = v.id AND t.fence = v.fence AND t.state = 'running' RETURNING t.id`

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
