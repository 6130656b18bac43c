/** Enqueues inside of a transaction on a connection of the caller's. */
import { realpathSync } from 'node:fs'
import type { AnswerTable, EnqueueOperation } from './operations.ts'
import { isInTransaction, type Sql, sqlOf } from './sqlite-driver.ts'
import { enqueue } from './sqlite-enqueue.ts'
import { lockOf, toStoreError } from './sqlite-error.ts'
import { StoreError } from './store-error.ts'

/** @throws StoreError; the statements before it stay undone, the caller's transaction goes on */
export function enqueueWithin(
  connection: unknown,
  file: string,
  operation: EnqueueOperation,
): AnswerTable['enqueue'] {
  const sql = checkConnection(connection, file)
  try {
    sql.exec('SAVEPOINT stateward')
    try {
      return enqueue(sql, operation)
    } catch (error) {
      sql.exec('ROLLBACK TO stateward')
      throw error
    } finally {
      sql.exec('RELEASE stateward')
    }
  } catch (error) {
    throw lockError(error, file) ?? toStoreError(error, file)
  }
}

/** A transaction that has only read so far gets the lock for writing with its first write, and then it may be too late. */
function lockError(error: unknown, file: string): StoreError | undefined {
  const lock = lockOf(error)
  if (lock === undefined) return undefined
  const why =
    lock === 'stale'
      ? `it has read from ${file} before another connection wrote there, so it can write no more. Roll it back`
      : `another connection writes to ${file} just now. Roll it back, or ask again`
  return new StoreError(
    'ERR_STORE_BUSY',
    `Expected tx to be able to write, but ${why}. A transaction that begins with BEGIN IMMEDIATE has the lock from its start.`,
    error,
  )
}

/** Connections that were found to be on this file. */
const known = new WeakMap<object, string>()

function checkConnection(connection: unknown, file: string): Sql {
  const sql = sqlOf(connection)
  if (sql === undefined) throw foreign('a DatabaseSync of node:sqlite')
  if (!isInTransaction(connection)) throw foreign('inside of a transaction: BEGIN comes first')
  if (known.get(connection as object) !== file) {
    const files = sql.statement('PRAGMA database_list').all() as { file: string | null }[]
    if (!files.some((one) => isSameFile(one.file, file))) throw foreign(`a connection to ${file}`)
    known.set(connection as object, file)
  }
  return sql
}

function isSameFile(path: string | null, file: string): boolean {
  if (path === null || path === '') return false
  try {
    return realpathSync(path) === file
  } catch {
    return false
  }
}

function foreign(expected: string): StoreError {
  return new StoreError(
    'ERR_STORE_TRANSACTION_FOREIGN',
    `Expected tx to be ${expected}. Only a transaction on the database of the queue can hold the task.`,
  )
}
