/**
 * Carries operations out in one transaction. Neighbours that enqueue or settle are carried out together. First all of
 * them without looking back, since nothing fails as a rule; when one does, or waits for a lock for too long, the whole is rolled
 * back and done again apart: one by one with a savepoint around each, so that only what fails or is locked is left out.
 */

import { isPatient, subjectsOf } from './operation-subjects.ts'
import type { SettleAnswer, StoreAnswer, StoreOperation } from './operations.ts'
import { move, remove, retry } from './postgres-acts.ts'
import { clockText } from './postgres-boss.ts'
import { cancel } from './postgres-cancel.ts'
import { claim, renew } from './postgres-claim.ts'
import { isConnectionLost, type PgDriver, type PgEnds, type PgSql } from './postgres-driver.ts'
import { enqueueAll } from './postgres-enqueue.ts'
import { overdue } from './postgres-overdue.ts'
import type { KnownNames, PgWork } from './postgres-rows.ts'
import { occur, schedule, unschedule } from './postgres-schedules.ts'
import { progress, settleAll } from './postgres-settle.ts'
import { beat, leave, prune, reclaim, tell } from './postgres-upkeep.ts'
import type { CommitHow } from './store.ts'
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

/** So long a commit waits for what somebody has locked, in ms: all in it wait, and all behind it. */
const LOCK_MS = 200
/** So long each operation waits that is carried out apart. */
const APART_LOCK_MS = 10

const lockText = (ms: number): string => `SET LOCAL lock_timeout = ${ms};`

export async function commitOperations(
  ports: CommitPorts,
  operations: readonly StoreOperation[],
  how: CommitHow,
): Promise<readonly StoreAnswer[]> {
  if (how === 'apart') return commitApart(ports, operations)
  const { driver } = ports
  const at = operations.find((operation) => operation.type === 'claim')?.at
  const clock = at === undefined ? '' : clockText(at)
  try {
    return await driver.transaction(
      async (sql) => {
        const work = { ...ports.workOn(sql), clock: { at } }
        const answers: StoreAnswer[] = []
        for (const run of runsOf(operations)) {
          await driver.fault('operation')
          answers.push(...(await carryOut(work, run).catch(ofOperation)))
        }
        return answers
      },
      endsOf(ports, LOCK_MS, clock),
    )
  } catch (error) {
    if (!isOperationFailed(error)) throw error
  }
  return commitApart(ports, operations)
}

function endsOf(ports: CommitPorts, lockMs: number, clock = ''): PgEnds<readonly StoreAnswer[]> {
  return {
    first: lockText(lockMs) + clock,
    // Commits that notify wait for each other, as long as it takes.
    last: (answers) => lockText(0) + ports.announcement(answers),
  }
}

function commitApart(
  ports: CommitPorts,
  operations: readonly StoreOperation[],
): Promise<readonly StoreAnswer[]> {
  const { driver } = ports
  return driver.transaction(
    async (sql) => {
      const answers: StoreAnswer[] = []
      /** What locked operations are about, and what they were answered. */
      const locked = new Map<string, StoreAnswer>()
      for (const operation of operations) {
        // A name that is noted here may be undone with its operation, and so may the clock.
        const work = { ...ports.workOn(sql), names: NONE_KNOWN, clock: { at: undefined } }
        const subjects = subjectsOf(operation)
        const before = subjects.find((subject) => locked.has(subject))
        const said =
          before === undefined
            ? await withoutLocked(driver, work, operation)
            : (locked.get(before) as StoreAnswer)
        if (isLocked(said) && isPatient(operation)) for (const subject of subjects) locked.set(subject, said)
        answers.push(said)
      }
      return answers
    },
    endsOf(ports, APART_LOCK_MS),
  )
}

function isLocked(said: StoreAnswer): boolean {
  return said.type === 'failed' && said.error instanceof StoreError && said.error.code === 'ERR_STORE_BUSY'
}

/** Of many settlements those that are locked are left out: they are found by halves. */
async function withoutLocked(
  driver: PgDriver,
  work: PgWork,
  operation: StoreOperation,
): Promise<StoreAnswer> {
  const said = await guarded(driver, work, operation)
  if (operation.type !== 'settle' || !isLocked(said)) return said
  const { settlements } = operation
  if (settlements.length === 1)
    return { type: 'settle', answer: { items: [{ kind: 'locked' }], joined: false } }
  const middle = Math.ceil(settlements.length / 2)
  const items: SettleAnswer[] = []
  let joined = false
  for (const half of [settlements.slice(0, middle), settlements.slice(middle)]) {
    const part = await withoutLocked(driver, work, { ...operation, settlements: half })
    if (part.type !== 'settle') return part
    items.push(...part.answer.items)
    joined ||= part.answer.joined
  }
  return { type: 'settle', answer: { items, joined } }
}

/** One operation failed by itself, the connection is well. */
class OperationFailed extends Error {}

/** Classes of SQLSTATE that lie in what was given: data, constraints, names of columns, limits, triggers of others that refuse it. */
const OWN_FAULT = /^(21|22|23|42|44|54|P0)/
/** `lock_timeout` is over. */
const LOCKED = '55P03'

function ofOperation(error: unknown): never {
  const { code } = error as { code?: string }
  const isOwn =
    error instanceof StoreError ||
    typeof code !== 'string' ||
    code === LOCKED ||
    (OWN_FAULT.test(code) && code !== '23505')
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
