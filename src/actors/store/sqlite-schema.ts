/**
 * The tables of a SQLite store, and how they came to be. Their names begin with `stateward_` and the version is a row
 * of ours, so that the file may be the user's own database: only then can an enqueue be part of his transaction.
 */

import { partsOf } from './schema-parts.ts'
import type { Sql, SqliteConnection } from './sqlite-driver.ts'
import { StoreError } from './store-error.ts'

/**
 * Triggers tell a schedule that its run is over, however it ended: whoever ends or removes a task need not know.
 *
 * The row bears what happens all the time (who made it and when, who started it, when it ended), so that each of
 * these acts writes one row; other acts go into the log. `live_key` is the key while it is live. `seq` is the order
 * of storing, and breaks ties of `run_at`.
 */
const VERSION_1 = `
CREATE TABLE stateward_task (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  phase TEXT,
  band INTEGER NOT NULL,
  run_at INTEGER NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,
  lost INTEGER NOT NULL DEFAULT 0,
  step INTEGER NOT NULL DEFAULT 0,
  fence INTEGER NOT NULL DEFAULT 0,
  holder TEXT,
  lease_until INTEGER,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  key TEXT,
  live_key TEXT,
  schedule TEXT,
  asked TEXT,
  asked_at INTEGER,
  asked_by TEXT,
  asked_reason TEXT,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  percent REAL,
  note TEXT,
  reason TEXT,
  description TEXT,
  metadata TEXT,
  options TEXT,
  input TEXT,
  result TEXT,
  error TEXT
) STRICT;
CREATE UNIQUE INDEX stateward_task_id ON stateward_task (id);
CREATE UNIQUE INDEX stateward_task_live_key ON stateward_task (live_key) WHERE live_key IS NOT NULL;
CREATE INDEX stateward_task_key ON stateward_task (key) WHERE key IS NOT NULL;
CREATE INDEX stateward_task_name ON stateward_task (name, seq);
CREATE INDEX stateward_task_schedule ON stateward_task (schedule, seq) WHERE schedule IS NOT NULL;
CREATE INDEX stateward_task_ready ON stateward_task (band, run_at, seq) WHERE state = 'pending';
CREATE INDEX stateward_task_ready_name ON stateward_task (name, band, run_at, seq) WHERE state = 'pending';
CREATE INDEX stateward_task_leased ON stateward_task (lease_until) WHERE state = 'running';
CREATE INDEX stateward_task_asked ON stateward_task (holder) WHERE state = 'running' AND asked IS NOT NULL;
CREATE INDEX stateward_task_ended ON stateward_task (state, ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE stateward_log (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  at INTEGER NOT NULL,
  by TEXT NOT NULL,
  act TEXT NOT NULL,
  detail TEXT
) STRICT;
CREATE INDEX stateward_log_id ON stateward_log (id, seq);

CREATE TABLE stateward_schedule (
  name TEXT PRIMARY KEY,
  rule TEXT NOT NULL,
  call TEXT NOT NULL,
  next_at INTEGER,
  owed TEXT,
  look_at INTEGER,
  run_id TEXT,
  ended_at INTEGER,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX stateward_schedule_look ON stateward_schedule (look_at) WHERE look_at IS NOT NULL;
CREATE TRIGGER stateward_schedule_ended AFTER UPDATE OF ended_at ON stateward_task
  WHEN NEW.schedule IS NOT NULL AND NEW.ended_at IS NOT NULL
  BEGIN
    UPDATE stateward_schedule SET run_id = NULL, ended_at = NEW.ended_at,
      look_at = CASE WHEN next_at IS NULL OR owed IS NOT NULL THEN NEW.ended_at ELSE look_at END
      WHERE name = NEW.schedule AND run_id = NEW.id;
  END;
CREATE TRIGGER stateward_schedule_removed AFTER DELETE ON stateward_task
  WHEN OLD.schedule IS NOT NULL AND OLD.ended_at IS NULL
  BEGIN
    UPDATE stateward_schedule SET run_id = NULL,
      look_at = CASE WHEN next_at IS NULL OR owed IS NOT NULL THEN 0 ELSE look_at END
      WHERE name = OLD.schedule AND run_id = OLD.id;
  END;

CREATE TABLE stateward_daemon (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  beat_at INTEGER NOT NULL,
  state TEXT NOT NULL,
  counts TEXT,
  message TEXT
) STRICT, WITHOUT ROWID;
`

/**
 * Children of tasks. A trigger makes the parent due with its next step when none of them is live any more, however the last one
 * ended; only a removed one is looked after by who removes it, since a deletion has no instant. `fork_from` and `fork_to`
 * are its percent before and after its children.
 */
