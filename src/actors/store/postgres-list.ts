/** Pages of tasks, in the order of storing. */
import type { TaskState } from '../../machines/model.ts'
import type { PgSql } from './postgres-driver.ts'
import { withPercents } from './postgres-forks.ts'
import { toRecord } from './postgres-rows.ts'
import type { Page, PageRequest, TaskFilter } from './records.ts'
import type { TaskRecord } from './task-record.ts'

/** Conditions with their values, numbered as they come. */
class Where {
  readonly values: unknown[] = []
  readonly #conditions: string[] = []

  value(value: unknown): string {
    this.values.push(value)
    return `$${this.values.length}`
  }

  add(condition: string): void {
    this.#conditions.push(condition)
  }

  get text(): string {
    return this.#conditions.length === 0 ? '' : `WHERE ${this.#conditions.join(' AND ')}`
  }
}

export async function list(
  sql: PgSql,
  filter: TaskFilter,
  page: PageRequest,
  now: number,
): Promise<Page<TaskRecord>> {
  const where = new Where()
  addPlain(where, filter)
  addMetadata(where, filter)
  if (filter.states !== undefined) addStates(where, filter.states, now)
  const [beyond, order] = page.order === 'newest' ? ['<', 'DESC'] : ['>', 'ASC']
  if (page.after !== undefined) where.add(`seq ${beyond} ${where.value(Number(page.after))}::bigint`)
  // One more than asked for says whether another page follows.
  const limit = where.value(page.limit + 1)
  const text = `SELECT * FROM stateward.task ${where.text} ORDER BY seq ${order} LIMIT ${limit}`
  const rows = await sql.rows<{ seq: number }>(text, where.values)
  const items = rows.slice(0, page.limit)
  const last = rows.length > page.limit ? items.at(-1) : undefined
  return {
    items: await withPercents(sql, items.map(toRecord)),
    next: last === undefined ? null : String(last.seq),
  }
}

function addPlain(where: Where, filter: TaskFilter): void {
  const { names, key, schedule, parent, createdFrom, createdBefore, endedFrom, endedBefore } = filter
  const add = (text: string, value: unknown, cast = ''): void => {
    if (value !== undefined) where.add(`${text} ${where.value(value)}${cast}`)
  }
  if (names !== undefined) where.add(`name = ANY(${where.value(names)})`)
  add('key =', key)
  add('schedule =', schedule)
  add('parent =', parent)
  add('created_at >=', createdFrom, '::bigint')
  add('created_at <', createdBefore, '::bigint')
  add('ended_at >=', endedFrom, '::bigint')
  add('ended_at <', endedBefore, '::bigint')
}

function addMetadata(where: Where, { metadata = {} }: TaskFilter): void {
  for (const [key, value] of Object.entries(metadata)) {
    const of = where.value(key)
    where.add(`metadata::jsonb -> ${of}::text = ${where.value(JSON.stringify(value))}::jsonb`)
  }
}

function addStates(where: Where, states: readonly TaskState[], now: number): void {
  const parts = states.flatMap((state) => conditionOf(where, state, now) ?? [])
  where.add(parts.length === 0 ? 'false' : `(${parts.join(' OR ')})`)
}

function conditionOf(where: Where, state: TaskState, now: number): string | undefined {
  const live = "ended_at IS NULL AND state = 'pending' AND run_at"
  const later = (phases: string): string => `(${live} > ${where.value(now)}::bigint AND phase ${phases})`
  switch (state) {
    case 'created':
      return undefined
    case 'queued':
      return `(${live} <= ${where.value(now)}::bigint)`
    case 'scheduled':
      return later("NOT IN ('retry', 'snooze')")
    case 'retrying':
      return later("= 'retry'")
    case 'snoozed':
      return later("= 'snooze'")
    case 'running':
      return "(ended_at IS NULL AND state IN ('running', 'forked'))"
    default:
      return `ended_as = ${where.value(state)}`
  }
}
