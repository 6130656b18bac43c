/**
 * A store in a PostgreSQL database, shared by processes of any number of machines. pg-boss hands out what is due; what it
 * has no place for lies in tables of ours, changed in the same transaction.
 *
 * - open: a pool of connections, and one that listens while somebody wants to be woken.
 * - closed: none of them; calls reject with `ERR_STORE_CLOSED`.
 *
 * The server is authoritative, and may go away and come back: calls reject meanwhile with a `StoreError` that says
 * whether it may have happened, and the same store goes on when the server is there again.
 */
import type { Priority } from '../../machines/model.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { OnFault } from './fault-point.ts'
import type { AnswerTable, EnqueueOperation, StoreAnswer, StoreOperation } from './operations.ts'
import { Dispatcher } from './postgres-boss.ts'
import { inspectStore } from './postgres-check.ts'
import { commitOperations } from './postgres-commit.ts'
import { PgDriver, type PgSql } from './postgres-driver.ts'
import { list } from './postgres-list.ts'
import { PgEars } from './postgres-listen.ts'
import { backlog, type Counts, counts, daemons, get, log, schedules } from './postgres-reads.ts'
import { noteNames, type PgWork } from './postgres-rows.ts'
import { checkVersion, migrateSchema, schemaVersion, storeId } from './postgres-schema.ts'
import { enqueueWithin } from './postgres-transaction.ts'
import type {
  Backlog,
  DaemonRecord,
  LogEntry,
  Page,
  PageRequest,
  ScheduleRecord,
  TaskFilter,
} from './records.ts'
import type { CommitHow, Store, StoreCapabilities, StoreCheck, WakeTopic } from './store.ts'
import { noQueueThere } from './store-error.ts'
import type { TaskRecord } from './task-record.ts'
import { WakeHub } from './wake-hub.ts'
import { topicsOf } from './wake-topics.ts'

export interface PostgresStoreOptions {
  readonly url: string
  /** For the slow poll. */
  readonly clock?: Clock | undefined
  /** How long to wait for any answer of the server, in ms. Default 30,000. */
  readonly answerLimitMs?: number | undefined
  /** Bring an older schema to the newest version. Default false; a fresh database gets its schema anyway. */
  readonly migrate?: boolean | undefined
  /** Make the tables if there are none. Default true. */
  readonly create?: boolean | undefined
  /** For tests. */
  readonly fault?: OnFault | undefined
}

/** @throws StoreError when the database cannot be used; nothing was changed then */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  const { url, answerLimitMs = 30_000, fault } = options
  const driver = await PgDriver.load({ url, answerLimitMs, fault })
  try {
    const version = await driver.read(schemaVersion)
    if (version === 0 && options.create === false)
      throw noQueueThere(driver.place, 'the database has no tables of stateward')
    // pg-boss may have to be migrated though we have not.
    if (version === 0 || options.migrate === true) await migrateSchema(driver)
    else checkVersion(version, driver.place)
    const dispatcher = await Dispatcher.start(driver)
    return new PostgresStore(driver, dispatcher, await driver.read(storeId), options.clock ?? systemClock)
  } catch (error) {
    await driver.close()
    throw driver.toStoreError(error)
  }
}

/** Notifications are certain, so this is only for a listening connection that went silent. */
const POLL_MS = 30_000

export const POSTGRES_CAPABILITIES: StoreCapabilities = {
  engine: 'postgres',
  transaction: true,
  manyHosts: true,
  parallel: true,
  minLeaseMs: 1_000,
}

class PostgresStore implements Store {
  readonly capabilities: StoreCapabilities = POSTGRES_CAPABILITIES
  readonly #driver: PgDriver
  readonly #dispatcher: Dispatcher
  readonly #id: string
  readonly #names = new Set<string>()
  readonly #ears: PgEars
  readonly #hub: WakeHub

