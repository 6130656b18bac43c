/** Stores new tasks. One statement each, unless its id or its key is taken. */
import { NO_BOUNDS } from '../../machines/overdue.ts'
import type { AnswerTable, EnqueueAnswer, EnqueueOperation } from './operations.ts'
import { bandOf } from './shared-columns.ts'
import { cancelChildren } from './sqlite-cancel.ts'
import type { Sql } from './sqlite-driver.ts'
import { LIFE_COLUMNS, lifeOf, type TaskLife, writeLife, writeLog, writeRequest } from './sqlite-rows.ts'
import { writeAfter } from './sqlite-step.ts'
import { nextLife } from './stored-life.ts'
import type { NewTask } from './task-record.ts'

const INSERT = `INSERT INTO stateward_task (id, state, phase, band, run_at, name, version, key, live_key, schedule,
  created_at, created_by, description, metadata, options, input, queue_timeout_ms, deadline_ms, expires_at, rest)
  VALUES (?, 'pending', 'new', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
const LIVE_WITH_KEY = `SELECT ${LIFE_COLUMNS} FROM stateward_task WHERE live_key = ?`
const GIVE_UP_KEY = 'UPDATE stateward_task SET live_key = NULL WHERE seq = ?'

const STORED: EnqueueAnswer = { kind: 'stored', replaced: null }

export function enqueue(sql: Sql, operation: EnqueueOperation): AnswerTable['enqueue'] {
  return { items: operation.tasks.map((task) => enqueueOne(sql, task, operation)) }
}

export function enqueueOne(sql: Sql, task: NewTask, act: { at: number; by: string }): EnqueueAnswer {
  if (insert(sql, task, act)) return STORED
  if (lifeOf(sql, task.id) !== undefined) return { kind: 'refused', code: 'ERR_RUN_ID_TAKEN' }
  const live = sql.statement(LIVE_WITH_KEY).get(task.key) as TaskLife
  if (task.onConflict === 'keep') return { kind: 'kept', id: live.id }
  if (task.onConflict === 'reject') return { kind: 'refused', code: 'ERR_TASK_KEY_TAKEN', id: live.id }
  replace(sql, live, task.id, act)
  insert(sql, task, act)
  return { kind: 'stored', replaced: live.id }
}

function insert(sql: Sql, task: NewTask, { at, by }: { at: number; by: string }): boolean {
  const { id, priority, runAt, name, version, key, schedule, description, metadata, options, input } = task
  const { after = [], bounds = NO_BOUNDS } = task
  const { queueTimeoutMs, deadlineMs, expiresAt } = bounds
  const { changes, lastInsertRowid } = sql
    .statement(INSERT)
    .run(
      id,
      bandOf(priority),
      runAt,
      name,
      version,
      key,
      key,
      schedule,
      at,
      by,
      description,
      metadata,
      options,
      input,
      queueTimeoutMs,
      deadlineMs,
      expiresAt,
      after.length,
    )
  if (changes === 1) writeAfter(sql, Number(lastInsertRowid), 0, after)
  return changes === 1
}

/** Ends what has the key, or has its holder end it; the key is free then. */
function replace(sql: Sql, live: TaskLife, successor: string, { at, by }: { at: number; by: string }): void {
  const next = nextLife(live, { type: 'task.replace' })
  if (next !== undefined) {
    writeRequest(sql, live.seq, { at, by, reason: successor, replaced: true })
    writeLife(sql, live.seq, next, { at, reason: 'replaced', error: null })
    writeLog(sql, live.id, at, by, 'replaced', successor)
    if (live.state === 'forked') cancelChildren(sql, live.id, { at, by, reason: 'replaced' })
  }
  sql.statement(GIVE_UP_KEY).run(live.seq)
}
