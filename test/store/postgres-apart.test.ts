/** What keeps one operation of a commit from being carried out keeps no other one. */
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { GroupCommit } from '../../src/actors/store/group-commit.ts'
import type { SettleOperation } from '../../src/actors/store/operations.ts'
import { openPostgresStore } from '../../src/actors/store/postgres-store.ts'
import type { Store } from '../../src/actors/store/store.ts'
import type { Lease, NewTask } from '../../src/actors/store/task-record.ts'
import { freshDatabase } from './postgres-kit.ts'
import { claimed, closing, enqueue, FINISHED, newTask, one, record } from './store-kit.ts'

test('what an index cannot hold fails alone', async () => {
  const store = await closing(openPostgresStore({ url: await freshDatabase() }))
  const good = newTask()
  // Random, since PostgreSQL packs what repeats itself.
  const long = randomBytes(4_000).toString('base64')
  const said = await store.commit([enqueue(1, newTask({ key: long })), enqueue(1, good)])
  expect(said.map(({ type }) => type)).toEqual(['failed', 'enqueue'])
  expect(said[0]).toMatchObject({ error: { code: 'ERR_STORE_FAILED' } })
  expect((await record(store, good.id)).state).toBe('pending')
})

/** A store, and a transaction that is open on its database and has stored `given`. */
async function withOpen(
  given: (store: Store) => Promise<Partial<NewTask>> | Partial<NewTask>,
): Promise<{ store: Store; client: pg.Client; task: NewTask }> {
  const url = await freshDatabase()
  const store = await closing(openPostgresStore({ url }))
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  onTestFinished(() => client.end())
  const task = newTask(await given(store))
  await client.query('BEGIN')
  await store.within?.(client, enqueue(1, task))
  return { store, client, task }
}

const STORED = { items: [{ kind: 'stored', replaced: null }] }

test('who waits for an open transaction keeps nobody else waiting', async () => {
  const { store, client, task } = await withOpen(() => ({ key: 'k' }))
  const group = new GroupCommit(store)
  const behind = group.submit(enqueue(2, newTask({ key: 'k' })))
  const free = [group.submit(enqueue(2, newTask({ key: 'other' }))), group.submit(cancel('nobody'))]
  expect(await Promise.all(free)).toEqual([STORED, { items: [{ kind: 'refused', code: 'ERR_RUN_UNKNOWN' }] }])
  expect(await group.submit(enqueue(3, newTask()))).toEqual(STORED)
  await client.query('COMMIT')
  expect(await behind).toEqual({ items: [{ kind: 'refused', code: 'ERR_TASK_KEY_TAKEN', id: task.id }] })
  await group.close()
})

const cancel = (id: string) => ({ type: 'cancel', at: 2, by: 'ann', ids: [id], reason: null }) as const

test('what is about the same waits with it, and stays in order', async () => {
  const { store, client } = await withOpen(() => ({ key: 'k' }))
  const group = new GroupCommit(store)
  const [first, kept, last] = [
    newTask({ key: 'k' }),
    newTask({ key: 'k', onConflict: 'keep' }),
    newTask({ key: 'k', onConflict: 'keep' }),
  ]
  const waiting = [group.submit(enqueue(2, first)), group.submit(enqueue(2, kept))]
  // A commit of its own later, when it is known that the first one waits.
  await group.submit(enqueue(2, newTask()))
  waiting.push(group.submit(cancel(first.id)) as never, group.submit(enqueue(3, last)))
  await group.submit(enqueue(3, newTask()))
  await client.query('ROLLBACK')
  expect(await Promise.all(waiting)).toEqual([
    STORED,
    { items: [{ kind: 'kept', id: first.id }] },
    { items: [{ kind: 'cancelled' }] },
    STORED,
  ])
  await group.close()
})