  constructor(driver: PgDriver, dispatcher: Dispatcher, id: string, clock: Clock) {
    this.#driver = driver
    this.#dispatcher = dispatcher
    this.#id = id
    this.#ears = new PgEars(driver)
    this.#hub = new WakeHub({ clock, pollMs: POLL_MS, line: this.#ears, hasChanged: () => true })
  }

  async commit(
    operations: readonly StoreOperation[],
    how: CommitHow = 'together',
  ): Promise<readonly StoreAnswer[]> {
    if (operations.length === 0) return []
    const answers = await this.#commit(operations, how)
    this.#hub.tell(topicsOf(operations, answers))
    return answers
  }

  async within(transaction: unknown, operation: EnqueueOperation): Promise<AnswerTable['enqueue']> {
    this.#driver.demandOpen()
    const given = {
      driver: this.#driver,
      store: this.#id,
      workOn: (sql: PgSql) => this.#workOn(sql, []),
      noteNames: (names: readonly string[]) => this.#noteNames(names),
    }
    return enqueueWithin(transaction, given, operation, (sql) =>
      this.#ears.announceForeign(sql, new Set(['work'])),
    )
  }

  get(ids: readonly string[]): Promise<readonly (TaskRecord | undefined)[]> {
    return this.#driver.read((sql) => get(sql, ids))
  }

  list(filter: TaskFilter, page: PageRequest, now: number): Promise<Page<TaskRecord>> {
    // Its text depends on the filter.
    return this.#driver.plain((sql) => list(sql, filter, page, now))
  }

  counts(now: number): Promise<Counts> {
    return this.#driver.read((sql) => counts(sql, now))
  }

  backlog(now: number): Promise<Readonly<Record<Priority, Backlog>>> {
    return this.#driver.read((sql) => backlog(sql, now))
  }

  schedules(lookAt?: number): Promise<readonly ScheduleRecord[]> {
    return this.#driver.read((sql) => schedules(sql, lookAt))
  }

  daemons(): Promise<readonly DaemonRecord[]> {
    return this.#driver.read(daemons)
  }

  log(id: string): Promise<readonly LogEntry[]> {
    return this.#driver.read((sql) => log(sql, id))
  }

  wake(topic: WakeTopic, listener: () => void): () => void {
    return this.#hub.listen(topic, listener)
  }

  check(): Promise<StoreCheck> {
    return this.#driver.read((sql) => inspectStore(sql, this.#driver.place))
  }

  async migrate(): Promise<{ readonly from: number; readonly to: number }> {
    this.#driver.demandOpen()
    return migrateSchema(this.#driver)
  }

  async close(): Promise<void> {
    if (this.#driver.isClosed) return
    const ended = this.#driver.close()
    await this.#hub.close()
    await this.#ears.close()
    await this.#dispatcher.stop()
    await ended
  }

  async #commit(operations: readonly StoreOperation[], how: CommitHow): Promise<readonly StoreAnswer[]> {
    const noted: string[] = []
    const answers = await commitOperations(
      {
        driver: this.#driver,
        workOn: (sql) => this.#workOn(sql, noted),
        announcement: (said) => this.#ears.announcement(topicsOf(operations, said)),
      },
      operations,
      how,
    )
    for (const name of noted) this.#names.add(name)
    return answers
  }

  /** In a transaction of their own. */
  async #noteNames(names: readonly string[]): Promise<void> {
    if (names.every((name) => this.#names.has(name))) return
    const noted: string[] = []
    await this.#driver.transaction((sql) => noteNames(this.#workOn(sql, noted), names))
    for (const name of noted) this.#names.add(name)
  }

  /** @param noted - gets the names that are stored in this transaction */
  #workOn(sql: PgSql, noted: string[]): PgWork {
    noted.length = 0
    const names = { has: (name: string) => this.#names.has(name), note: (name: string) => noted.push(name) }
    return { sql, dispatcher: this.#dispatcher, names, clock: { at: undefined } }
  }
}
