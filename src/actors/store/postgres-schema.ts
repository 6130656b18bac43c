/**
 * The tables of a PostgreSQL store, and how they came to be: our own in the schema `stateward`, those of pg-boss in
 * `stateward_boss`, in one database, so that one transaction changes both.
 */
import { BOSS_SCHEMA, SEQ_OF_JOB, setUpBoss } from './postgres-boss.ts'
import type { PgDriver, PgSql } from './postgres-driver.ts'
import { partsOf } from './schema-parts.ts'
import { StoreError } from './store-error.ts'

/**
 * As in SQLite, with what PostgreSQL asks for. A row may be claimed without touching an index (`fillfactor` leaves room
 * for its next version on the same page), so no index knows states: who waits and who runs is found through pg-boss.
 * `ended_as` is the state of one that has ended, and null before: an index on `state` would know of every claim.
 * `request_open` is true or null, and only while a holder has to end the task.
 */
const VERSION_1 = `
CREATE TABLE stateward.task (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text NOT NULL,
  state text NOT NULL,
  phase text,
  band smallint NOT NULL,
  run_at bigint NOT NULL,
  attempt integer NOT NULL DEFAULT 0,
  lost integer NOT NULL DEFAULT 0,
  step integer NOT NULL DEFAULT 0,
  fence integer NOT NULL DEFAULT 0,
  holder text,
  lease_until bigint,
  name text NOT NULL,
  version integer NOT NULL,
  key text,
  live_key text,
  schedule text,
  parent text,
  parent_step integer,
  fork_from double precision,
  fork_to double precision,
  request_open boolean,
  asked text,
  asked_at bigint,
  asked_by text,
  asked_reason text,
  created_at bigint NOT NULL,
  created_by text NOT NULL,
  started_at bigint,
  ended_at bigint,
  percent double precision,
  note text,
  reason text,
  description text,
  metadata text,
  options text,
  input text,
  result text,
  error text,
  ended_as text GENERATED ALWAYS AS (CASE WHEN ended_at IS NOT NULL THEN state END) STORED
) WITH (fillfactor = 45);
CREATE UNIQUE INDEX task_id ON stateward.task (id);
CREATE UNIQUE INDEX task_live_key ON stateward.task (live_key) WHERE live_key IS NOT NULL;
CREATE INDEX task_key ON stateward.task (key) WHERE key IS NOT NULL;
CREATE INDEX task_schedule ON stateward.task (schedule, seq) WHERE schedule IS NOT NULL;
CREATE INDEX task_child ON stateward.task (parent, parent_step) WHERE parent IS NOT NULL;
CREATE INDEX task_live_child ON stateward.task (parent, seq) WHERE parent IS NOT NULL AND ended_at IS NULL;
CREATE INDEX task_live ON stateward.task (run_at, seq) WHERE ended_at IS NULL;
CREATE INDEX task_asked ON stateward.task (seq) WHERE request_open;
CREATE INDEX task_ended ON stateward.task (ended_as, ended_at, seq) WHERE ended_as IS NOT NULL;

CREATE TABLE stateward.name (name text PRIMARY KEY);

CREATE TABLE stateward.log (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text NOT NULL,
  at bigint NOT NULL,
  by text NOT NULL,
  act text NOT NULL,
  detail text
);
CREATE INDEX log_id ON stateward.log (id, seq);

CREATE TABLE stateward.schedule (
  name text PRIMARY KEY,
  rule text NOT NULL,
  call text NOT NULL,
  next_at bigint,
  owed text,
  look_at bigint,
  run_id text,
  ended_at bigint,
  created_at bigint NOT NULL,
  created_by text NOT NULL
);
CREATE INDEX schedule_look ON stateward.schedule (look_at) WHERE look_at IS NOT NULL;
CREATE FUNCTION stateward.schedule_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE stateward.schedule SET run_id = NULL, ended_at = NEW.ended_at,
    look_at = CASE WHEN next_at IS NULL OR owed IS NOT NULL THEN NEW.ended_at ELSE look_at END
    WHERE name = NEW.schedule AND run_id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER schedule_ended AFTER UPDATE OF ended_at ON stateward.task FOR EACH ROW
  WHEN (NEW.schedule IS NOT NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION stateward.schedule_ended();
CREATE FUNCTION stateward.schedule_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE stateward.schedule SET run_id = NULL,
    look_at = CASE WHEN next_at IS NULL OR owed IS NOT NULL THEN 0 ELSE look_at END
    WHERE name = OLD.schedule AND run_id = OLD.id;
  RETURN NULL;
END $$;
CREATE TRIGGER schedule_removed AFTER DELETE ON stateward.task FOR EACH ROW
  WHEN (OLD.schedule IS NOT NULL AND OLD.ended_at IS NULL) EXECUTE FUNCTION stateward.schedule_removed();

CREATE TABLE stateward.daemon (
  id text PRIMARY KEY,
  name text NOT NULL,
  host text NOT NULL,
  pid integer NOT NULL,
  started_at bigint NOT NULL,
  beat_at bigint NOT NULL,
  state text NOT NULL,
  counts text,
  message text
);
`

