/** What holders say about the tasks that they hold. Without the fence it changes nothing. */
import { endReason, eventOf } from './attempt-event.ts'
import type {
  AnswerTable,
  ProgressOperation,
  SettleAnswer,
  Settlement,
  SettleOperation,
  Verdict,
} from './operations.ts'
import type { Sql } from './sqlite-driver.ts'
import { anyLiveChild, fork, hasDueParent } from './sqlite-forks.ts'
import { lifeOf, type TaskLife, writeAttemptEnd, writeLife } from './sqlite-rows.ts'
import { writeStep } from './sqlite-step.ts'
import { nextLife } from './stored-life.ts'

const LOST: SettleAnswer = { kind: 'lost' }

// The machine lets a holder end its task wherever it runs, so one statement does it.
const END = `UPDATE stateward_task SET state = ?, phase = NULL, lease_until = NULL, live_key = NULL, ended_at = ?,
  result = ?, error = ?, reason = coalesce(?, asked_reason) WHERE id = ? AND state = 'running' AND fence = ?`
const FINISH = `UPDATE stateward_task SET state = 'finished', phase = NULL, lease_until = NULL, live_key = NULL,
  ended_at = ?, result = ?, error = NULL, reason = ? WHERE id = ? AND state = 'running' AND fence = ?`
const SETTLED = {
  finished: { kind: 'settled', state: 'finished' },
  failed: { kind: 'settled', state: 'failed' },
  cancelled: { kind: 'settled', state: 'cancelled' },
  terminated: { kind: 'settled', state: 'terminated' },
} as const satisfies Record<string, SettleAnswer>

export function settle(sql: Sql, operation: SettleOperation): AnswerTable['settle'] {
  const { settlements } = operation
  const mayJoin = anyLiveChild(sql)
  const items = settlements.map((settlement) => settleOne(sql, settlement, operation))
  const joined =
    mayJoin &&
    hasDueParent(
      sql,
      settlements.map(({ id }) => id),
    )
  return { items, joined }
}

const OPTIONS = 'UPDATE stateward_task SET options = ? WHERE id = ?'

function settleOne(sql: Sql, settlement: Settlement, act: SettleOperation): SettleAnswer {
  const answer = writeVerdict(sql, settlement, act)
  const { id, verdict } = settlement
  if (answer.kind === 'settled' && 'options' in verdict) sql.statement(OPTIONS).run(verdict.options, id)
  return answer
}

function writeVerdict(sql: Sql, { id, fence, verdict }: Settlement, act: SettleOperation): SettleAnswer {
  switch (verdict.kind) {
    case 'finished': {
      const { changes } = sql.statement(FINISH).run(act.at, verdict.result, verdict.reason, id, fence)
      return changes === 1 ? SETTLED.finished : LOST
    }
    case 'failed':
    case 'cancelled':
    case 'terminated': {
      const { kind, error, reason } = verdict
      const { changes } = sql.statement(END).run(kind, act.at, null, error, reason, id, fence)
      return changes === 1 ? SETTLED[kind] : LOST
    }
    case 'fork':
      return fork(sql, { id, fence, verdict }, act)
    default:
      return postpone(sql, { id, fence, verdict }, act)
  }
}

type Postponement = Extract<Verdict, { kind: 'retry' | 'snooze' | 'step' | 'returned' }>

/** It waits again, unless it was asked to end. */
function postpone(
  sql: Sql,
  { id, fence, verdict }: Settlement & { verdict: Postponement },
  { at, by }: SettleOperation,
): SettleAnswer {
  const row = lifeOf(sql, id)
  const next = row === undefined ? undefined : nextLife(row, eventOf(verdict, fence))
  if (row === undefined || next === undefined) return LOST
  const error = verdict.kind === 'retry' ? verdict.error : null
  writeLife(sql, row.seq, next, { at, reason: endReason(row), error })
  if (verdict.kind === 'step' && next.state === 'pending')
    writeStep(sql, row, verdict.call, verdict.percent ?? null, verdict.isNext)
  log(sql, row, at, by, verdict)
  return { kind: 'settled', state: next.state as TaskLife['state'] }
}

function log(sql: Sql, row: TaskLife, at: number, by: string, verdict: Postponement): void {
  switch (verdict.kind) {
    case 'retry':
      return writeAttemptEnd(sql, row, at, by, 'attemptFailed', verdict.error)
    case 'snooze':
      return writeAttemptEnd(sql, row, at, by, 'snoozed', String(verdict.runAt))
    case 'step':
      return writeAttemptEnd(sql, row, at, by, 'stepped', verdict.call.name)
    case 'returned':
      return writeAttemptEnd(sql, row, at, by, 'returned', null)
  }
}

const PROGRESS = `UPDATE stateward_task SET percent = coalesce(?, percent), note = coalesce(?, note)
  WHERE id = ? AND state = 'running' AND fence = ?`

export function progress(sql: Sql, { reports }: ProgressOperation): AnswerTable['progress'] {
  const statement = sql.statement(PROGRESS)
  const items = reports.map(({ id, fence, percent, note }) => {
    const { changes } = statement.run(percent, note, id, fence)
    return { kind: changes === 1 ? 'done' : 'lost' } as const
  })
  return { items }
}
