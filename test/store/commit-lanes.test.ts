/** Many settlements and the claims of whoever settles are two commits, side by side. */
import { expect, test } from 'vitest'
import { laneOf, lanesOf } from '../../src/actors/store/commit-lanes.ts'
import { GroupCommit } from '../../src/actors/store/group-commit.ts'
import type { ClaimAnswer, StoreAnswer, StoreOperation, Verdict } from '../../src/actors/store/operations.ts'
import { openPostgresStore } from '../../src/actors/store/postgres-store.ts'
import { StoreError } from '../../src/actors/store/store-error.ts'
import type { Lease } from '../../src/actors/store/task-record.ts'
import { deferred } from '../support/deferred.ts'
import { turns } from '../support/turns.ts'
import { freshDatabase } from './postgres-kit.ts'
import { claim, claimed, closing, enqueue, FINISHED, newTask, one, record } from './store-kit.ts'

const COUNT = 100
const many = Array.from({ length: COUNT }, (_, index): Lease => ({ id: `t-${index}`, fence: 1 }))

const settleAll = (leases: readonly Lease[], verdict: Verdict = FINISHED): StoreOperation => ({
  type: 'settle',
  at: 100,
  by: 'daemon',
  settlements: leases.map(({ id, fence }) => ({ id, fence, verdict })),
})

const ENDS = settleAll(many)
const CLAIM = claim(100)
const TELL = { type: 'tell', message: 'x' } as const
const RETURNED = settleAll(many, { kind: 'returned' } as Verdict)

test('only ends and then claims are two commits, and only many', () => {
  expect(lanesOf([ENDS, ENDS, CLAIM, CLAIM])).toBe(2)
  const whole: StoreOperation[][] = [
    [ENDS],
    [CLAIM],
    [CLAIM, ENDS],
    [settleAll(many.slice(0, 3)), CLAIM],
    [RETURNED, CLAIM],
    [ENDS, { ...CLAIM, ids: ['parent'] }],
    [ENDS, enqueue(100, newTask()), CLAIM],
  ]
  expect(whole.map(lanesOf)).toEqual(whole.map(() => undefined))
  expect([[ENDS], [CLAIM, CLAIM], [RETURNED], [TELL], [ENDS, CLAIM]].map(laneOf)).toEqual([
    'ends',
    'claims',
    'whole',
    'whole',
    'whole',
  ])
})

const answersTo = (operations: readonly StoreOperation[]): StoreAnswer[] =>
  operations.map(({ type }) => {
    if (type === 'tell') return { type, answer: { told: 1 } }
    if (type === 'settle') return { type, answer: { items: [], joined: false } }
    return {
      type: 'claim',
      answer: { tasks: [], asked: [], nextAt: null, scheduleAt: null, overdueAt: null },
    }
  })

/** A store whose commits end when the test says so. */
function puppetStore(parallel: boolean) {
  const flying: (() => void)[] = []
  const failing: ((error: Error) => void)[] = []
  const seen: string[][] = []
  const capabilities = { engine: 'x', transaction: false, manyHosts: false, parallel, minLeaseMs: 1 }
  const commit = (operations: readonly StoreOperation[]): Promise<readonly StoreAnswer[]> => {
    const end = deferred<readonly StoreAnswer[]>()
    seen.push(operations.map(({ type }) => type))
    flying.push(() => end.resolve(answersTo(operations)))
    failing.push(end.reject)
    return end.promise
  }
  return { store: { commit, capabilities }, flying, failing, seen }
}

test('both come in one turn: two commits, each with a fate of its own', async () => {
  const { store, flying, failing, seen } = puppetStore(true)
  const group = new GroupCommit(store)
  const said = Promise.allSettled([group.submit(ENDS), group.submit(CLAIM)])
  await turns(2)
  expect(seen).toEqual([['settle'], ['claim']])
  const lost = new StoreError('ERR_STORE_UNREACHABLE', 'gone')
  failing[0]?.(lost)
  flying[1]?.()
  expect(await said).toMatchObject([{ status: 'rejected', reason: lost }, { status: 'fulfilled' }])
  await group.close()
})