/**
 * Until when a task may wait: what bounds it, and when that is over by now. Also of one that runs, or a claim would touch an
 * index. `task_name`: live tasks of a name, and what is due of it; ended ones are not in it, for each index costs every end of a
 * task. What was stored before has no bounds here, and is seen to be too late when it is claimed. `ended_by`: who ended it without
 * having held it.
 */
const VERSION_2 = `
ALTER TABLE stateward.task ADD COLUMN queue_timeout_ms bigint, ADD COLUMN deadline_ms bigint,
  ADD COLUMN expires_at bigint, ADD COLUMN ended_by text,
  ADD COLUMN overdue_at bigint GENERATED ALWAYS AS (CASE WHEN ended_at IS NULL AND state <> 'forked' THEN
    nullif(least(8640000000000000, created_at + deadline_ms, run_at + queue_timeout_ms,
      CASE WHEN attempt = 0 AND step = 0 THEN expires_at END), 8640000000000000) END) STORED;
CREATE INDEX task_overdue ON stateward.task (overdue_at) WHERE overdue_at IS NOT NULL;
CREATE INDEX task_name ON stateward.task (name, run_at) WHERE ended_at IS NULL;
`

/**
 * Calls that come after a step, one row each, the next one with the highest `at`, which is the task's `rest`: so a step takes one
 * away and never writes the others. They go with their task.
 */
const VERSION_3 = `
ALTER TABLE stateward.task ADD COLUMN rest integer NOT NULL DEFAULT 0;
CREATE TABLE stateward.call (
  task bigint NOT NULL,
  at integer NOT NULL,
  call text NOT NULL,
  PRIMARY KEY (task, at)
);
CREATE FUNCTION stateward.call_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM stateward.call WHERE task = OLD.seq;
  RETURN NULL;
END $$;
CREATE TRIGGER call_removed AFTER DELETE ON stateward.task FOR EACH ROW
  WHEN (OLD.rest > 0) EXECUTE FUNCTION stateward.call_removed();
`

/** From each version to the next one. Never changed once released. */
const MIGRATIONS: readonly string[] = [VERSION_1, VERSION_2, VERSION_3]

export const SCHEMA_VERSION: number = MIGRATIONS.length

/** What is not there of what the migrations make, as a person would name it: `table stateward.log`. */
export async function missingParts(sql: PgSql): Promise<string[]> {
  const there = await sql.rows<{ part: string }>(
    `SELECT CASE relkind WHEN 'i' THEN 'index ' ELSE 'table ' END || relname AS part
        FROM pg_class WHERE relnamespace = 'stateward'::regnamespace
      UNION SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgrelid = to_regclass('stateward.task')
      UNION SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'stateward'::regnamespace`,
  )
  const found = new Set(there.map(({ part }) => part))
  return partsOf(MIGRATIONS)
    .map(({ kind, name }) => ({ kind, name: name.replace('stateward.', '') }))
    .filter(({ kind, name }) => !found.has(`${kind} ${name}`))
    .map(({ kind, name }) => `${kind} stateward.${name}`)
}

