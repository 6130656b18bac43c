/** What `doctor` is told about a SQLite store. Reads the whole file. */
import { partIsMissing } from './schema-parts.ts'
import type { Sql } from './sqlite-driver.ts'
import { missingParts, schemaVersion } from './sqlite-schema.ts'
import type { StoreCheck } from './store.ts'

/** What must never be found, and what it is. */
const NEVER: Readonly<Record<string, string>> = {
  "state = 'running' AND (lease_until IS NULL OR holder IS NULL)": 'running without a lease',
  "state <> 'running' AND lease_until IS NOT NULL": 'leased, but not running',
  "state NOT IN ('pending', 'running', 'forked') AND (ended_at IS NULL OR live_key IS NOT NULL)":
    'ended, but still live',
  "state IN ('pending', 'running', 'forked') AND ended_at IS NOT NULL": 'live, but with an end',
  "state = 'forked' AND NOT EXISTS (SELECT 1 FROM stateward_task AS child WHERE child.parent = stateward_task.id AND child.ended_at IS NULL)":
    'waiting for children that have all ended',
}

export function inspectStore(sql: Sql, file: { file: string; bytes: number; logBytes: number }): StoreCheck {
  const problems = (sql.statement('PRAGMA integrity_check(20)').all() as { integrity_check: string }[])
    .map((row) => row.integrity_check)
    .filter((said) => said !== 'ok')
    .map((said) => `The file is damaged: ${said}.`)
  const missing = missingParts(sql)
  problems.push(...missing.map(partIsMissing))
  const hasTasks = !missing.includes('table stateward_task')
  for (const [condition, what] of Object.entries(hasTasks ? NEVER : {})) {
    const { count } = sql
      .statement(`SELECT count(*) AS count FROM stateward_task WHERE ${condition}`)
      .get() as {
      count: number
    }
    if (count > 0) problems.push(`${count} ${count === 1 ? 'task is' : 'tasks are'} ${what}.`)
  }
  const one = (text: string): string | number => Object.values(sql.statement(text).get() as object)[0]
  return {
    ok: problems.length === 0,
    problems,
    facts: {
      file: file.file,
      bytes: file.bytes,
      writeAheadLogBytes: file.logBytes,
      sqlite: one('SELECT sqlite_version()'),
      schema: schemaVersion(sql),
      journal: one('PRAGMA journal_mode'),
      synchronous: one('PRAGMA synchronous'),
      ...(hasTasks ? { tasks: one('SELECT count(*) FROM stateward_task') } : {}),
    },
  }
}
