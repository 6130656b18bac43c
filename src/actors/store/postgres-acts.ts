/** What people and programs do to tasks: cancel, retry, move, remove. */
import type {
  AnswerTable,
  CancelAnswer,
  CancelOperation,
  MoveOperation,
  Refusal,
  RemoveOperation,
  RetryOperation,
} from './operations.ts'
import { type PgWork, Rows, type TaskLife } from './postgres-rows.ts'
import { nextLife } from './stored-life.ts'

type Plain = { readonly kind: 'done' } | Refusal

const DONE = { kind: 'done' } as const
const UNKNOWN: Refusal = { kind: 'refused', code: 'ERR_RUN_UNKNOWN' }
const notIn = ({ state }: TaskLife): Refusal => ({ kind: 'refused', code: 'ERR_RUN_STATE', state })

export async function cancel(work: PgWork, operation: CancelOperation): Promise<AnswerTable['cancel']> {
  const rows = new Rows(work)
  await rows.load(operation.ids)
  const items = operation.ids.map((id) => cancelOne(rows, id, operation))
  await rows.flush()
  return { items }
}

function cancelOne(rows: Rows, id: string, { at, by, reason }: CancelOperation): CancelAnswer {
  const row = rows.get(id)
  if (row === undefined) return UNKNOWN
  const next = nextLife(row, { type: 'task.cancel' })
  // It runs, and was asked before.
  if (next === undefined) return row.state === 'running' ? { kind: 'asked' } : notIn(row)
  rows.ask(row, { at, by, reason, replaced: false })
  rows.write(row, next, { at, reason, error: null })
  if (next.state === 'cancelled') return { kind: 'cancelled' }
  rows.log(id, at, by, 'cancelAsked', reason)
  return { kind: 'asked' }
}

const KEY_HOLDER = 'SELECT id FROM stateward.task WHERE live_key = $1'

export async function retry(work: PgWork, operation: RetryOperation): Promise<AnswerTable['retry']> {
  const rows = new Rows(work)
  await rows.load(operation.ids)
  const items: Plain[] = []
  for (const id of operation.ids) items.push(await retryOne(work, rows, id, operation))
  await rows.flush()
  return { items }
}

async function retryOne(
  { sql }: PgWork,
  rows: Rows,
  id: string,
  { at, by, runAt }: RetryOperation,
): Promise<Plain> {
  const row = rows.get(id)
  if (row === undefined) return UNKNOWN
  const next = nextLife(row, { type: 'task.retry', runAt })
  if (next === undefined) return notIn(row)
  if (row.key !== null) {
    // One of the same call may have the key by now.
    await rows.flush()
    const [other] = await sql.rows<{ id: string }>(KEY_HOLDER, [row.key])
    if (other !== undefined) return { kind: 'refused', code: 'ERR_TASK_KEY_TAKEN', id: other.id }
  }
  // The row forgets how it ended; the log does not.
  const ended = row.state as 'failed' | 'cancelled' | 'terminated'
  rows.log(id, row.endedAt ?? at, row.asked_by ?? row.holder ?? by, ended, row.error)
  rows.log(id, at, by, 'retried', null)
  rows.revive(row)
  rows.write(row, next, { at, reason: null, error: null })
  return DONE
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

export async function remove(work: PgWork, { ids }: RemoveOperation): Promise<AnswerTable['remove']> {
  const { sql, dispatcher } = work
  const rows = new Rows(work)
  await rows.load(ids)
  const gone = new Map<string, number>()
  const items = ids.map((id): Plain => {
    const row = rows.get(id)
    if (row === undefined || gone.has(id)) return UNKNOWN
    if (nextLife(row, { type: 'task.remove' }) === undefined) return notIn(row)
    gone.set(id, row.seq)
    return DONE
  })
  if (gone.size > 0) {
    await sql.rows(REMOVE, [[...gone.values()]])
    await sql.rows(REMOVE_LOG, [[...gone.keys()]])
    await dispatcher.drop(sql, [...gone.values()])
  }
  return { items }
}
