/** What a row becomes when an attempt of it goes on, or may not. */
import type { Sql } from './sqlite-driver.ts'
import type { TaskLife } from './sqlite-rows.ts'
import type { StoredCall } from './task-record.ts'

/** Of a task that ends because it was asked to. */
export function endReason(row: TaskLife): string | null {
  return row.phase === 'replaced' ? 'replaced' : row.asked_reason
}

const STEP = `UPDATE stateward_task SET step = step + 1, name = ?, version = ?, input = ?, options = ?, description = ?,
  metadata = ?, error = NULL, percent = ?, note = NULL WHERE seq = ?`

/** It is another call from now on. */
export function writeStep(sql: Sql, seq: number, call: StoredCall, percent: number | null): void {
  const { name, version, input, options, description, metadata } = call
  sql.statement(STEP).run(name, version, input, options, description, metadata, percent, seq)
}
