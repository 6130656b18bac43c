/**
 * A store in one SQLite file, shared by any number of processes on this machine: `node:sqlite` in WAL mode with
 * `synchronous=FULL`, so what was answered survives `kill -9` and power loss.
 *
 * - open: a connection of its own, sockets and a poll timer while somebody listens.
 * - closed: none of them; calls reject with `ERR_STORE_CLOSED`.
 *
 * The file is authoritative. A commit runs within one turn of the event loop and blocks it for as long as the disk
 * needs to make it durable.
 */
import { realpath, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Priority } from '../../machines/model.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { OnFault } from './fault-point.ts'
import type { AnswerTable, EnqueueOperation, StoreAnswer, StoreOperation } from './operations.ts'
import type {
  Backlog,
  DaemonRecord,
  LogEntry,
  Page,
  PageRequest,
  ScheduleRecord,
  TaskFilter,
} from './records.ts'
import { inspectStore } from './sqlite-check.ts'
import type { CheckFile } from './sqlite-check-entry.ts'
import { checkInThread } from './sqlite-check-thread.ts'
import { commitOperations } from './sqlite-commit.ts'
import { type DriverOptions, isInTransaction, peek, SqliteConnection } from './sqlite-driver.ts'
import { checkFile, type FileChecks, type LookAtFileSystem, lookAtFileSystem } from './sqlite-file.ts'
import { list } from './sqlite-list.ts'
import { backlog, type Counts, counts, daemons, get, log, schedules } from './sqlite-reads.ts'
import { checkVersion, migrateSchema, SCHEMA_VERSION, schemaVersion } from './sqlite-schema.ts'
import { enqueueWithin } from './sqlite-transaction.ts'
import type { Store, StoreCapabilities, StoreCheck, WakeTopic } from './store.ts'
import { noQueueThere, StoreError } from './store-error.ts'
import type { TaskRecord } from './task-record.ts'
import { WakeHub } from './wake-hub.ts'
import { WakeSockets } from './wake-sockets.ts'
import { topicsOf } from './wake-topics.ts'

export interface SqliteStoreOptions extends FileChecks {
  readonly file: string
  /** For the slow poll. */
  readonly clock?: Clock | undefined
  /** How often to look for changes whose nudge was missed, in ms. Default 1,000. */
  readonly pollMs?: number | undefined
  /** How long to ask for a locked file, in ms. Default 30,000. */
  readonly busyLimitMs?: number | undefined
  /** Bring an older schema to the newest version. Default false; a fresh file gets its schema anyway. */
  readonly migrate?: boolean | undefined
  /** Make what is not there. Default true. */
  readonly create?: boolean | undefined
  /** For tests. */
  readonly fault?: OnFault | undefined
}

const BUSY_LIMIT_MS = 30_000
/** A check of more would keep the event loop for too long. */
const LARGE_BYTES = 4 << 20

/** @throws StoreError when the file cannot be used; nothing was changed then */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const path = resolve(options.file)
  const exists = await checkFile(path, options)
  const { busyLimitMs = BUSY_LIMIT_MS, fault } = options
  if (options.create === false) await demandQueue(path, exists, { busyLimitMs })
  const connection = await SqliteConnection.open(path, { busyLimitMs, fault })
  try {
    const version = await connection.read(schemaVersion)
    if (version === 0 || (options.migrate === true && version < SCHEMA_VERSION))
      await migrateSchema(connection)
    else checkVersion(version, path)
    return new SqliteStore(connection, await realpath(path), options)
  } catch (error) {
    connection.close()
    throw error
  }
}

/** Nothing of the file is changed by it, nor is it made. @throws StoreError (`ERR_STORE_MISSING`) */
async function demandQueue(path: string, exists: boolean, options: DriverOptions): Promise<void> {
  if (!exists) throw noQueueThere(path, 'the file does not exist')
  const version = await peek(path, options, schemaVersion)
  if (version === 0) throw noQueueThere(path, 'the database has no tables of stateward')
}

/** How often to look whether the caller has ended his transaction, in ms, and how often at most. */
const LOOK_MS = 10
const LOOKS = 100

export const SQLITE_CAPABILITIES: StoreCapabilities = {
  engine: 'sqlite',
  transaction: true,
  manyHosts: false,
  parallel: false,
  minLeaseMs: 1_000,
}

class SqliteStore implements Store {
  readonly capabilities: StoreCapabilities = SQLITE_CAPABILITIES
  readonly #connection: SqliteConnection
  readonly #file: string
  readonly #sockets: WakeSockets
  readonly #hub: WakeHub
  readonly #looks = new Set<NodeJS.Timeout>()
  readonly #busyLimitMs: number
  readonly #lookAtFileSystem: LookAtFileSystem
  readonly #closing = new AbortController()
  readonly #checks = new Set<Promise<StoreCheck>>()
  #seenVersion: number | undefined

