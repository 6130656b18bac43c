/** Rows of `stateward.task` as the rest of the store knows them, and the writes that several operations share. */

import type { StoredPhase, StoredState } from '../../machines/stored-task.ts'
import { type Dispatch, type Dispatcher, LOCK_WAITING_JOBS } from './postgres-boss.ts'
import type { PgSql } from './postgres-driver.ts'
import { type Step, writeSteps } from './postgres-step.ts'
import type { LogAct } from './records.ts'
import { bandOf, priorityOf, type RequestColumns, requestOf } from './shared-columns.ts'
import type { LifeRow } from './stored-life.ts'
import type { EndRequest, StepCall, TaskRecord } from './task-record.ts'

/** Entries kept in the log of one task; older ones make room, so that endless trampolines need no endless log. */
const LOG_LIMIT = 100

/** What decides about a row, and what changes with it. */
export interface TaskLife extends LifeRow, RequestColumns {
  readonly seq: number
  readonly id: string
  readonly name: string
  readonly band: number
  readonly state: StoredState
  readonly schedule: string | null
  readonly holder: string | null
  readonly key: string | null
  readonly live_key: string | null
  readonly parent: string | null
  readonly step: number
  readonly startedAt: number | null
  readonly endedAt: number | null
  readonly endedBy: string | null
  readonly reason: string | null
  readonly error: string | null
  readonly rest: number
  readonly revived: boolean
}

export const LIFE_COLUMNS = `seq, id, name, band, schedule, holder, state, phase, run_at AS "runAt", attempt, lost, fence,
  coalesce(lease_until, 0) AS "leaseUntil", key, live_key, parent, step, asked, asked_at, asked_by, asked_reason,
  started_at AS "startedAt", ended_at AS "endedAt", ended_by AS "endedBy", reason, error, rest, false AS revived`

const LIVES = `SELECT ${LIFE_COLUMNS} FROM stateward.task WHERE id = ANY($1) ORDER BY seq FOR UPDATE`

const WRITE = `UPDATE stateward.task t SET state = v.state, phase = v.phase, run_at = v."runAt", attempt = v.attempt,
  lost = v.lost, lease_until = nullif(v."leaseUntil", 0), live_key = v.live_key, ended_at = v."endedAt", ended_by = v."endedBy",
  reason = v.reason, error = v.error, asked = v.asked, asked_at = v.asked_at, asked_by = v.asked_by,
  asked_reason = v.asked_reason,
  request_open = CASE WHEN v.state = 'running' AND v.asked IS NOT NULL THEN true END,
  result = CASE WHEN v.revived THEN NULL ELSE t.result END,
  percent = CASE WHEN v.revived THEN NULL ELSE t.percent END, note = CASE WHEN v.revived THEN NULL ELSE t.note END
  FROM json_to_recordset($1::json) AS v (seq bigint, state text, phase text, "runAt" bigint, attempt integer,
    lost integer, "leaseUntil" bigint, live_key text, "endedAt" bigint, "endedBy" text, reason text, error text, asked text,
    asked_at bigint, asked_by text, asked_reason text, revived boolean)
  WHERE t.seq = v.seq`

const LOG = `INSERT INTO stateward.log (id, at, by, act, detail) SELECT id, at, by, act, detail
  FROM json_to_recordset($1::json) AS v (id text, at bigint, by text, act text, detail text)`
const TRIM = `DELETE FROM stateward.log l WHERE id = ANY($1) AND seq <=
  (SELECT seq FROM stateward.log o WHERE o.id = l.id ORDER BY seq DESC LIMIT 1 OFFSET ${LOG_LIMIT})`

/** One that has ended. */
export interface Child {
  readonly parent: string
  readonly endedAt: number
}

interface LogRow {
  readonly id: string
  readonly at: number
  readonly by: string
  readonly act: LogAct
  readonly detail: string | null
}

/** Why and when a row leaves the state it is in. */
export interface Facts {
  readonly at: number
  readonly reason: string | null
  readonly error: string | null
  /** Who ended it where its holder did not, and nobody had asked for that. */
  readonly endedBy?: string | null
}

