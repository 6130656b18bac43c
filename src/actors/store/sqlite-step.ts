/** A task whose next step is another call. */
import type { Sql } from './sqlite-driver.ts'
import type { StoredCall } from './task-record.ts'

const STEP = `UPDATE stateward_task SET step = step + 1, name = ?, version = ?, input = ?, options = ?, description = ?,
  metadata = ?, error = NULL, percent = ?, note = NULL WHERE seq = ?`

/** It is another call from now on. */
export function writeStep(sql: Sql, seq: number, call: StoredCall, percent: number | null): void {
  const { name, version, input, options, description, metadata } = call
  sql.statement(STEP).run(name, version, input, options, description, metadata, percent, seq)
}
