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

/** Less than this on its disk is a problem: the log of many writers, and a checkpoint, want some. */
const LEAST_FREE_BYTES = 16 << 20

/** What is known without opening it. */
export interface InspectedFile {
  readonly file: string
  readonly bytes: number
  readonly logBytes: number
  /** Of its disk. */
  readonly freeBytes: number
}

export function inspectStore(sql: Sql, file: InspectedFile): StoreCheck {
  const problems = (sql.statement('PRAGMA integrity_check(20)').all() as { integrity_check: string }[])
    .map((row) => row.integrity_check)
    .filter((said) => said !== 'ok')
    .map((said) => `The file is damaged: ${said}.`)
  if (file.freeBytes < LEAST_FREE_BYTES) problems.push(almostFull(file))
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
      freeBytes: file.freeBytes,
      sqlite: one('SELECT sqlite_version()'),
      schema: schemaVersion(sql),
      journal: one('PRAGMA journal_mode'),
      synchronous: one('PRAGMA synchronous'),
      ...(hasTasks ? { tasks: one('SELECT count(*) FROM stateward_task') } : {}),
    },
  }
}

function almostFull({ file, freeBytes }: InspectedFile): string {
  // Never more than there is.
  const left = Math.floor((freeBytes / 2 ** 20) * 10) / 10
  return `The disk of ${file} is almost full: ${left} MiB are left. A task that does not fit is refused.`
}