/** What operations run on: a transaction, and who hands out jobs in it. */
export interface PgWork {
  readonly sql: PgSql
  readonly dispatcher: Dispatcher
  /** Names of definitions that are known to be stored. */
  readonly names: KnownNames
  /** What the transaction holds for the time of `dispatcher`, epoch ms. */
  readonly clock: { at: number | undefined }
}

export interface KnownNames {
  has(name: string): boolean
  /** Once the transaction is through. */
  note(name: string): void
}

/**
 * Rows that one operation has locked, as they are by now; written together by `flush`, with their jobs and their log.
 */
export class Rows {
  readonly #work: PgWork
  readonly #rows = new Map<string, TaskLife>()
  readonly #changed = new Set<string>()
  readonly #steps: Step[] = []
  readonly #log: LogRow[] = []
  readonly #put = new Map<number, Dispatch>()
  readonly #drop = new Set<number>()

  constructor(work: PgWork) {
    this.#work = work
  }

  async load(ids: readonly string[]): Promise<void> {
    const missing = [...new Set(ids)].filter((id) => !this.#rows.has(id))
    if (missing.length === 0) return
    // Jobs before rows, as a claim does: it leaves out what is locked here, and neither waits for the other.
    await this.#work.sql.rows(LOCK_WAITING_JOBS, [missing])
    for (const row of await this.#work.sql.rows<TaskLife>(LIVES, [missing])) this.add(row)
  }

  /** A row that is locked already. */
  add(row: TaskLife): void {
    this.#rows.set(row.id, toLife(row))
  }

  get(id: string): TaskLife | undefined {
    return this.#rows.get(id)
  }

  /** Notes what the machine has decided. */
  write({ id }: TaskLife, life: LifeRow, { at, reason, error, endedBy = null }: Facts): TaskLife {
    const row = this.#rows.get(id) as TaskLife
    const state = life.state as StoredState
    const ended = isLive(state) ? {} : { endedAt: at, endedBy, live_key: null, reason }
    const next = { ...row, ...life, state, ...ended, error: error ?? row.error }
    this.#set(next)
    this.#drop.add(row.seq)
    this.#put.delete(row.seq)
    if (state === 'pending') this.#put.set(row.seq, next)
    else if (state === 'running') this.#drop.delete(row.seq)
    return next
  }

  /** Notes that somebody wants it ended. Who asked first stays noted. */
  ask({ id }: TaskLife, { at, by, reason, replaced }: EndRequest): void {
    const row = this.#rows.get(id) as TaskLife
    if (row.asked !== null) return
    const asked = replaced ? 'replace' : 'cancel'
    this.#set({ ...row, asked, asked_at: at, asked_by: by, asked_reason: reason })
  }

  giveUpKey({ id }: TaskLife): void {
    this.#set({ ...(this.#rows.get(id) as TaskLife), live_key: null })
  }

  /** It forgets how it ended. */
  revive({ id }: TaskLife): void {
    const row = this.#rows.get(id) as TaskLife
    const forgotten = { asked: null, asked_at: null, asked_by: null, asked_reason: null }
    this.#set({
      ...row,
      ...forgotten,
      live_key: row.key,
      endedAt: null,
      endedBy: null,
      reason: null,
      revived: true,
    })
  }

  /** @param isNext - it is the call that stood after it */
  step({ id }: TaskLife, call: StepCall, percent: number | null, isNext = false): void {
    const row = this.#rows.get(id) as TaskLife
    const { name, priority } = call
    const next = { ...row, name, band: priority === undefined ? row.band : bandOf(priority), error: null }
    this.#set(next)
    this.#steps.push({ seq: row.seq, rest: row.rest, call, percent, isNext })
    if (row.state === 'pending') this.#put.set(row.seq, next)
  }

  log(id: string, at: number, by: string, act: LogAct, detail: string | null): void {
    this.#log.push({ id, at, by, act, detail })
  }

  /** The end of an attempt that is not the end of its task: its start leaves the row with the next one. */
  logAttemptEnd(row: TaskLife, at: number, by: string, act: LogAct, detail: string | null): void {
    const { id, startedAt, holder } = row
    this.log(id, startedAt as number, holder as string, 'started', null)
    this.log(id, at, by, act, detail)
  }

