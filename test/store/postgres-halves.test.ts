/** Many settlements and the claims after them are two transactions. */
import { expect, test } from 'vitest'
import type { StoreAnswer, StoreOperation, Verdict } from '../../src/actors/store/operations.ts'
import { commitHalves, halvesOf } from '../../src/actors/store/postgres-halves.ts'
import { openPostgresStore } from '../../src/actors/store/postgres-store.ts'
import { StoreError } from '../../src/actors/store/store-error.ts'
import type { Lease } from '../../src/actors/store/task-record.ts'
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

test('only ends and then claims are done in halves, and only many', () => {
  expect(halvesOf([ENDS, CLAIM, CLAIM])).toEqual({ ends: [ENDS], claims: [CLAIM, CLAIM] })
  const returned = settleAll(many, { kind: 'returned' } as Verdict)
  const whole: StoreOperation[][] = [
    [ENDS],
    [CLAIM],
    [CLAIM, ENDS],
    [settleAll(many.slice(0, 3)), CLAIM],
    [returned, CLAIM],
    [ENDS, { ...CLAIM, ids: ['parent'] }],
    [ENDS, enqueue(100, newTask()), CLAIM],
  ]
  expect(whole.map(halvesOf)).toEqual(whole.map(() => undefined))
})

test('what ends and what is claimed beside it', async () => {
  const store = await closing(openPostgresStore({ url: await freshDatabase() }))
  const tasks = Array.from({ length: 2 * COUNT }, () => newTask())
  await one(store, enqueue(0, ...tasks))
  const first = (await claimed(store, 10, { limit: COUNT })).tasks
  const [ended, next] = await store.commit([settleAll(first), claim(100)])
  expect(ended).toEqual({
    type: 'settle',
    answer: { joined: false, items: first.map(() => ({ kind: 'settled', state: 'finished' })) },
  })
  const ids = next?.type === 'claim' ? next.answer.tasks.map(({ id }) => id) : []
  expect(ids).toEqual(tasks.slice(COUNT).map(({ id }) => id))
  expect(await store.check()).toMatchObject({ ok: true })
})

test('the claim knows of a schedule whose run has ended beside it', async () => {
  const store = await closing(openPostgresStore({ url: await freshDatabase() }))
  const run = newTask({ schedule: 'daily' })
  const daily = { name: 'daily', rule: '1', call: '{}', nextAt: 50 }
  await one(store, { type: 'schedule', at: 1, by: 'ann', schedules: [daily] })
  const plan = { nextAt: null, owed: null, lookAt: null }
  const seen = { nextAt: 50, owed: null }
  await one(store, { type: 'occur', at: 50, by: 'd', name: 'daily', seen, task: run, plan })
  await one(store, enqueue(50, ...many.map(() => newTask())))
  const first = await claimed(store, 60)
  expect([first.tasks.length, first.scheduleAt]).toEqual([COUNT + 1, null])
  const [, next] = await store.commit([settleAll(first.tasks), CLAIM])
  expect(next).toMatchObject({ type: 'claim', answer: { scheduleAt: 100 } })
  expect((await record(store, run.id)).state).toBe('finished')
})

const answers = (operations: readonly StoreOperation[]): StoreAnswer[] =>
  operations.map(({ type }) =>
    type === 'claim'
      ? { type, answer: { tasks: [], asked: [], nextAt: null, scheduleAt: 170, overdueAt: null } }
      : ({ type, answer: { items: [], joined: false } } as StoreAnswer),
  )
const LOST = new StoreError('ERR_STORE_UNREACHABLE', 'gone')

/** Commits in halves, of which those with this type fail. */
const halves = (failing: readonly string[], scheduleAt: () => Promise<number | null>) =>
  commitHalves(
    { ends: [ENDS], claims: [CLAIM] },
    {
      commit: async (operations) => {
        if (operations.some(({ type }) => failing.includes(type))) throw LOST
        return answers(operations)
      },
      scheduleAt,
    },
  )

test.each([
  ['sooner than the claim saw', async () => 150, 150],
  ['later', async () => 190, 170],
  ['never', async () => null, 170],
  ['not known', async () => Promise.reject(LOST), CLAIM.at],
])('schedules are looked at when the claim says so, or the ends: %s', async (_, scheduleAt, expected) => {
  const [, said] = await halves([], scheduleAt)
  expect(said).toMatchObject({ type: 'claim', answer: { scheduleAt: expected } })
})

test('a half that fails leaves the other one', async () => {
  const failed = { type: 'failed', error: LOST }
  expect(await halves(['claim'], async () => null)).toEqual([...answers([ENDS]), failed])
  const [lost, next] = await halves(['settle'], async () => null)
  expect([lost, next?.type]).toEqual([failed, 'claim'])
  await expect(halves(['claim', 'settle'], async () => null)).rejects.toBe(LOST)
})