test('it waits for so long and no longer, and is told what is in its way', async () => {
  const { store, client } = await withOpen(() => ({ key: 'k' }))
  const group = new GroupCommit(store, { patienceMs: 30 })
  const said = await Promise.allSettled([
    group.submit(enqueue(2, newTask({ key: 'k' }))),
    group.submit(enqueue(2, newTask())),
  ])
  expect(said).toMatchObject([
    { status: 'rejected', reason: { code: 'ERR_STORE_BUSY' } },
    { status: 'fulfilled', value: STORED },
  ])
  expect(String((said[0] as PromiseRejectedResult).reason)).toMatch(/still open.*pass it as `tx`/)
  await client.query('ROLLBACK')
  await group.close()
})

test('what a daemon plans waits as well, beside the others', async () => {
  const { store, client } = await withOpen(() => ({}))
  const schedules = [{ name: 'daily', rule: '1', call: '{}', nextAt: 50 }]
  await one(store, { type: 'schedule', at: 1, by: 'ann', schedules })
  await client.query("SELECT * FROM stateward.schedule WHERE name = 'daily' FOR UPDATE")
  const group = new GroupCommit(store)
  const plan = { nextAt: 60, owed: null, lookAt: 60 }
  const seen = { nextAt: 50, owed: null, runId: null }
  const occurred = group.submit({
    type: 'occur',
    at: 50,
    by: 'd',
    name: 'daily',
    seen,
    task: newTask({ schedule: 'daily' }),
    plan,
  })
  expect(await group.submit(enqueue(2, newTask()))).toEqual(STORED)
  await client.query('COMMIT')
  expect(await occurred).toMatchObject({ kind: 'occurred', enqueued: { kind: 'stored' } })
  await group.close()
})

/** Some that run, and an open transaction that has replaced the first of them. */
async function withReplaced(count: number): Promise<{ store: Store; client: pg.Client; held: Lease[] }> {
  let held: readonly Lease[] = []
  const { store, client } = await withOpen(async (open) => {
    const others = Array.from({ length: count - 1 }, () => newTask())
    await one(open, enqueue(0, newTask({ key: 'k' }), ...others))
    held = (await claimed(open, 1)).tasks
    return { key: 'k', onConflict: 'replace' }
  })
  return { store, client, held: held.map(({ id, fence }) => ({ id, fence })) }
}

const settleAll = (leases: readonly Lease[]): SettleOperation => ({
  type: 'settle',
  at: 5,
  by: 'daemon',
  settlements: leases.map((lease) => ({ ...lease, verdict: FINISHED })),
})

test('a row that is locked keeps no other lease from being renewed', async () => {
  const { store, client, held } = await withReplaced(3)
  const leases = [...held, { id: 'nobody', fence: 1 }]
  const renew = { type: 'renew', at: 2, leaseUntil: 99_000, leases } as const
  expect((await one(store, renew)).items).toEqual([
    { kind: 'locked' },
    { kind: 'kept', request: null },
    { kind: 'kept', request: null },
    { kind: 'lost' },
  ])
  const report = { ...(held[0] as Lease), percent: 5, note: null }
  const progress = { type: 'progress', at: 2, reports: [report, { ...report, ...held[1] }] } as const
  expect((await one(store, progress)).items).toEqual([{ kind: 'lost' }, { kind: 'done' }])
  await client.query('COMMIT')
  expect((await one(store, renew)).items[0]).toMatchObject({ kind: 'kept', request: { replaced: true } })
})

test('nor any other task from its end; the end of that one follows', async () => {
  const { store, client, held } = await withReplaced(5)
  const group = new GroupCommit(store)
  const settled = { kind: 'settled', state: 'finished' }
  expect((await group.submit(settleAll(held))).items).toEqual([
    { kind: 'locked' },
    settled,
    settled,
    settled,
    settled,
  ])
  const end = group.submitLocked(settleAll(held.slice(0, 1)))
  await group.submit(enqueue(2, newTask()))
  await client.query('COMMIT')
  expect((await end).items).toEqual([settled])
  expect(await store.check()).toMatchObject({ ok: true })
  await group.close()
})
