/**
 * The one owner of `node:sqlite`: a connection to the file of a store.
 *
 * - open: journal in WAL mode, `synchronous=FULL`, so that what is committed is on the disk.
 * - astray: its path leads to no file any more, or to another one, so that what it writes were lost: whatever is asked is
 *   refused (`ERR_STORE_MISSING`). Open again when the file is back.
 * - closed: for good.
 *
 * SQLite's own busy handler blocks the event loop and starves one of two writers, so it is off; who finds the file
 * locked waits for a moment by a timer and asks again, up to `busyLimitMs`. The lock knows no queue: on a slow disk, one who
 * commits again and again would always have it first. So whoever had it for long leaves a gap in which others find it free,
 * and whoever has waited for long asks so often that he meets any gap. Every body runs within one turn of the
 * event loop, so statements of different callers never mix. A body that throws is rolled back.
 */

import { statSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { setImmediate, setTimeout } from 'node:timers/promises'
import type { FaultPoint, OnFault } from './fault-point.ts'
import { isBusy, toStoreError } from './sqlite-error.ts'
import { StoreError } from './store-error.ts'

export type SqlValue = string | number | null

export interface SqlChanges {
  readonly changes: number | bigint
  /** Of the last row that was inserted, by this statement or before. */
  readonly lastInsertRowid: number | bigint
}

/** A prepared statement. Rows are objects by column name. */
export interface Statement {
  run(...values: SqlValue[]): SqlChanges
  get(...values: SqlValue[]): unknown
  all(...values: SqlValue[]): unknown[]
}

/** Somewhere to run statements: our connection, or one of the caller's. */
export interface Sql {
  /** Prepared once per text. */
  statement(text: string): Statement
  exec(text: string): void
}

export interface DriverOptions {
  /** How long to ask for a locked file, in ms. */
  readonly busyLimitMs: number
  /** Called at each point; for tests. */
  readonly fault?: OnFault | undefined
}

/** Who has waited for so long asks at each turn of the event loop, and naps now and then. */
const URGENT_MS = 250
const TURNS_PER_NAP = 30
/** A nap is not longer: gaps between the commits of others are short. */
const LONGEST_NAP_MS = 8

/** Waits a little, longer each time, never the same for two processes. */
async function pause(round: number, waitedMs: number): Promise<void> {
  const isUrgent = waitedMs > URGENT_MS && round % TURNS_PER_NAP !== 0
  if (round < 3 || isUrgent) await setImmediate()
  else await setTimeout(1 + Math.random() * Math.min(round, LONGEST_NAP_MS))
}

/** A transaction that took so long is followed by a gap, a part of that time. What is faster leaves gaps enough. */
const LONG_MS = 10
const GAP = 1 / 10
const LONGEST_GAP_MS = 5

/** The furthest that a Date goes from 1970. */
const FURTHEST = 8_640_000_000_000_000n

/**
 * SQLite's integers are larger than JavaScript's numbers, and a row with such a one, written by hand, cannot be read. So
 * that it harms no other row, its statement is run again with integers of any size, which are then brought within reach.
 */
class Lenient implements Statement {
  readonly #prepared: StatementSync

  constructor(prepared: StatementSync) {
    this.#prepared = prepared
  }

  run(...values: SqlValue[]): SqlChanges {
    return this.#prepared.run(...values)
  }

  get(...values: SqlValue[]): unknown {
    try {
      return this.#prepared.get(...values)
    } catch (error) {
      return withinReach(this.#again(error, (prepared) => prepared.get(...values)))
    }
  }

  all(...values: SqlValue[]): unknown[] {
    try {
      return this.#prepared.all(...values)
    } catch (error) {
      return this.#again(error, (prepared) => prepared.all(...values)).map(withinReach)
    }
  }

  #again<Value>(error: unknown, ask: (prepared: StatementSync) => Value): Value {
    if ((error as { code?: unknown }).code !== 'ERR_OUT_OF_RANGE') throw error
    this.#prepared.setReadBigInts(true)
    try {
      return ask(this.#prepared)
    } finally {
      this.#prepared.setReadBigInts(false)
    }
  }
}

function withinReach(row: unknown): unknown {
  if (typeof row !== 'object' || row === null) return row
  const reach = (value: unknown): unknown => {
    if (typeof value !== 'bigint') return value
    if (value > FURTHEST) return Number(FURTHEST)
    return Number(value < -FURTHEST ? -FURTHEST : value)
  }
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, reach(value)]))
}

class Prepared implements Sql {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, Statement>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  statement(text: string): Statement {
    let statement = this.#statements.get(text)
    if (statement === undefined) {
      statement = new Lenient(this.#database.prepare(text))
      this.#statements.set(text, statement)
    }
    return statement
  }

