/** What tests of stores begin with. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type {
  AnswerTable,
  ClaimAnswer,
  ClaimOperation,
  EnqueueOperation,
  StoreOperation,
  Verdict,
} from '../../src/actors/store/operations.ts'
import type { Store } from '../../src/actors/store/store.ts'
import type { Lease, NewTask, TaskRecord } from '../../src/actors/store/task-record.ts'

/** Where a store keeps its data, and how to open one more connection to it. */
export interface StorePlace {
  open(): Promise<Store>
}

let serial = 0

export function newTask(given: Partial<NewTask> = {}): NewTask {
  serial += 1
  return {
    id: `task-${serial}`,
    name: 'work',
    version: 1,
    input: `{"n":${serial}}`,
    options: null,
    description: null,
    metadata: null,
    priority: 'normal',
    runAt: 0,
    key: null,
    onConflict: 'reject',
    schedule: null,
    ...given,
  }
}

/** Carries one operation out. */
export async function one<Operation extends StoreOperation>(
  store: Store,
  operation: Operation,
): Promise<AnswerTable[Operation['type']]> {
  const [said] = await store.commit([operation])
  if (said === undefined) throw new Error('no answer')
  if (said.type === 'failed') throw said.error
  if (said.type !== operation.type) throw new Error(`${operation.type} was answered by ${said.type}`)
  return said.answer as AnswerTable[Operation['type']]
}

export const ROOM = { critical: 1_000, high: 1_000, normal: 1_000, low: 1_000 }

export const enqueue = (at: number, ...tasks: NewTask[]): EnqueueOperation => ({
  type: 'enqueue',
  at,
  by: 'web',
  tasks,
})

export async function put(store: Store, given: Partial<NewTask> = {}, at = 0): Promise<NewTask> {
  const task = newTask(given)
  await one(store, enqueue(at, task))
  return task
}

export const claim = (at: number, given: Partial<ClaimOperation> = {}): ClaimOperation => ({
  type: 'claim',
  at,
  holder: 'daemon',
  leaseUntil: at + 10_000,
  room: ROOM,
  limit: 1_000,
  ...given,
})

export const claimed = (
  store: Store,
  at: number,
  given: Partial<ClaimOperation> = {},
): Promise<ClaimAnswer> => one(store, claim(at, given))

export function settle(
  store: Store,
  lease: Lease,
  verdict: Verdict,
  at = 100,
): Promise<AnswerTable['settle']['items'][number] | undefined> {
  const settlements = [{ id: lease.id, fence: lease.fence, verdict }]
  return one(store, { type: 'settle', at, by: 'daemon', settlements }).then(({ items }) => items[0])
}

export const FINISHED: Verdict = { kind: 'finished', result: '"ok"', reason: null }

export async function record(store: Store, id: string): Promise<TaskRecord> {
  const [found] = await store.get([id])
  if (found === undefined) throw new Error(`no task ${id}`)
  return found
}

/** A folder that is removed with the test. */
export async function temporaryFolder(parent = tmpdir()): Promise<string> {
  const folder = await mkdtemp(join(parent, 'stateward-store-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Closes the store with the test. */
export async function closing(opening: Promise<Store>): Promise<Store> {
  const store = await opening
  onTestFinished(() => store.close())
  return store
}
