/**
 * The one owner of `pg-boss`, which hands out what is due: one job for each task that waits or runs. A task's row is
 * ours and says everything about it; its job says only that it may be handed out, from when on, and how urgent it is.
 * Both are changed in one transaction.
 *
 * - ready: its queue is known; no timer, no connection of its own: it works on those of the store.
 * - stopped: with its store.
 *
 * A claim fetches jobs; a task that waits again is deleted and inserted; the job of an ended task is deleted. Leases and attempts are ours: pg-boss would count both by the server's clock, in seconds.
 */
import type { JobInsert, PgBoss } from 'pg-boss'
import { missingPeer, type PgDriver, type PgSql } from './postgres-driver.ts'
import { StoreError } from './store-error.ts'

export const BOSS_SCHEMA = 'stateward_boss'
const JOB_QUEUE = 'task'

/** Ids of jobs are made of the order of storing, so that neighbours lie beside each other in its index. */
const ID_HEAD = '00000000-0000-8000-8000-'

function jobOf(seq: number): string {
  return ID_HEAD + seq.toString(16).padStart(12, '0')
}

/** SQL that makes the id of the job of a task of its number. */
const JOB_OF_SEQ = (column: string): string => `('${ID_HEAD}' || lpad(to_hex(${column}), 12, '0'))::uuid`

/** SQL that makes the number of a task of the id of its job. */
export const SEQ_OF_JOB = (column: string): string => `('x' || right(${column}::text, 12))::bit(48)::bigint`

const LOCK = (value: string): string => `SELECT ${value} FROM ${BOSS_SCHEMA}.job WHERE name = '${JOB_QUEUE}'
  AND state < 'active' AND id IN (SELECT ${JOB_OF_SEQ('seq')} FROM stateward.task
    WHERE id = ANY($1) AND ended_at IS NULL) FOR UPDATE`

/** SQL that keeps the waiting jobs of the tasks with the ids `$1` from being fetched. */
export const LOCK_WAITING_JOBS: string = LOCK('1')

/** The same, without those that others hold locked: gives the numbers of their tasks. */
export const LOCK_FREE_JOBS: string = `${LOCK(`${SEQ_OF_JOB('id')} AS seq`)} SKIP LOCKED`

/** SQL that takes away the jobs of the tasks in a table, as `deleteJob` does. @param tasks - what has the column `seq` */
export const DELETE_JOBS_OF = (tasks: string): string => `DELETE FROM ${BOSS_SCHEMA}.job
  WHERE name = '${JOB_QUEUE}' AND id IN (SELECT ${JOB_OF_SEQ('seq')} FROM ${tasks})`

/** Tasks that are handed out. All jobs have a group; an index knows the active ones that do. */
export const ACTIVE_SEQS: string = `SELECT ${SEQ_OF_JOB('id')} FROM ${BOSS_SCHEMA}.job
  WHERE name = '${JOB_QUEUE}' AND state = 'active' AND group_id IS NOT NULL`

/** What pg-boss knows of each task. */
export const JOB_STATES_OF_TASKS: string = `SELECT ${SEQ_OF_JOB('id')} AS seq,
  CASE WHEN state < 'active' THEN 'waiting' ELSE state::text END AS job
  FROM ${BOSS_SCHEMA}.job WHERE name = '${JOB_QUEUE}'`

/** Bands count from the most urgent one, priorities up to it. */
const priorityOf = (band: number): number => -band

/** Beyond all bands. */
const MOST_URGENT = -1

export interface Dispatch {
  readonly seq: number
  readonly band: number
  readonly runAt: number
  readonly name: string
}

/** What is done with the jobs of a fetch in the same statement. */
export interface FetchedUse {
  /** SQL behind `WITH fetched AS (…)`, whose rows are the jobs: `id`, `"groupId"`. */
  readonly text: (value: (index: number) => string) => string
  readonly values: readonly unknown[]
}

/** SQL that sets the time of the transaction for {@link Dispatcher}. @param at - epoch ms */
export function clockText(at: number): string {
  return `SELECT set_config('stateward.now', '${instantText(at)}', true);`
}

/** What both sides can write: the years 1 to 9999. */
const EARLIEST = Date.parse('0001-01-01T00:00:00Z')
const LATEST = Date.parse('9999-12-31T23:59:59.999Z')

/** @param at - epoch ms */
export function instantText(at: number): string {
  return new Date(Math.min(LATEST, Math.max(EARLIEST, at))).toISOString()
}

const HOUR_S = 3_600
const YEAR_S = 31_536_000

/** Timers that keep no process alive. */
const CLOCK = {
  now: () => Date.now(),
  setTimeout: (call: () => void, ms: number) => setTimeout(call, ms).unref(),
  clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
  setInterval: (call: () => void, ms: number) => setInterval(call, ms).unref(),
  clearInterval: (timer: unknown) => clearInterval(timer as NodeJS.Timeout),
}

type Executor = { executeSql(text: string, values?: unknown[]): Promise<{ rows: unknown[] }> }