  exec(text: string): void {
    this.#database.exec(text)
  }
}

const foreign = new WeakMap<DatabaseSync, Prepared>()

/** Statements on a connection of the caller's. `undefined` when it is none. */
export function sqlOf(connection: unknown): Sql | undefined {
  if (!(connection instanceof DatabaseSync)) return undefined
  let sql = foreign.get(connection)
  if (sql === undefined) {
    sql = new Prepared(connection)
    foreign.set(connection, sql)
  }
  return sql
}

/** Whether the caller's connection is inside of a transaction. One that he has closed is in none, and throws when it is asked. */
export function isInTransaction(connection: unknown): boolean {
  const database = connection as Partial<DatabaseSync>
  return database.isOpen === true && database.isTransaction === true
}

export class SqliteConnection {
  readonly file: string
  readonly sql: Sql
  readonly #database: DatabaseSync
  readonly #options: DriverOptions
  /** Of the file that was opened. */
  readonly #identity: string | undefined
  #isClosed = false
  /** Others may have the lock first until then, ms of `performance.now()`. */
  #gapUntil = Number.NEGATIVE_INFINITY

  private constructor(file: string, database: DatabaseSync, options: DriverOptions) {
    this.file = file
    this.#database = database
    this.#options = options
    this.#identity = identityOf(file)
    this.sql = new Prepared(database)
  }

  /** Opens the file, making it if need be. */
  static async open(file: string, options: DriverOptions): Promise<SqliteConnection> {
    const database = await patiently(file, options, () => connect(file))
    return new SqliteConnection(file, database, options)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Runs the body in a transaction that may write. What it returns is durable then. */
  async transaction<Value>(body: (sql: Sql) => Value): Promise<Value> {
    const gapMs = this.#gapUntil - performance.now()
    if (gapMs > 0) await setTimeout(gapMs)
    return patiently(this.file, this.#options, () => {
      this.#demandOpen()
      this.sql.exec('BEGIN IMMEDIATE')
      const begunAt = performance.now()
      try {
        this.fault('begun')
        const value = body(this.sql)
        this.fault('committing')
        this.sql.exec('COMMIT')
        this.fault('committed')
        return value
      } catch (error) {
        this.#rollBack()
        throw error
      } finally {
        this.#leaveGap(begunAt)
      }
    })
  }

  #leaveGap(begunAt: number): void {
    const now = performance.now()
    const heldMs = now - begunAt
    if (heldMs > LONG_MS) this.#gapUntil = now + Math.min(LONGEST_GAP_MS, heldMs * GAP)
  }

  read<Value>(body: (sql: Sql) => Value): Promise<Value> {
    return patiently(this.file, this.#options, () => {
      this.#demandOpen()
      return body(this.sql)
    })
  }

  fault(point: FaultPoint): void {
    this.#options.fault?.(point)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#database.close()
  }

  #rollBack(): void {
    try {
      this.sql.exec('ROLLBACK')
    } catch {
      // SQLite has rolled back by itself, or the commit has succeeded.
    }
  }

  #demandOpen(): void {
    if (this.#isClosed) throw new StoreError('ERR_STORE_CLOSED', `The store ${this.file} is closed.`)
    const found = identityOf(this.file)
    if (found === this.#identity) return
    throw new StoreError(
      'ERR_STORE_MISSING',
      found === undefined
        ? `The file ${this.file} was removed while it was open. Put it back, or restart its users for a new one.`
        : `The file ${this.file} was replaced while it was open. Restart its users, so that they open the new one.`,
    )
  }
}

/** Reads a file as it is: nothing of it is changed. */
export function peek<Value>(file: string, options: DriverOptions, body: (sql: Sql) => Value): Promise<Value> {
  return patiently(file, options, () => {
    const database = new DatabaseSync(file)
    try {
      return body(new Prepared(database))
    } finally {
      database.close()
    }
  })
}

/** Device and number of a file: SQLite would go on writing to one that nobody finds any more. */
function identityOf(file: string): string | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? undefined : `${found.dev}:${found.ino}`
}

/** Again and again while the file is locked. */
async function patiently<Value>(file: string, options: DriverOptions, attempt: () => Value): Promise<Value> {
  const startedAt = performance.now()
  for (let round = 0; ; round += 1) {
    try {
      return attempt()
    } catch (error) {
      if (!isBusy(error) || performance.now() - startedAt > options.busyLimitMs)
        throw toStoreError(error, file)
    }
    await pause(round, performance.now() - startedAt)
  }
}

function connect(file: string): DatabaseSync {
  const database = new DatabaseSync(file)
  try {
    // First of all: a second process that opens the fresh file would fail at once.
    database.exec('PRAGMA busy_timeout = 50')
    const { journal_mode: mode } = database.prepare('PRAGMA journal_mode = WAL').get() as {
      journal_mode: string
    }
    if (mode !== 'wal') {
      throw new StoreError(
        'ERR_STORE_FAILED',
        `Expected ${file} to take a write-ahead log, its journal is "${mode}". Put it on a local disk.`,
      )
    }
    database.exec(
      'PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000',
    )
    database.exec('PRAGMA busy_timeout = 0')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
