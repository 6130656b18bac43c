/** Cancels tasks: at once what waits, through its holder what runs; with a task that waits for its children, these. */
import type { AnswerTable, CancelAnswer, CancelOperation } from './operations.ts'
import { flushAndJoin, liveChildren } from './postgres-forks.ts'
import { type PgWork, Rows } from './postgres-rows.ts'
import { nextLife } from './stored-life.ts'

type CancelAct = Pick<CancelOperation, 'at' | 'by' | 'reason'>

export async function cancel(work: PgWork, operation: CancelOperation): Promise<AnswerTable['cancel']> {
  const rows = new Rows(work)
  await rows.load(operation.ids)
  const items: CancelAnswer[] = []
  for (const id of operation.ids) items.push(await cancelOne(work, rows, id, operation))
  await flushAndJoin(work, rows)
  return { items }
}

async function cancelOne(work: PgWork, rows: Rows, id: string, act: CancelAct): Promise<CancelAnswer> {
  const { at, by, reason } = act
  const row = rows.get(id)
  if (row === undefined) return { kind: 'refused', code: 'ERR_RUN_UNKNOWN' }
  const next = nextLife(row, { type: 'task.cancel' })
  if (next === undefined) {
    // It runs, and was asked before.
    if (row.state === 'running') return { kind: 'asked' }
    return { kind: 'refused', code: 'ERR_RUN_STATE', state: row.state }
  }
  rows.ask(row, { at, by, reason, replaced: false })
  rows.write(row, next, { at, reason, error: null })
  if (row.state === 'forked') await cancelChildren(work, rows, id, act)
  if (next.state === 'cancelled') return { kind: 'cancelled' }
  rows.log(id, at, by, 'cancelAsked', reason)
  return { kind: 'asked' }
}

/** Of a task that has ended while it waited for them. */
export async function cancelChildren(
  work: PgWork,
  rows: Rows,
  parent: string,
  act: CancelAct,
): Promise<void> {
  const ids = await liveChildren(work, parent)
  await rows.load(ids)
  for (const id of ids) await cancelOne(work, rows, id, act)
}
