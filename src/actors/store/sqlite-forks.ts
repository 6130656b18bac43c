/** Tasks that wait for their children, and what is told of the children. */
import { NO_BOUNDS } from '../../machines/overdue.ts'
import { endReason } from './attempt-event.ts'
import type { SettleAnswer, Settlement, SettleOperation, Verdict } from './operations.ts'
import { bandOf } from './shared-columns.ts'
import type { Sql } from './sqlite-driver.ts'
import { lifeOf, type TaskLife, writeAttemptEnd, writeLife } from './sqlite-rows.ts'
import { writeAfter, writeStep } from './sqlite-step.ts'
import { nextLife } from './stored-life.ts'
import type { NewTask, TaskRecord } from './task-record.ts'

const INSERT_CHILD = `INSERT INTO stateward_task (id, state, phase, band, run_at, name, version, created_at, created_by,
  description, metadata, options, input, queue_timeout_ms, deadline_ms, expires_at, rest, parent, parent_step)
  VALUES (?, 'pending', 'new', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
const STEP_OF = 'SELECT step FROM stateward_task WHERE seq = ?'
const FORK = 'UPDATE stateward_task SET fork_from = ?, fork_to = ? WHERE seq = ?'

/** Stores its children and makes it wait for them, unless it was asked to end. */
export function fork(
  sql: Sql,
  { id, fence, verdict }: Settlement & { verdict: Extract<Verdict, { kind: 'fork' }> },
  { at, by }: SettleOperation,
): SettleAnswer {
  const row = lifeOf(sql, id)
  const next = row && nextLife(row, { type: 'attempt.forked', fence, runAt: verdict.runAt })
  if (row === undefined || next === undefined) return { kind: 'lost' }
  writeLife(sql, row.seq, next, { at, reason: endReason(row), error: null })
  if (next.state !== 'forked') return { kind: 'settled', state: next.state as TaskLife['state'] }
  const { call, children, percent } = verdict
  writeStep(sql, row, call, percent.from)
  sql.statement(FORK).run(percent.from, percent.to, row.seq)
  const { step } = sql.statement(STEP_OF).get(row.seq) as { readonly step: number }
  for (const child of children) insertChild(sql, { id, step }, child, at, by)
  writeAttemptEnd(sql, row, at, by, 'forked', String(children.length))
  return { kind: 'settled', state: joinIfOver(sql, id, verdict.runAt) ? 'pending' : 'forked' }
}

function insertChild(
  sql: Sql,
  parent: { readonly id: string; readonly step: number },
  child: NewTask,
  at: number,
  by: string,
): void {
  const { id, priority, runAt, name, version, description, metadata, options, input } = child
  const { after = [], bounds = NO_BOUNDS } = child
  const { queueTimeoutMs, deadlineMs, expiresAt } = bounds
  const call = [description, metadata, options, input, queueTimeoutMs, deadlineMs, expiresAt, after.length]
  const { lastInsertRowid } = sql
    .statement(INSERT_CHILD)
    .run(id, bandOf(priority), runAt, name, version, at, by, ...call, parent.id, parent.step)
  writeAfter(sql, Number(lastInsertRowid), 0, after)
}

const LIVE = 'FROM stateward_task INDEXED BY stateward_task_live_child WHERE parent = ? AND ended_at IS NULL'
const HAS_LIVE_CHILD = `SELECT 1 ${LIVE} LIMIT 1`
const LIVE_CHILDREN = `SELECT id ${LIVE} ORDER BY seq`

export function hasLiveChild(sql: Sql, parent: string): boolean {
  return sql.statement(HAS_LIVE_CHILD).get(parent) !== undefined
}

export function liveChildren(sql: Sql, parent: string): string[] {
  return (sql.statement(LIVE_CHILDREN).all(parent) as { id: string }[]).map(({ id }) => id)
}

const JOIN = `UPDATE stateward_task SET percent = fork_to WHERE seq = ?`

/** What the trigger does when a child ends. @returns whether the parent is due now */
export function joinIfOver(sql: Sql, parent: string, at: number): boolean {
  const row = lifeOf(sql, parent)
  if (row === undefined || hasLiveChild(sql, parent)) return false
  const next = nextLife(row, { type: 'children.ended', at })
  if (next === undefined) return false
  writeLife(sql, row.seq, next, { at, reason: null, error: null })
  sql.statement(JOIN).run(row.seq)
  return true
}

const ANY_LIVE_CHILD = `SELECT 1 FROM stateward_task INDEXED BY stateward_task_live_child
  WHERE parent IS NOT NULL AND ended_at IS NULL LIMIT 1`

/** One look at an index that is empty as a rule. */
export function anyLiveChild(sql: Sql): boolean {
  return sql.statement(ANY_LIVE_CHILD).get() !== undefined
}

const DUE_PARENT = `SELECT 1 FROM json_each(?) CROSS JOIN stateward_task AS child ON child.id = value
  CROSS JOIN stateward_task AS parent ON parent.id = child.parent WHERE parent.state = 'pending' LIMIT 1`

/** Whether a parent of one of these is due. */
export function hasDueParent(sql: Sql, ids: readonly string[]): boolean {
  return sql.statement(DUE_PARENT).get(JSON.stringify(ids)) !== undefined
}

const RANGE = 'SELECT step, fork_from AS "from", fork_to AS "to" FROM stateward_task WHERE id = ?'
// Answered by the index alone.
const ALL = `SELECT count(*) AS count FROM stateward_task INDEXED BY stateward_task_child
  WHERE parent = ? AND parent_step = ?`
const LIVE_PART = `${LIVE} AND parent_step = ?`
const PERCENTS = `SELECT count(*) AS count, total(percent) AS sum, total(state = 'forked') AS forked ${LIVE_PART}`
const FORKED = `SELECT id, percent ${LIVE_PART} AND state = 'forked'`

type Range = { readonly step: number; readonly from: number; readonly to: number }
type Sum = { readonly count: number; readonly sum: number; readonly forked: number }

/** The percent of a task that waits for its children is made of theirs; what has ended, however it did, counts as done. */
export function withPercent<Row extends Pick<TaskRecord, 'id' | 'state' | 'percent'>>(
  sql: Sql,
  row: Row,
): Row {
  return row.state === 'forked' ? { ...row, percent: percentOf(sql, row.id) } : row
}

function percentOf(sql: Sql, id: string): number {
  const { step, from, to } = sql.statement(RANGE).get(id) as Range
  const all = sql.statement(ALL).get(id, step) as { readonly count: number }
  if (all.count === 0) return to
  const live = sql.statement(PERCENTS).get(id, step) as Sum
  const below = live.forked === 0 ? 0 : belowForked(sql, id, step)
  return from + ((to - from) * ((all.count - live.count) * 100 + live.sum + below)) / all.count / 100
}

/** How much further those are that wait for children than their rows say. */
function belowForked(sql: Sql, parent: string, step: number): number {
  const forked = sql.statement(FORKED).all(parent, step) as { id: string; percent: number | null }[]
  return forked.reduce((sum, { id, percent }) => sum + percentOf(sql, id) - (percent ?? 0), 0)
}
