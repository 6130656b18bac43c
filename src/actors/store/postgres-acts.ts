/** What people and programs do to tasks: retry, move, remove. */
import type { AnswerTable, MoveOperation, Refusal, RemoveOperation, RetryOperation } from './operations.ts'
import { joinParents, liveChildren } from './postgres-forks.ts'
import { type Child, type PgWork, Rows, type TaskLife } from './postgres-rows.ts'
import { type LifeRow, nextLife } from './stored-life.ts'

type Plain = { readonly kind: 'done' } | Refusal

const DONE = { kind: 'done' } as const
const UNKNOWN: Refusal = { kind: 'refused', code: 'ERR_RUN_UNKNOWN' }
const notIn = ({ state }: TaskLife): Refusal => ({ kind: 'refused', code: 'ERR_RUN_STATE', state })

const KEY_HOLDER = 'SELECT id FROM stateward.task WHERE live_key = $1'

export async function retry(work: PgWork, operation: RetryOperation): Promise<AnswerTable['retry']> {
  const rows = new Rows(work)
  await rows.load(operation.ids)
  const items: Plain[] = []
  for (const id of operation.ids) items.push(await retryOne(work, rows, id, operation))
  await rows.flush()
  return { items }
}

// Its last attempt may have ended before the task did, and was noted then.
const LAST_START = `INSERT INTO stateward.log (id, at, by, act) SELECT id, started_at, holder, 'started'
  FROM stateward.task t WHERE seq = $1 AND started_at IS NOT NULL AND holder IS NOT NULL AND NOT EXISTS
  (SELECT 1 FROM stateward.log l WHERE l.id = t.id AND at = t.started_at AND by = t.holder AND act = 'started')`

const UNFINISHED_CHILDREN = `SELECT id FROM stateward.task
  WHERE parent = $1 AND state IN ('failed', 'cancelled', 'terminated') ORDER BY seq`

/** First its children that have not finished: whether it has to wait for some is known then. */
async function retryOne(work: PgWork, rows: Rows, id: string, operation: RetryOperation): Promise<Plain> {
  const { at, by, runAt } = operation
  const row = rows.get(id)
  if (row === undefined) return UNKNOWN
  if (nextLife(row, { type: 'task.retry', runAt, waits: false }) === undefined) return notIn(row)
  // Those before it in this call count as well.
  await rows.flush()
  if (row.key !== null) {
    const [other] = await work.sql.rows<{ id: string }>(KEY_HOLDER, [row.key])
    if (other !== undefined) return { kind: 'refused', code: 'ERR_TASK_KEY_TAKEN', id: other.id }
  }
  const waits = row.step > 0 && (await retryChildren(work, rows, id, operation))
  const next = nextLife(row, { type: 'task.retry', runAt, waits }) as LifeRow
  // The row forgets how it ended; the log does not.
  const ended = row.state as 'failed' | 'cancelled' | 'terminated'
  await work.sql.rows(LAST_START, [row.seq])
  rows.log(id, row.endedAt ?? at, row.endedBy ?? row.asked_by ?? row.holder ?? by, ended, row.error)
  rows.log(id, at, by, 'retried', null)
  rows.revive(row)
  rows.write(row, next, { at, reason: null, error: null })
  return DONE
}

/** Only one that has gone on to another step may have some. @returns whether any is live */
async function retryChildren(
  work: PgWork,
  rows: Rows,
  parent: string,
  operation: RetryOperation,
): Promise<boolean> {
  const children = (await work.sql.rows<{ id: string }>(UNFINISHED_CHILDREN, [parent])).map(({ id }) => id)
  await rows.load(children)
  for (const id of children) await retryOne(work, rows, id, operation)
  await rows.flush()
  return (await liveChildren(work, parent)).length > 0
}

export async function move(
  work: PgWork,
  { ids, runAt, at, by }: MoveOperation,
): Promise<AnswerTable['move']> {
  const rows = new Rows(work)
  await rows.load(ids)
  const items = ids.map((id): Plain => {
    const row = rows.get(id)
    if (row === undefined) return UNKNOWN
    if (row.state !== 'pending') return notIn(row)
    const next = nextLife(row, { type: 'task.move', runAt })
    if (next === undefined) return DONE
    rows.write(row, next, { at, reason: null, error: null })
    rows.log(id, at, by, 'moved', String(runAt))
    return DONE
  })
  await rows.flush()
  return { items }
}

const REMOVE = 'DELETE FROM stateward.task WHERE seq = ANY($1)'
const REMOVE_LOG = 'DELETE FROM stateward.log WHERE id = ANY($1)'

export async function remove(work: PgWork, { ids, at }: RemoveOperation): Promise<AnswerTable['remove']> {
  const { sql, dispatcher } = work
  const rows = new Rows(work)
  await rows.load(ids)
  const gone = new Map<string, number>()
  const children: Child[] = []
  const items = ids.map((id): Plain => {
    const row = rows.get(id)
    if (row === undefined || gone.has(id)) return UNKNOWN
    if (nextLife(row, { type: 'task.remove' }) === undefined) return notIn(row)
    gone.set(id, row.seq)
    if (row.parent !== null) children.push({ parent: row.parent, endedAt: at })
    return DONE
  })
  if (gone.size > 0) {
    await sql.rows(REMOVE, [[...gone.values()]])
    await sql.rows(REMOVE_LOG, [[...gone.keys()]])
    await dispatcher.drop(sql, [...gone.values()])
    await joinParents(work, children)
  }
  return { items }
}
