/** Enqueues inside of a transaction on a connection of the caller's. */
import type { AnswerTable, EnqueueOperation } from './operations.ts'
import { type PgClient, type PgDriver, type PgSql, sqlOn } from './postgres-driver.ts'
import { enqueueAll } from './postgres-enqueue.ts'
import type { PgWork } from './postgres-rows.ts'
import { storeId } from './postgres-schema.ts'
import { StoreError } from './store-error.ts'

/** @throws StoreError; its statements are undone, the caller's transaction goes on */
export async function enqueueWithin(
  connection: unknown,
  given: {
    driver: PgDriver
    store: string
    workOn(sql: PgSql): PgWork
    /** Stores names of definitions apart: who needs one of them would wait for the end of the caller's transaction. */
    noteNames(names: readonly string[]): Promise<void>
  },
  { tasks, at, by }: EnqueueOperation,
  announce: (sql: PgSql) => Promise<void>,
): Promise<AnswerTable['enqueue']> {
  if (!isClient(connection)) throw foreign('a client of pg: one with query(), not a pool')
  const sql = sqlOn(connection, false)
  await beginSavepoint(sql)
  try {
    if ((await storeId(sql).catch(() => '')) !== given.store)
      throw foreign(`a connection to ${given.driver.place}`)
    await given.noteNames(tasks.map(({ name }) => name))
    const items = await enqueueAll(
      given.workOn(sql),
      tasks.map((task) => ({ task, at, by })),
    )
    await announce(sql)
    await sql.rows('RELEASE SAVEPOINT stateward')
    return { items }
  } catch (error) {
    await sql.rows('ROLLBACK TO SAVEPOINT stateward').catch(() => {})
    throw given.driver.toStoreError(error)
  }
}

/** A pool would run each statement on another connection. */
function isClient(connection: unknown): connection is Pick<PgClient, 'query'> {
  if (typeof connection !== 'object' || connection === null) return false
  return 'query' in connection && typeof connection.query === 'function' && !('totalCount' in connection)
}

async function beginSavepoint(sql: PgSql): Promise<void> {
  try {
    await sql.rows('SAVEPOINT stateward')
  } catch (error) {
    if ((error as { code?: string }).code !== '25P01') throw error
    throw foreign('inside of a transaction: BEGIN comes first')
  }
}

function foreign(expected: string): StoreError {
  return new StoreError(
    'ERR_STORE_TRANSACTION_FOREIGN',
    `Expected tx to be ${expected}. Only a transaction on the database of the queue can hold the task.`,
  )
}