  /** Those that end with the next `flush` and are children, with the instant of their end. */
  get endingChildren(): Child[] {
    return [...this.#changed].flatMap((id) => {
      const { parent, endedAt } = this.#rows.get(id) as TaskLife
      return parent === null || endedAt === null ? [] : [{ parent, endedAt }]
    })
  }

  async flush(): Promise<void> {
    const { sql, dispatcher } = this.#work
    const changed = [...this.#changed].map((id) => this.#rows.get(id) as TaskLife)
    if (changed.length > 0) await sql.rows(WRITE, [JSON.stringify(changed)])
    await writeSteps(sql, this.#steps)
    await dispatcher.drop(sql, [...this.#drop])
    const put = [...this.#put.values()]
    await noteNames(
      this.#work,
      put.map(({ name }) => name),
    )
    await dispatcher.put(sql, put)
    if (this.#log.length > 0) {
      await sql.rows(LOG, [JSON.stringify(this.#log)])
      await sql.rows(TRIM, [[...new Set(this.#log.map(({ id }) => id))]])
    }
    for (const row of changed) this.#rows.set(row.id, { ...row, revived: false })
    for (const list of [this.#changed, this.#put, this.#drop]) list.clear()
    this.#steps.length = 0
    this.#log.length = 0
  }

  #set(row: TaskLife): void {
    this.#rows.set(row.id, row)
    this.#changed.add(row.id)
  }
}

function isLive(state: StoredState): boolean {
  return state === 'pending' || state === 'running' || state === 'forked'
}

/** The caller's own connection gives int8 as text. */
function toLife(row: TaskLife): TaskLife {
  const { seq, runAt, leaseUntil, startedAt, endedAt } = row
  return {
    ...row,
    seq: Number(seq),
    runAt: Number(runAt),
    leaseUntil: Number(leaseUntil),
    startedAt: startedAt === null ? null : Number(startedAt),
    endedAt: endedAt === null ? null : Number(endedAt),
  }
}

const NAMES = `INSERT INTO stateward.name SELECT unnest($1::text[]) ON CONFLICT DO NOTHING`

/** Names of definitions are few; a claim asks which of them are strange to it. */
export async function noteNames({ sql, names }: PgWork, given: readonly string[]): Promise<void> {
  const fresh = [...new Set(given)].filter((name) => !names.has(name)).sort()
  if (fresh.length === 0) return
  await sql.rows(NAMES, [fresh])
  for (const name of fresh) names.note(name)
}

interface TaskRow extends RequestColumns {
  readonly seq: number
  readonly band: number
  readonly run_at: number
  readonly lease_until: number | null
  readonly created_at: number
  readonly created_by: string
  readonly started_at: number | null
  readonly ended_at: number | null
  readonly ended_by: string | null
  readonly phase: StoredPhase | null
}

/** @param found - all columns of a row */
export function toRecord(found: object): TaskRecord {
  const {
    seq: _seq,
    band,
    run_at: runAt,
    lease_until: leaseUntil,
    created_at: createdAt,
    created_by: createdBy,
    started_at: startedAt,
    ended_at: endedAt,
    ended_by: endedBy,
    asked,
    asked_at,
    asked_by,
    asked_reason,
    live_key: _liveKey,
    request_open: _open,
    ended_as: _endedAs,
    parent_step: _parentStep,
    fork_from: _from,
    fork_to: _to,
    queue_timeout_ms: _queueTimeoutMs,
    deadline_ms: _deadlineMs,
    expires_at: _expiresAt,
    overdue_at: _overdueAt,
    rest: _rest,
    ...others
  } = found as TaskRow & Record<string, unknown>
  return {
    ...(others as unknown as TaskRecord),
    priority: priorityOf(band),
    runAt,
    leaseUntil,
    request: requestOf({ asked, asked_at, asked_by, asked_reason }),
    createdAt,
    createdBy,
    startedAt,
    endedAt,
    endedBy,
  }
}