/**
 * What pg-boss has no place for. Its one clock, the function `job_now`, reads the time of the caller where there is one.
 * `created_on`, by which it orders the jobs of a band, is made of `runAt` and the order of storing: a millisecond is
 * drawn out to a second, whose microseconds number a million tasks.
 * Two indexes that hold every job serve its monitor alone, which is off: each would be written at each claim.
 */
const BOSS_HOOKS = `
CREATE OR REPLACE FUNCTION ${BOSS_SCHEMA}.job_now() RETURNS timestamp with time zone LANGUAGE sql STABLE AS $$
  SELECT coalesce(nullif(current_setting('stateward.now', true), '')::timestamptz, pg_catalog.now()) $$;
CREATE OR REPLACE FUNCTION ${BOSS_SCHEMA}.stateward_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.created_on := to_timestamp(least(9e12, greatest(-2e11, round(extract(epoch FROM NEW.start_after) * 1000)))::float8)
    + (${SEQ_OF_JOB('NEW.id')} % 1000000) * interval '1 microsecond';
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER stateward_turn BEFORE INSERT ON ${BOSS_SCHEMA}.job FOR EACH ROW
  EXECUTE FUNCTION ${BOSS_SCHEMA}.stateward_turn();
DROP INDEX IF EXISTS ${BOSS_SCHEMA}.job_common_i14, ${BOSS_SCHEMA}.job_common_i15;
`

/** 0 for a database without our tables. */
export async function schemaVersion(sql: PgSql): Promise<number> {
  const [found] = await sql.rows<{ there: boolean }>(
    "SELECT to_regclass('stateward.schema_version') IS NOT NULL AS there",
  )
  if (found?.there !== true) return 0
  const [row] = await sql.rows<{ version: number }>('SELECT version FROM stateward.schema_version')
  return row?.version ?? 0
}

/** Which store it is; a new one each time it is made. */
export async function storeId(sql: PgSql): Promise<string> {
  const [row] = await sql.rows<{ store: string }>('SELECT store FROM stateward.schema_version')
  return row?.store ?? ''
}

/** Holds the version against this code. @throws StoreError */
export function checkVersion(version: number, place: string): void {
  if (version > SCHEMA_VERSION) {
    throw new StoreError(
      'ERR_STORE_SCHEMA_NEWER',
      `${place} has schema version ${version}, this version of stateward knows ${SCHEMA_VERSION}. Update stateward.`,
    )
  }
  if (version < SCHEMA_VERSION) {
    throw new StoreError(
      'ERR_STORE_SCHEMA_OLDER',
      `${place} has schema version ${version}, this version of stateward needs ${SCHEMA_VERSION}. Stop its other users and migrate it.`,
    )
  }
}

const LOCK = "hashtext('stateward.migrate')"

/** Under an advisory lock of the session, since pg-boss commits what it does by itself. */
export async function migrateSchema(driver: PgDriver): Promise<{ from: number; to: number }> {
  const client = driver.client()
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(`SELECT pg_advisory_lock(${LOCK})`)
    const from = await driver.read(schemaVersion)
    if (from > SCHEMA_VERSION) checkVersion(from, driver.place)
    await setUpBoss(driver)
    await driver.transaction((sql) => migrateOwn(sql, from))
    return { from, to: SCHEMA_VERSION }
  } catch (error) {
    throw driver.toStoreError(error)
  } finally {
    await client.end()
  }
}

async function migrateOwn(sql: PgSql, from: number): Promise<void> {
  if (from === 0) {
    await run(
      sql,
      `CREATE SCHEMA IF NOT EXISTS stateward; CREATE TABLE stateward.schema_version (version integer NOT NULL,
        store uuid NOT NULL DEFAULT gen_random_uuid()); INSERT INTO stateward.schema_version VALUES (0);`,
    )
  }
  for (const migration of MIGRATIONS.slice(from)) await run(sql, migration)
  await sql.rows('UPDATE stateward.schema_version SET version = $1', [SCHEMA_VERSION])
  await run(sql, BOSS_HOOKS)
}

/** Several statements in one text cannot be prepared. */
async function run(sql: PgSql, text: string): Promise<void> {
  await sql.rows(`DO $stateward$ BEGIN ${text} END $stateward$`)
}
