/** A task whose next step is another call, and the calls that come after one. */
import { NO_BOUNDS } from '../../machines/overdue.ts'
import { bandOf } from './shared-columns.ts'
import type { Sql } from './sqlite-driver.ts'
import type { StepCall } from './task-record.ts'

const STEP = `UPDATE stateward_task SET step = step + 1, name = ?, version = ?, input = ?, options = ?, description = ?,
  metadata = ?, queue_timeout_ms = ?, deadline_ms = ?, expires_at = ?, band = coalesce(?, band), rest = ?, error = NULL,
  percent = ?, note = NULL WHERE seq = ?`
const TAKEN = 'DELETE FROM stateward_call WHERE task = ? AND at > ?'
const AFTER = 'INSERT INTO stateward_call (task, at, call) VALUES (?, ?, ?)'

/** A task that goes on. */
export interface Stepping {
  readonly seq: number
  /** How many calls come after it. */
  readonly rest: number
}

/** It is another call from now on. @param isNext - the one that came after it */
export function writeStep(
  sql: Sql,
  { seq, rest }: Stepping,
  call: StepCall,
  percent: number | null,
  isNext = false,
): void {
  const { name, version, input, options, description, metadata, priority, after = [] } = call
  const { queueTimeoutMs, deadlineMs, expiresAt } = call.bounds ?? NO_BOUNDS
  const band = priority === undefined ? null : bandOf(priority)
  const kept = isNext ? Math.max(0, rest - 1) : rest
  const values = [name, version, input, options, description, metadata, queueTimeoutMs, deadlineMs, expiresAt]
  sql.statement(STEP).run(...values, band, kept + after.length, percent, seq)
  if (kept < rest) sql.statement(TAKEN).run(seq, kept)
  writeAfter(sql, seq, kept, after)
}

/** @param kept - so many come after these */
export function writeAfter(sql: Sql, seq: number, kept: number, after: readonly string[]): void {
  if (after.length === 0) return
  const insert = sql.statement(AFTER)
  for (const [index, call] of after.entries()) insert.run(seq, kept + after.length - index, call)
}
