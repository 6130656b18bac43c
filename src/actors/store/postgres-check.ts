/** What `doctor` is told about a PostgreSQL store. Reads all of its rows. */
import { JOB_STATES_OF_TASKS } from './postgres-boss.ts'
import type { PgSql } from './postgres-driver.ts'
import { missingParts, schemaVersion } from './postgres-schema.ts'
import { partIsMissing } from './schema-parts.ts'
import type { StoreCheck } from './store.ts'

const NOT_HANDED_OUT = "state = 'pending' AND job IS DISTINCT FROM 'waiting'"

/** What must never be found, and what it is. */
const NEVER: Readonly<Record<string, string>> = {
  "state = 'running' AND (lease_until IS NULL OR holder IS NULL)": 'running without a lease',
  "state <> 'running' AND lease_until IS NOT NULL": 'leased, but not running',
  "state NOT IN ('pending', 'running', 'forked') AND (ended_at IS NULL OR live_key IS NOT NULL)":
    'ended, but still live',
  "state IN ('pending', 'running', 'forked') AND ended_at IS NOT NULL": 'live, but with an end',
  "state = 'forked' AND NOT EXISTS (SELECT 1 FROM stateward.task child WHERE child.parent = task.id AND child.ended_at IS NULL)":
    'waiting for children that have all ended',
  [NOT_HANDED_OUT]: 'waiting, but not handed out by pg-boss',
  "state = 'running' AND job IS DISTINCT FROM 'active'": 'running, but not known as such to pg-boss',
  "state NOT IN ('pending', 'running') AND job IS NOT NULL": 'ended, but still handed out by pg-boss',
}

/** How to mend what can be mended. */
const REPAIRS: Readonly<Record<string, (id: string) => string>> = {
  [NOT_HANDED_OUT]: (id) => ` (mended by: stateward move ${id} --in 0s)`,
}

const FACTS = `SELECT current_setting('server_version') AS postgres, current_database() AS database,
  pg_database_size(current_database()) AS bytes, (SELECT count(*) FROM stateward.task) AS tasks`

export async function inspectStore(sql: PgSql, place: string): Promise<StoreCheck> {
  const missing = await missingParts(sql)
  if (missing.includes('table stateward.task'))
    return { ok: false, problems: missing.map(partIsMissing), facts: { place } }
  const conditions = Object.keys(NEVER)
  const counts = conditions.map(
    (condition, index) =>
      `count(*) FILTER (WHERE ${condition}) AS c${index}, min(id) FILTER (WHERE ${condition}) AS id${index}`,
  )
  const [found = {}] = await sql.rows<Record<string, number | string>>(
    `SELECT ${counts.join(', ')} FROM stateward.task LEFT JOIN (${JOB_STATES_OF_TASKS}) jobs USING (seq)`,
  )
  const broken = Object.entries(NEVER).flatMap(([condition, what], index) => {
    const count = Number(found[`c${index}`])
    const repair = REPAIRS[condition]?.(String(found[`id${index}`])) ?? ''
    return count === 0 ? [] : [`${count} ${count === 1 ? 'task is' : 'tasks are'} ${what}${repair}.`]
  })
  const problems = [...missing.map(partIsMissing), ...broken]
  const [facts = {}] = await sql.rows<Record<string, string | number>>(FACTS)
  return {
    ok: problems.length === 0,
    problems,
    facts: { place, schema: await schemaVersion(sql), ...facts },
  }
}
