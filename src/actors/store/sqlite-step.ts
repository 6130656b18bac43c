/** A task whose next step is another call. */
import { NO_BOUNDS } from '../../machines/overdue.ts'
import type { Sql } from './sqlite-driver.ts'
import type { StoredCall } from './task-record.ts'

const STEP = `UPDATE stateward_task SET step = step + 1, name = ?, version = ?, input = ?, options = ?, description = ?,
  metadata = ?, queue_timeout_ms = ?, deadline_ms = ?, expires_at = ?, error = NULL, percent = ?, note = NULL WHERE seq = ?`

/** It is another call from now on. */
export function writeStep(sql: Sql, seq: number, call: StoredCall, percent: number | null): void {
  const { name, version, input, options, description, metadata, bounds = NO_BOUNDS } = call
  const { queueTimeoutMs, deadlineMs, expiresAt } = bounds
  sql
    .statement(STEP)
    .run(
      name,
      version,
      input,
      options,
      description,
      metadata,
      queueTimeoutMs,
      deadlineMs,
      expiresAt,
      percent,
      seq,
    )
}