  constructor(connection: SqliteConnection, file: string, options: SqliteStoreOptions) {
    this.#connection = connection
    this.#file = file
    this.#busyLimitMs = options.busyLimitMs ?? BUSY_LIMIT_MS
    this.#lookAtFileSystem = options.fileSystem ?? lookAtFileSystem
    this.#sockets = new WakeSockets(file)
    this.#hub = new WakeHub({
      clock: options.clock ?? systemClock,
      pollMs: options.pollMs ?? 1_000,
      line: this.#sockets,
      hasChanged: () => this.#hasChanged(),
    })
    this.#hasChanged()
  }

  async commit(operations: readonly StoreOperation[]): Promise<readonly StoreAnswer[]> {
    if (operations.length === 0) return []
    const answers = await commitOperations(this.#connection, operations)
    this.#hub.tell(topicsOf(operations, answers))
    return answers
  }

  async within(transaction: unknown, operation: EnqueueOperation): Promise<AnswerTable['enqueue']> {
    if (this.#connection.isClosed)
      throw new StoreError('ERR_STORE_CLOSED', `The store ${this.#file} is closed.`)
    const answer = enqueueWithin(transaction, this.#file, operation)
    setImmediate(() => this.#tellWhenOver(transaction, LOOKS))
    return answer
  }

  get(ids: readonly string[]): Promise<readonly (TaskRecord | undefined)[]> {
    return this.#connection.read((sql) => get(sql, ids))
  }

  list(filter: TaskFilter, page: PageRequest, now: number): Promise<Page<TaskRecord>> {
    return this.#connection.read((sql) => list(sql, filter, page, now))
  }

  counts(now: number): Promise<Counts> {
    return this.#connection.read((sql) => counts(sql, now))
  }

  backlog(now: number): Promise<Readonly<Record<Priority, Backlog>>> {
    return this.#connection.read((sql) => backlog(sql, now))
  }

  schedules(lookAt?: number): Promise<readonly ScheduleRecord[]> {
    return this.#connection.read((sql) => schedules(sql, lookAt))
  }

  daemons(): Promise<readonly DaemonRecord[]> {
    return this.#connection.read(daemons)
  }

  log(id: string): Promise<readonly LogEntry[]> {
    return this.#connection.read((sql) => log(sql, id))
  }

  wake(topic: WakeTopic, listener: () => void): () => void {
    return this.#hub.listen(topic, listener)
  }

  async check(): Promise<StoreCheck> {
    const sizeOf = (path: string): Promise<number> =>
      stat(path).then(
        ({ size }) => size,
        () => 0,
      )
    const [bytes, logBytes, { freeBytes }] = await Promise.all([
      sizeOf(this.#file),
      sizeOf(`${this.#file}-wal`),
      this.#lookAtFileSystem(dirname(this.#file)),
    ])
    const file = { file: this.#file, bytes, logBytes, freeBytes }
    const isLarge = bytes + logBytes > LARGE_BYTES
    return this.#connection
      .read((sql) => (isLarge ? undefined : inspectStore(sql, file)))
      .then((found) => {
        return found ?? this.#checkAside({ ...file, busyLimitMs: this.#busyLimitMs })
      })
  }

  migrate(): Promise<{ readonly from: number; readonly to: number }> {
    return migrateSchema(this.#connection)
  }

  async close(): Promise<void> {
    this.#closing.abort(new StoreError('ERR_STORE_CLOSED', `The store ${this.#file} is closed.`))
    await Promise.allSettled(this.#checks)
    for (const look of this.#looks) clearTimeout(look)
    this.#looks.clear()
    this.#connection.close()
    await this.#hub.close()
    await this.#sockets.close()
  }

  #checkAside(file: CheckFile): Promise<StoreCheck> {
    const check = checkInThread(file, this.#closing.signal)
    this.#checks.add(check)
    return check.finally(() => this.#checks.delete(check))
  }

  /** `data_version` changes with every commit of another connection. */
  #hasChanged(): boolean {
    if (this.#connection.isClosed) return false
    try {
      const { data_version: version } = this.#connection.sql.statement('PRAGMA data_version').get() as {
        data_version: number
      }
      const changed = version !== this.#seenVersion
      this.#seenVersion = version
      return changed
    } catch {
      // Locked or ill: whoever is woken finds out.
      return true
    }
  }

  /** Nobody can see what the caller has not committed yet. */
  #tellWhenOver(transaction: unknown, looks: number): void {
    if (this.#connection.isClosed || looks === 0) return
    if (!isInTransaction(transaction)) {
      this.#hub.tell(new Set(['work']))
      return
    }
    const look = setTimeout(() => {
      this.#looks.delete(look)
      this.#tellWhenOver(transaction, looks - 1)
    }, LOOK_MS).unref()
    this.#looks.add(look)
  }
}
