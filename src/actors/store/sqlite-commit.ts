/**
 * Carries operations out in one transaction. First all of them in a row, since nothing fails as a rule; when one does,
 * the whole is rolled back and done again with a savepoint around each, so that only what fails is left out.
 */
import type { StoreAnswer, StoreOperation } from './operations.ts'
import { move, remove, retry } from './sqlite-acts.ts'
import { cancel } from './sqlite-cancel.ts'
import { claim, renew } from './sqlite-claim.ts'
import type { Sql, SqliteConnection } from './sqlite-driver.ts'
import { enqueue } from './sqlite-enqueue.ts'
import { isFatal, toStoreError } from './sqlite-error.ts'
import { overdue } from './sqlite-overdue.ts'
import { occur, schedule, unschedule } from './sqlite-schedules.ts'
import { progress, settle } from './sqlite-settle.ts'
import { beat, leave, prune, reclaim, tell } from './sqlite-upkeep.ts'

/** One operation failed by itself, the file is well. */
class OperationFailed extends Error {}

const HANDLERS = {
  enqueue,
  claim,
  renew,
  settle,
  progress,
  cancel,
  retry,
  move,
  remove,
  reclaim,
  overdue,
  schedule,
  unschedule,
  occur,
  prune,
  beat,
  leave,
  tell,
} as const

function carryOut(sql: Sql, operation: StoreOperation): StoreAnswer {
  const { type } = operation
  const handler = HANDLERS[type] as (sql: Sql, operation: StoreOperation) => never
  return { type, answer: handler(sql, operation) }
}

export async function commitOperations(
  connection: SqliteConnection,
  operations: readonly StoreOperation[],
): Promise<readonly StoreAnswer[]> {
  try {
    return await connection.transaction((sql) =>
      operations.map((operation) => {
        try {
          connection.fault('operation')
          return carryOut(sql, operation)
        } catch (error) {
          if (isFatal(error)) throw error
          throw new OperationFailed('', { cause: error })
        }
      }),
    )
  } catch (error) {
    if (!isOperationFailed(error)) throw error
  }
  return connection.transaction((sql) => operations.map((operation) => guarded(connection, sql, operation)))
}

function isOperationFailed(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof OperationFailed
}

function guarded(connection: SqliteConnection, sql: Sql, operation: StoreOperation): StoreAnswer {
  sql.statement('SAVEPOINT stateward').run()
  try {
    connection.fault('operation')
    const answer = carryOut(sql, operation)
    sql.statement('RELEASE stateward').run()
    return answer
  } catch (error) {
    if (isFatal(error)) throw error
    sql.statement('ROLLBACK TO stateward').run()
    sql.statement('RELEASE stateward').run()
    return { type: 'failed', error: toStoreError(error, connection.file) }
  }
}