test.each([
  ['ends beside claims', CLAIM, ENDS],
  ['claims beside ends', ENDS, CLAIM],
])('one goes while the other is on its way: %s', async (_, first, second) => {
  const { store, flying, seen } = puppetStore(true)
  const group = new GroupCommit(store)
  const said: Promise<unknown>[] = [group.submit(first)]
  await turns(2)
  said.push(group.submit(second))
  await turns(3)
  expect(seen).toEqual([[first.type], [second.type]])
  // The third waits for whichever is of its kind.
  const third = group.submit(first)
  await turns(3)
  expect(seen).toHaveLength(2)
  flying[0]?.()
  await turns(3)
  expect(seen).toHaveLength(3)
  flying[1]?.()
  flying[2]?.()
  await Promise.all([...said, third])
})

test.each([
  ['few ends', settleAll(many.slice(0, 3))],
  ['what waits again', RETURNED],
  ['anything else', TELL],
])('nothing else goes beside a claim: %s', async (_, other) => {
  const { store, flying, seen } = puppetStore(true)
  const group = new GroupCommit(store)
  const said: Promise<unknown>[] = [group.submit(CLAIM)]
  await turns(2)
  said.push(group.submit(other))
  await turns(3)
  expect(seen).toHaveLength(1)
  flying[0]?.()
  await turns(3)
  flying[1]?.()
  await Promise.all(said)
  expect(seen).toEqual([['claim'], [other.type]])
})

test('a store that works on one commit at a time is given one', async () => {
  const { store, flying, seen } = puppetStore(false)
  const group = new GroupCommit(store)
  const said: Promise<unknown>[] = [group.submit(ENDS), group.submit(CLAIM)]
  await turns(2)
  expect(seen).toEqual([['settle', 'claim']])
  said.push(group.submit(ENDS))
  await turns(3)
  expect(seen).toHaveLength(1)
  flying[0]?.()
  await turns(3)
  flying[1]?.()
  await Promise.all(said)
})

test('what ends and what is claimed beside it', async () => {
  const store = await closing(openPostgresStore({ url: await freshDatabase() }))
  const group = new GroupCommit(store)
  const tasks = Array.from({ length: 2 * COUNT }, () => newTask())
  await one(store, enqueue(0, ...tasks))
  const first = (await claimed(store, 10, { limit: COUNT })).tasks
  const [ended, next] = await Promise.all([group.submit(settleAll(first)), group.submit(CLAIM)])
  expect(ended).toEqual({
    joined: false,
    items: first.map(() => ({ kind: 'settled', state: 'finished' })),
  })
  expect((next as ClaimAnswer).tasks.map(({ id }) => id)).toEqual(tasks.slice(COUNT).map(({ id }) => id))
  expect(await store.check()).toMatchObject({ ok: true })
})

test('who waits for work is woken when a schedule is to be looked at since its run has ended', async () => {
  const store = await closing(openPostgresStore({ url: await freshDatabase() }))
  const run = newTask({ schedule: 'daily' })
  const daily = { name: 'daily', rule: '1', call: '{}', nextAt: 50 }
  await one(store, { type: 'schedule', at: 1, by: 'ann', schedules: [daily] })
  const plan = { nextAt: null, owed: null, lookAt: null }
  const seen = { nextAt: 50, owed: null, runId: null }
  await one(store, { type: 'occur', at: 50, by: 'd', name: 'daily', seen, task: run, plan })
  const first = await claimed(store, 60)
  expect([first.tasks.length, first.scheduleAt]).toEqual([1, null])
  // The line says once that it listens.
  let woken = deferred<void>()
  const end = store.wake('work', () => woken.resolve())
  await woken.promise
  woken = deferred<void>()
  await store.commit([settleAll(first.tasks)])
  await woken.promise
  end()
  expect(await claimed(store, 110)).toMatchObject({ scheduleAt: 100 })
  expect((await record(store, run.id)).state).toBe('finished')
})
