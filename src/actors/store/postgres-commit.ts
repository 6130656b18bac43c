/**
 * Carries operations out in one transaction. Neighbours that enqueue or settle are carried out together. First all of
 * them without looking back, since nothing fails as a rule; when one does, the whole is rolled back and done again one by
 * one with a savepoint around each, so that only what fails is left out.
 */
import type { StoreAnswer, StoreOperation } from './operations.ts'
import { move, remove, retry } from './postgres-acts.ts'
import { clockText } from './postgres-boss.ts'
import { cancel } from './postgres-cancel.ts'
import { claim, renew } from './postgres-claim.ts'
import { isConnectionLost, type PgDriver, type PgSql } from './postgres-driver.ts'
import { enqueueAll } from './postgres-enqueue.ts'
import { overdue } from './postgres-overdue.ts'
import type { KnownNames, PgWork } from './postgres-rows.ts'
import { occur, schedule, unschedule } from './postgres-schedules.ts'
import { progress, settleAll } from './postgres-settle.ts'
import { beat, leave, prune, reclaim, tell } from './postgres-upkeep.ts'
import { StoreError } from './store-error.ts'

const HANDLERS = {
  claim,
  renew,
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
}

type Of<Type extends StoreOperation['type']> = Extract<StoreOperation, { type: Type }>

/** Some that are alike, in a row. */
async function carryOut(work: PgWork, alike: readonly StoreOperation[]): Promise<StoreAnswer[]> {
  const { type } = alike[0] as StoreOperation
  if (type === 'enqueue') {
    const operations = alike as readonly Of<'enqueue'>[]
    const items = operations.flatMap(({ at, by, tasks }) => tasks.map((task) => ({ task, at, by })))
    const answers = await enqueueAll(work, items)
    return operations.map(({ tasks }) => ({ type, answer: { items: answers.splice(0, tasks.length) } }))
  }
  if (type === 'settle') {
    const operations = alike as readonly Of<'settle'>[]
    const items = operations.flatMap(({ at, by, settlements }) =>
      settlements.map((settlement) => ({ ...settlement, at, by })),
    )
    const { answers, joined } = await settleAll(work, items)
    return operations.map(({ settlements }) => ({
      type,
      answer: { items: answers.splice(0, settlements.length), joined },
    }))
  }
  const handler = HANDLERS[type] as (work: PgWork, operation: StoreOperation) => Promise<never>
  const answers: StoreAnswer[] = []
  for (const operation of alike) answers.push({ type, answer: await handler(work, operation) })
  return answers
}

function* runsOf(operations: readonly StoreOperation[]): Generator<StoreOperation[]> {
  let run: StoreOperation[] = []
  for (const operation of operations) {
    if (run.length > 0 && run[0]?.type !== operation.type) {
      yield run
      run = []
    }
    run.push(operation)
  }
  if (run.length > 0) yield run
}

const NONE_KNOWN: KnownNames = { has: () => false, note: () => {} }

export interface CommitPorts {
  readonly driver: PgDriver
  /** What operations run on, in a transaction. */
  workOn(sql: PgSql): PgWork
  /** A statement that tells others of it, once the transaction is through. */
  announcement(answers: readonly StoreAnswer[]): string
}

export async function commitOperations(
  ports: CommitPorts,
  operations: readonly StoreOperation[],
): Promise<readonly StoreAnswer[]> {
  const { driver } = ports
  const at = operations.find((operation) => operation.type === 'claim')?.at
  const ends = {
    first: at === undefined ? '' : clockText(at),
    last: (answers: readonly StoreAnswer[]) => ports.announcement(answers),
  }
  try {
    return await driver.transaction(async (sql) => {
      const work = { ...ports.workOn(sql), clock: { at } }
      const answers: StoreAnswer[] = []
      for (const run of runsOf(operations)) {
        await driver.fault('operation')
        answers.push(...(await carryOut(work, run).catch(ofOperation)))
      }
      return answers
    }, ends)
  } catch (error) {
    if (!isOperationFailed(error)) throw error
  }
  return driver.transaction(async (sql) => {
    const answers: StoreAnswer[] = []
    for (const operation of operations) {
      // A name that is noted here may be undone with its operation, and so may the clock.
      const work = { ...ports.workOn(sql), names: NONE_KNOWN, clock: { at: undefined } }
      answers.push(await guarded(driver, work, operation))
    }
    return answers
  }, ends)
}

/** One operation failed by itself, the connection is well. */
class OperationFailed extends Error {}

/** Classes of SQLSTATE that lie in what was given: data, constraints, names of columns, limits, triggers of others that refuse it. */
const OWN_FAULT = /^(21|22|23|42|44|54|P0)/

function ofOperation(error: unknown): never {
  const { code } = error as { code?: string }
  const isOwn =
    error instanceof StoreError || typeof code !== 'string' || (OWN_FAULT.test(code) && code !== '23505')
  if (isConnectionLost(error) || !isOwn) throw error
  throw new OperationFailed('', { cause: error })
}

function isOperationFailed(error: unknown): boolean {
  return error instanceof OperationFailed || (error as Error).cause instanceof OperationFailed
}

async function guarded(driver: PgDriver, work: PgWork, operation: StoreOperation): Promise<StoreAnswer> {
  const { sql } = work
  await sql.rows('SAVEPOINT stateward')
  try {
    await driver.fault('operation')
    const [answer] = await carryOut(work, [operation])
    await sql.rows('RELEASE SAVEPOINT stateward')
    return answer as StoreAnswer
  } catch (error) {
    try {
      ofOperation(error)
    } catch (failed) {
      if (!(failed instanceof OperationFailed)) throw failed
    }
    await sql.rows('ROLLBACK TO SAVEPOINT stateward')
    return { type: 'failed', error: driver.toStoreError(error) }
  }
}
