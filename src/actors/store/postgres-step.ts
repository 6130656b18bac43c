/** Tasks whose next step is another call, and the calls that come after one. */
import type { PgSql } from './postgres-driver.ts'
import { bandOf } from './shared-columns.ts'
import type { StepCall } from './task-record.ts'

const STEP = `UPDATE stateward.task t SET step = step + 1, name = v.name, version = v.version, input = v.input,
  options = v.options, description = v.description, metadata = v.metadata, queue_timeout_ms = v."queueTimeoutMs",
  deadline_ms = v."deadlineMs", expires_at = v."expiresAt", band = coalesce(v.band, t.band), rest = v.rest, error = NULL,
  percent = v.percent, note = NULL
  FROM json_to_recordset($1::json) AS v (seq bigint, name text, version integer, input text, options text,
    description text, metadata text, "queueTimeoutMs" bigint, "deadlineMs" bigint, "expiresAt" bigint, band smallint,
    rest integer, percent double precision)
  WHERE t.seq = v.seq`
const TAKEN = `DELETE FROM stateward.call c USING json_to_recordset($1::json) AS v (seq bigint, kept integer)
  WHERE c.task = v.seq AND c.at > v.kept`
const AFTER = `INSERT INTO stateward.call (task, at, call) SELECT task, at, call
  FROM json_to_recordset($1::json) AS v (task bigint, at integer, call text)`

/** What becomes of a task that goes on. */
export interface Step {
  readonly seq: number
  /** How many calls come after it by now. */
  readonly rest: number
  readonly call: StepCall
  readonly percent: number | null
  /** It is the call that came after it. */
  readonly isNext: boolean
}

export async function writeSteps(sql: PgSql, steps: readonly Step[]): Promise<void> {
  if (steps.length === 0) return
  const written = steps.map(
    ({ seq, rest, call: { after = [], priority, bounds, ...call }, percent, isNext }) => {
      const kept = isNext ? Math.max(0, rest - 1) : rest
      const band = priority === undefined ? null : bandOf(priority)
      return {
        row: { ...call, ...bounds, seq, band, rest: kept + after.length, percent },
        seq,
        kept,
        after,
        isNext,
      }
    },
  )
  await sql.rows(STEP, [JSON.stringify(written.map(({ row }) => row))])
  const taken = written.filter(({ isNext }) => isNext)
  if (taken.length > 0) await sql.rows(TAKEN, [JSON.stringify(taken.map(({ seq, kept }) => ({ seq, kept })))])
  await writeAfter(sql, written)
}

/** Calls that come after a task, before `kept` others. */
export interface After {
  readonly seq: number
  readonly kept: number
  readonly after: readonly string[]
}

export async function writeAfter(sql: PgSql, tasks: readonly After[]): Promise<void> {
  const rows = tasks.flatMap(({ seq, kept, after }) =>
    after.map((call, index) => ({ task: seq, at: kept + after.length - index, call })),
  )
  if (rows.length > 0) await sql.rows(AFTER, [JSON.stringify(rows)])
}
