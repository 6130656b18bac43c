/** Cancels tasks: at once what waits, through its holder what runs; with a task that waits for its children, these. */
import type { AnswerTable, CancelAnswer, CancelOperation } from './operations.ts'
import type { Sql } from './sqlite-driver.ts'
import { liveChildren } from './sqlite-forks.ts'
import { lifeOf, writeLife, writeLog, writeRequest } from './sqlite-rows.ts'
import { nextLife } from './stored-life.ts'

type CancelAct = Pick<CancelOperation, 'at' | 'by' | 'reason'>

export function cancel(sql: Sql, operation: CancelOperation): AnswerTable['cancel'] {
  return { items: operation.ids.map((id) => cancelOne(sql, id, operation)) }
}

function cancelOne(sql: Sql, id: string, act: CancelAct): CancelAnswer {
  const { at, by, reason } = act
  const row = lifeOf(sql, id)
  if (row === undefined) return { kind: 'refused', code: 'ERR_RUN_UNKNOWN' }
  const next = nextLife(row, { type: 'task.cancel' })
  if (next === undefined) {
    // It runs, and was asked before.
    if (row.state === 'running') return { kind: 'asked' }
    return { kind: 'refused', code: 'ERR_RUN_STATE', state: row.state }
  }
  writeRequest(sql, row.seq, { at, by, reason, replaced: false })
  writeLife(sql, row.seq, next, { at, reason, error: null })
  // After it: nothing has to go on when the last of them has ended.
  if (row.state === 'forked') cancelChildren(sql, id, act)
  if (next.state === 'cancelled') return { kind: 'cancelled' }
  writeLog(sql, id, at, by, 'cancelAsked', reason)
  return { kind: 'asked' }
}

/** Of a task that has ended while it waited for them. */
export function cancelChildren(sql: Sql, parent: string, act: CancelAct): void {
  for (const id of liveChildren(sql, parent)) cancelOne(sql, id, act)
}