const executor = (sql: PgSql): Executor => ({
  executeSql: async (text, values) => ({ rows: await sql.rows(text, values) }),
})

async function load(driver: PgDriver, migrate: boolean): Promise<PgBoss> {
  const loaded = await import('pg-boss').catch((error: unknown) => {
    throw missingPeer(error)
  })
  const boss = new loaded.PgBoss({
    schema: BOSS_SCHEMA,
    db: {
      executeSql: async (text: string, values?: unknown[]) => ({
        // Some of its texts hold several statements, which cannot be prepared.
        rows: await driver.plain((sql) => sql.rows(text, values)),
      }),
    } as never,
    migrate,
    supervise: false,
    schedule: false,
    registerInstance: false,
    clock: CLOCK as never,
  })
  boss.on('error', () => {})
  boss.on('warning', () => {})
  return boss
}

/** Makes or migrates the tables of pg-boss, and our queue in them. */
export async function setUpBoss(driver: PgDriver): Promise<void> {
  const boss = await load(driver, true)
  await boss.start()
  try {
    await boss.createQueue(JOB_QUEUE, {
      retryLimit: 0,
      // Nobody asks pg-boss to end what takes long, or to delete what waits for long.
      expireInSeconds: 23 * HOUR_S,
      retentionSeconds: 50 * YEAR_S,
    })
  } finally {
    await boss.stop({ graceful: false, close: false })
  }
}

function olderBoss(place: string, error: Error): StoreError {
  return new StoreError(
    'ERR_STORE_SCHEMA_OLDER',
    `The tables of pg-boss in ${place} are of another version: ${error.message}. Stop the other users and migrate them.`,
    error,
  )
}

export class Dispatcher {
  readonly #boss: PgBoss

  private constructor(boss: PgBoss) {
    this.#boss = boss
  }

  static async start(driver: PgDriver): Promise<Dispatcher> {
    const boss = await load(driver, false)
    await boss.start().catch((error: Error) => {
      throw /migrat|not installed/i.test(error.message) ? olderBoss(driver.place, error) : error
    })
    return new Dispatcher(boss)
  }

  /** May be fetched from their `runAt` on. */
  async put(sql: PgSql, tasks: readonly Dispatch[]): Promise<void> {
    if (tasks.length === 0) return
    const jobs = tasks.map(
      ({ seq, band, runAt, name }): JobInsert => ({
        id: jobOf(seq),
        priority: priorityOf(band),
        startAfter: instantText(runAt),
        group: { id: name },
      }),
    )
    await this.#boss.insert(JOB_QUEUE, jobs, { db: executor(sql) as never })
  }

  /** Waits no more, runs no more. */
  async drop(sql: PgSql, seqs: readonly number[]): Promise<void> {
    if (seqs.length === 0) return
    await this.#boss.deleteJob(JOB_QUEUE, seqs.map(jobOf), { db: executor(sql) as never })
  }

  /** Back to where they were before they were fetched: pg-boss resumes what is cancelled at its old place. */
  async restore(sql: PgSql, seqs: readonly number[]): Promise<void> {
    if (seqs.length === 0) return
    const jobs = seqs.map(jobOf)
    await this.#boss.cancel(JOB_QUEUE, jobs, { db: executor(sql) as never })
    await this.#boss.resume(JOB_QUEUE, jobs, { db: executor(sql) as never })
  }

  /** Takes what is due, by bands and turns; what others hold locked is left out. */
  async fetch<Row>(
    sql: PgSql,
    given: { from: number; to: number; limit: number; except: readonly string[] },
    use: FetchedUse,
  ): Promise<Row[]> {
    let rows: Row[] = []
    // pg-boss says what is fetched, and we go on from there in the same statement.
    const executeSql: Executor['executeSql'] = async (text, values = []) => {
      const rest = use.text((index) => `$${values.length + index}`)
      rows = await sql.rows<Row>(`WITH fetched AS (${text}) ${rest}`, [...values, ...use.values])
      return { rows: [] }
    }
    await this.#boss.fetch(JOB_QUEUE, {
      batchSize: given.limit,
      maxPriority: priorityOf(given.from),
      minPriority: priorityOf(given.to),
      ...(given.except.length === 0 ? {} : { ignoreGroups: [...given.except] }),
      db: { executeSql } as never,
    } as never)
    return rows
  }

  /**
   * Takes just these, whatever is due before them. pg-boss knows no such wish, so their jobs are made anew, more urgent
   * than all others; nobody else can see them there.
   */
  async take<Row>(sql: PgSql, tasks: readonly Dispatch[], use: FetchedUse): Promise<Row[]> {
    if (tasks.length === 0) return []
    await this.drop(
      sql,
      tasks.map(({ seq }) => seq),
    )
    await this.put(
      sql,
      tasks.map((task) => ({ ...task, band: MOST_URGENT })),
    )
    return this.fetch(sql, { from: MOST_URGENT, to: MOST_URGENT, limit: tasks.length, except: [] }, use)
  }

  async stop(): Promise<void> {
    await this.#boss.stop({ graceful: false, close: false })
  }
}
