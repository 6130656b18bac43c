/**
 * Pages of tasks, in the order of storing. A filter by state is answered from the index of that state when it is a
 * small one, and by reading in order otherwise: then enough of them are met soon.
 */
import type { TaskState } from '../../machines/model.ts'
import type { Page, PageRequest, TaskFilter } from './records.ts'
import type { Sql, SqlValue } from './sqlite-driver.ts'
import { withPercent } from './sqlite-forks.ts'
import { toRecord } from './sqlite-rows.ts'
import type { TaskRecord } from './task-record.ts'

/** So many rows are sorted rather than met. */
const SMALL = 2_000

interface Part {
  /** Uses no index of its own accord: `+state`. */
  readonly condition: string
  /** Its rows by an index. */
  readonly source: string
  readonly values: readonly SqlValue[]
}

const READY = "FROM stateward_task INDEXED BY stateward_task_ready WHERE state = 'pending'"
const later = (phases: string, now: number): Part => ({
  condition: `(+state = 'pending' AND run_at > ? AND phase ${phases})`,
  source: `${READY} AND run_at > ? AND phase ${phases}`,
  values: [now],
})

const live = (state: string, index: string): Part => ({
  condition: `+state = '${state}'`,
  source: `FROM stateward_task INDEXED BY stateward_task_${index} WHERE state = '${state}'`,
  values: [],
})

function partsOf(state: TaskState, now: number): readonly Part[] {
  switch (state) {
    case 'created':
      return []
    case 'queued':
      return [
        {
          condition: "(+state = 'pending' AND run_at <= ?)",
          source: `${READY} AND run_at <= ?`,
          values: [now],
        },
      ]
    case 'scheduled':
      return [later("NOT IN ('retry', 'snooze')", now)]
    case 'retrying':
      return [later("= 'retry'", now)]
    case 'snoozed':
      return [later("= 'snooze'", now)]
    case 'running':
      return [live('running', 'leased'), live('forked', 'forked')]
    default:
      return [
        {
          condition: '+state = ?',
          source:
            'FROM stateward_task INDEXED BY stateward_task_ended WHERE ended_at IS NOT NULL AND state = ?',
          values: [state],
        },
      ]
  }
}

interface Where {
  readonly text: string
  readonly values: readonly SqlValue[]
}

export function list(sql: Sql, filter: TaskFilter, page: PageRequest, now: number): Page<TaskRecord> {
  const conditions = [...plainConditions(filter), ...metadataConditions(filter)]
  if (filter.states !== undefined) conditions.push(stateCondition(sql, filter.states, now))
  const [beyond, order] = page.order === 'newest' ? ['<', 'DESC'] : ['>', 'ASC']
  if (page.after !== undefined) conditions.push({ text: `seq ${beyond} ?`, values: [Number(page.after)] })
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(({ text }) => text).join(' AND ')}`
  const text = `SELECT * FROM stateward_task ${where} ORDER BY seq ${order} LIMIT ?`
  // One more than asked for says whether another page follows.
  const rows = sql.statement(text).all(...conditions.flatMap(({ values }) => values), page.limit + 1)
  const found = rows.map((row) => withPercent(sql, toRecord(row)))
  const items = found.slice(0, page.limit)
  const last = found.length > page.limit ? items.at(-1) : undefined
  return { items, next: last === undefined ? null : String(last.seq) }
}

function stateCondition(sql: Sql, states: readonly TaskState[], now: number): Where {
  const parts = [...new Set(states)].flatMap((state) => partsOf(state, now))
  if (parts.length === 0) return { text: '0', values: [] }
  const values = parts.flatMap((part) => part.values)
  const union = parts.map(({ source }) => `SELECT seq ${source}`).join(' UNION ALL ')
  const probe = `SELECT count(*) AS count FROM (${union} LIMIT ${SMALL})`
  const { count } = sql.statement(probe).get(...values) as { count: number }
  if (count < SMALL) return { text: `seq IN (${union})`, values }
  return { text: `(${parts.map(({ condition }) => condition).join(' OR ')})`, values }
}

function plainConditions(filter: TaskFilter): Where[] {
  const { names, key, schedule, parent, createdFrom, createdBefore, endedFrom, endedBefore } = filter
  const conditions: Where[] = []
  const add = (text: string, value: SqlValue | undefined): void => {
    if (value !== undefined) conditions.push({ text, values: [value] })
  }
  if (names?.length === 1) add('name = ?', names[0])
  else if (names !== undefined) add('name IN (SELECT value FROM json_each(?))', JSON.stringify(names))
  add('key = ?', key)
  add('schedule = ?', schedule)
  add('parent = ?', parent)
  add('created_at >= ?', createdFrom)
  add('created_at < ?', createdBefore)
  add('ended_at >= ?', endedFrom)
  add('ended_at < ?', endedBefore)
  return conditions
}

function metadataConditions({ metadata = {} }: TaskFilter): Where[] {
  return Object.entries(metadata).map(([key, value]) => {
    const [type, compared] = typesOf(value)
    const equal = compared === undefined ? '' : ' AND atom = ?'
    const values = compared === undefined ? [key] : [key, compared]
    return {
      text: `EXISTS (SELECT 1 FROM json_each(metadata) WHERE key = ? AND type IN (${type})${equal})`,
      values,
    }
  })
}

/** The names of SQLite's JSON types that the value has, and what is left to compare. */
function typesOf(value: string | number | boolean | null): [string, SqlValue?] {
  if (value === null) return ["'null'"]
  if (typeof value === 'boolean') return [value ? "'true'" : "'false'"]
  return typeof value === 'number' ? ["'integer', 'real'", value] : ["'text'", value]
}
