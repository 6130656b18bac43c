/** Stores new tasks and their jobs: two statements for many of them, and some more for each whose id or key is taken. */
import type { EnqueueAnswer } from './operations.ts'
import { cancelChildren } from './postgres-cancel.ts'
import { flushAndJoin } from './postgres-forks.ts'
import { noteNames, type PgWork, Rows } from './postgres-rows.ts'
import { writeAfter } from './postgres-step.ts'
import { bandOf } from './shared-columns.ts'
import { nextLife } from './stored-life.ts'
import type { NewTask } from './task-record.ts'

export interface NewItem {
  readonly task: NewTask
  readonly at: number
  readonly by: string
}

const INSERT = `INSERT INTO stateward.task (id, state, phase, band, run_at, name, version, key, live_key, schedule,
  created_at, created_by, description, metadata, options, input, queue_timeout_ms, deadline_ms, expires_at, rest)
  SELECT id, 'pending', 'new', band, "runAt", name, version, key, key, schedule, at, by, description, metadata, options,
    input, "queueTimeoutMs", "deadlineMs", "expiresAt", rest FROM json_to_recordset($1::json) AS v (id text, band smallint,
    "runAt" bigint, name text, version integer, key text, schedule text, at bigint, by text, description text,
    metadata text, options text, input text, "queueTimeoutMs" bigint, "deadlineMs" bigint, "expiresAt" bigint,
    rest integer)
  ON CONFLICT DO NOTHING RETURNING id, seq`
const LIVE_WITH_KEY = 'SELECT id FROM stateward.task WHERE live_key = $1'
const IS_THERE = 'SELECT 1 FROM stateward.task WHERE id = $1'

const STORED: EnqueueAnswer = { kind: 'stored', replaced: null }

export async function enqueueAll(work: PgWork, items: readonly NewItem[]): Promise<EnqueueAnswer[]> {
  const answers: EnqueueAnswer[] = []
  for (const some of independent(items, await takenKeys(work, items))) {
    const stored = await insert(work, some)
    for (const item of some)
      answers.push(stored.has(item.task.id) ? STORED : await settleConflict(work, item))
  }
  return answers
}

const TAKEN_KEYS = 'SELECT live_key AS key FROM stateward.task WHERE live_key = ANY($1)'

async function takenKeys({ sql }: PgWork, items: readonly NewItem[]): Promise<string[]> {
  const keys = items.flatMap(({ task }) => task.key ?? [])
  if (keys.length === 0) return []
  return (await sql.rows<{ key: string }>(TAKEN_KEYS, [keys])).map(({ key }) => key)
}

/**
 * Runs of items of which none concerns another: what is done about one cannot change what becomes of the next. One whose
 * key is taken ends its run, since it may be stored after all, and then before those that follow.
 */
function independent(items: readonly NewItem[], taken: readonly string[]): NewItem[][] {
  const runs: NewItem[][] = []
  let ids = new Set<string>()
  let keys = new Set<string>()
  /** Also by those of earlier runs. */
  const mayBeTaken = new Set(taken)
  let follows = false
  for (const item of items) {
    const { id, key } = item.task
    if (runs.length === 0 || follows || ids.has(id) || (key !== null && keys.has(key))) {
      for (const earlier of keys) mayBeTaken.add(earlier)
      runs.push([])
      ids = new Set()
      keys = new Set()
    }
    ids.add(id)
    if (key !== null) keys.add(key)
    follows = key !== null && mayBeTaken.has(key)
    runs.at(-1)?.push(item)
  }
  return runs
}

/** @returns the ids that were free, and their keys as well */
async function insert(work: PgWork, items: readonly NewItem[]): Promise<ReadonlySet<string>> {
  const { sql, dispatcher } = work
  const rows = items.map(({ task: { bounds, after = [], ...task }, at, by }) => {
    return { ...task, ...bounds, rest: after.length, band: bandOf(task.priority), at, by }
  })
  const stored = await sql.rows<{ id: string; seq: number | string }>(INSERT, [JSON.stringify(rows)])
  const seqs = new Map(stored.map(({ id, seq }) => [id, Number(seq)]))
  const jobs = rows.flatMap(({ id, band, runAt, name }) => {
    const seq = seqs.get(id)
    return seq === undefined ? [] : [{ seq, band, runAt, name }]
  })
  await writeAfter(
    sql,
    items.flatMap(({ task: { id, after = [] } }) => {
      const seq = seqs.get(id)
      return seq === undefined || after.length === 0 ? [] : [{ seq, kept: 0, after }]
    }),
  )
  await noteNames(
    work,
    jobs.map(({ name }) => name),
  )
  await dispatcher.put(sql, jobs)
  return new Set(seqs.keys())
}

async function settleConflict(work: PgWork, item: NewItem): Promise<EnqueueAnswer> {
  const { task } = item
  if ((await work.sql.rows(IS_THERE, [task.id])).length > 0) {
    return { kind: 'refused', code: 'ERR_RUN_ID_TAKEN' }
  }
  const [live] = await work.sql.rows<{ id: string }>(LIVE_WITH_KEY, [task.key])
  if (live !== undefined && task.onConflict === 'keep') return { kind: 'kept', id: live.id }
  if (live !== undefined && task.onConflict === 'reject') {
    return { kind: 'refused', code: 'ERR_TASK_KEY_TAKEN', id: live.id }
  }
  // Nobody has the key any more, when its holder has ended since.
  const replaced = live !== undefined && (await replace(work, live.id, item)) ? live.id : null
  const stored = await insert(work, [item])
  return stored.has(task.id) ? { kind: 'stored', replaced } : settleConflict(work, item)
}

/** Ends what has the key, or has its holder end it; the key is free then. @returns false when it was already */
async function replace(work: PgWork, id: string, { task, at, by }: NewItem): Promise<boolean> {
  const rows = new Rows(work)
  await rows.load([id])
  const row = rows.get(id)
  if (row === undefined || row.live_key !== task.key) return false
  const next = nextLife(row, { type: 'task.replace' })
  if (next !== undefined) {
    rows.ask(row, { at, by, reason: task.id, replaced: true })
    rows.write(row, next, { at, reason: 'replaced', error: null })
    rows.log(id, at, by, 'replaced', task.id)
    if (row.state === 'forked') await cancelChildren(work, rows, id, { at, by, reason: 'replaced' })
  }
  rows.giveUpKey(row)
  await flushAndJoin(work, rows)
  return true
}