const VERSION_2 = `
ALTER TABLE stateward_task ADD COLUMN parent TEXT;
ALTER TABLE stateward_task ADD COLUMN parent_step INTEGER;
ALTER TABLE stateward_task ADD COLUMN fork_from REAL;
ALTER TABLE stateward_task ADD COLUMN fork_to REAL;
CREATE INDEX stateward_task_child ON stateward_task (parent, parent_step) WHERE parent IS NOT NULL;
CREATE INDEX stateward_task_live_child ON stateward_task (parent) WHERE parent IS NOT NULL AND ended_at IS NULL;
CREATE INDEX stateward_task_forked ON stateward_task (seq) WHERE state = 'forked';
CREATE TRIGGER stateward_task_joined AFTER UPDATE OF ended_at ON stateward_task
  WHEN NEW.parent IS NOT NULL AND NEW.ended_at IS NOT NULL
  BEGIN
    UPDATE stateward_task SET state = 'pending', phase = 'step', run_at = NEW.ended_at, percent = fork_to
      WHERE id = NEW.parent AND state = 'forked'
      AND NOT EXISTS (SELECT 1 FROM stateward_task WHERE parent = NEW.parent AND ended_at IS NULL);
  END;
`

/**
 * Until when a task may wait: what bounds it, and when that is over by now. What was stored before has no bounds here, and is
 * seen to be too late when it is claimed. `ended_by`: who ended it without having held it.
 */
const VERSION_3 = `
ALTER TABLE stateward_task ADD COLUMN queue_timeout_ms INTEGER;
ALTER TABLE stateward_task ADD COLUMN deadline_ms INTEGER;
ALTER TABLE stateward_task ADD COLUMN expires_at INTEGER;
ALTER TABLE stateward_task ADD COLUMN ended_by TEXT;
ALTER TABLE stateward_task ADD COLUMN overdue_at INTEGER GENERATED ALWAYS AS (nullif(min(8640000000000000,
  ifnull(created_at + deadline_ms, 8640000000000000), ifnull(run_at + queue_timeout_ms, 8640000000000000),
  CASE WHEN attempt = 0 AND step = 0 THEN ifnull(expires_at, 8640000000000000) ELSE 8640000000000000 END),
  8640000000000000)) VIRTUAL;
CREATE INDEX stateward_task_overdue ON stateward_task (overdue_at) WHERE state = 'pending' AND overdue_at IS NOT NULL;
`

/**
 * Calls that come after a step, one row each, the next one with the highest `at`, which is the task's `rest`: so a step takes one
 * away and never writes the others. They go with their task.
 */
const VERSION_4 = `
ALTER TABLE stateward_task ADD COLUMN rest INTEGER NOT NULL DEFAULT 0;
CREATE TABLE stateward_call (
  task INTEGER NOT NULL,
  at INTEGER NOT NULL,
  call TEXT NOT NULL,
  PRIMARY KEY (task, at)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER stateward_call_removed AFTER DELETE ON stateward_task WHEN OLD.rest > 0
  BEGIN
    DELETE FROM stateward_call WHERE task = OLD.seq;
  END;
`

/** From each version to the next one. Never changed once released. */
const MIGRATIONS: readonly string[] = [VERSION_1, VERSION_2, VERSION_3, VERSION_4]

export const SCHEMA_VERSION: number = MIGRATIONS.length

/** What is not there of what the migrations make, as a person would name it: `table stateward_log`. */
export function missingParts(sql: Sql): string[] {
  const there = sql.statement('SELECT name FROM sqlite_schema').all() as { name: string }[]
  const names = new Set(there.map(({ name }) => name))
  return partsOf(MIGRATIONS)
    .filter(({ name }) => !names.has(name))
    .map(({ kind, name }) => `${kind} ${name}`)
}

/** 0 for a database without our tables. */
export function schemaVersion(sql: Sql): number {
  const table = sql
    .statement("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'stateward_schema'")
    .get()
  if (table === undefined) return 0
  const row = sql.statement('SELECT version FROM stateward_schema').get() as { version: number } | undefined
  return row?.version ?? 0
}

/** Holds the version against this code. @throws StoreError */
export function checkVersion(version: number, file: string): void {
  if (version > SCHEMA_VERSION) {
    throw new StoreError(
      'ERR_STORE_SCHEMA_NEWER',
      `${file} has schema version ${version}, this version of stateward knows ${SCHEMA_VERSION}. Update stateward.`,
    )
  }
  if (version < SCHEMA_VERSION) {
    throw new StoreError(
      'ERR_STORE_SCHEMA_OLDER',
      `${file} has schema version ${version}, this version of stateward needs ${SCHEMA_VERSION}. Stop its other users and migrate it.`,
    )
  }
}

/** In one transaction, so that of several processes one does it and the others find it done. */
export function migrateSchema(connection: SqliteConnection): Promise<{ from: number; to: number }> {
  return connection.transaction((sql) => {
    const from = schemaVersion(sql)
    if (from > SCHEMA_VERSION) checkVersion(from, connection.file)
    if (from === SCHEMA_VERSION) return { from, to: from }
    if (from === 0)
      sql.exec(
        'CREATE TABLE stateward_schema (version INTEGER NOT NULL) STRICT; INSERT INTO stateward_schema VALUES (0)',
      )
    for (const migration of MIGRATIONS.slice(from)) sql.exec(migration)
    sql.statement('UPDATE stateward_schema SET version = ?').run(SCHEMA_VERSION)
    return { from, to: SCHEMA_VERSION }
  })
}
