/** Enqueues inside of the user's own transaction, on a client of his own. */
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { openPostgresStore } from '../../src/actors/store/postgres-store.ts'
import type { Store } from '../../src/actors/store/store.ts'
import { openQueue } from '../../src/runtime/durable/index.ts'
import { taskOf } from '../support/harness.ts'
import { freshDatabase } from './postgres-kit.ts'
import { claimed, closing, enqueue, newTask, put } from './store-kit.ts'

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

async function place(): Promise<{ store: Store; client: pg.Client; url: string }> {
  const url = await freshDatabase()
  const client = await connected(url)
  await client.query('CREATE TABLE orders (id text)')
  return { store: await closing(openPostgresStore({ url })), client, url }
}

test('stores the task with what else the transaction holds, and wakes when it is over', async () => {
  const { store, client } = await place()
  const listening = Promise.withResolvers<void>()
  let woken = listening
  store.wake('work', () => woken.resolve())
  await listening.promise
  const task = newTask()
  await client.query('BEGIN')
  await client.query("INSERT INTO orders VALUES ('o1')")
  expect(await store.within?.(client, enqueue(3, task))).toEqual({
    items: [{ kind: 'stored', replaced: null }],
  })
  expect((await claimed(store, 4)).tasks).toEqual([])
  woken = Promise.withResolvers()
  await client.query('COMMIT')
  await woken.promise
  expect((await claimed(store, 4)).tasks).toMatchObject([{ id: task.id, createdAt: 3 }])
})

test('never happened when the transaction is rolled back', async () => {
  const { store, client } = await place()
  const task = newTask({ key: 'k' })
  await client.query('BEGIN')
  await store.within?.(client, enqueue(3, task))
  await client.query('ROLLBACK')
  expect(await store.get([task.id])).toEqual([undefined])
  await put(store, { id: task.id, key: 'k' })
  expect((await claimed(store, 4)).tasks).toHaveLength(1)
  expect(await store.check()).toMatchObject({ ok: true })
})

test('others need not wait for its end to use a name of a definition for the first time', async () => {
  const { store, client, url } = await place()
  const other = await closing(openPostgresStore({ url }))
  await client.query('BEGIN')
  await store.within?.(client, enqueue(3, newTask({ name: 'fresh' })))
  const task = await put(other, { name: 'fresh' })
  await client.query('ROLLBACK')
  await put(store, { name: 'fresh' })
  expect((await claimed(store, 4, { names: ['known'] })).tasks).toEqual([])
  expect((await claimed(store, 4)).tasks).toMatchObject([{ id: task.id }, { name: 'fresh' }])
})

test('leaves the transaction usable when the task cannot be stored', async () => {
  const { store, client } = await place()
  const good = newTask()
  await client.query('BEGIN')
  await client.query("INSERT INTO orders VALUES ('o1')")
  const bad = store.within?.(client, enqueue(3, newTask(), newTask({ name: null as never })))
  await expect(bad).rejects.toMatchObject({ code: 'ERR_STORE_FAILED' })
  await store.within?.(client, enqueue(3, good))
  await client.query('COMMIT')
  expect((await claimed(store, 4)).tasks.map(({ id }) => id)).toEqual([good.id])
  expect((await client.query('SELECT id FROM orders')).rows).toEqual([{ id: 'o1' }])
})

test('refuses what is no transaction on this database', async () => {
  const { store, client, url } = await place()
  const pool = new pg.Pool({ connectionString: url })
  onTestFinished(() => pool.end())
  const other = await connected(await freshDatabase())
  await other.query('BEGIN')
  for (const [transaction, sentence] of [
    [{}, 'a client of pg'],
    [pool, 'not a pool'],
    [client, 'BEGIN comes first'],
    [other, 'a connection to'],
  ] as const) {
    const error = await store.within?.(transaction, enqueue(3, newTask())).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ code: 'ERR_STORE_TRANSACTION_FOREIGN' })
    expect((error as Error).message).toContain(sentence)
  }
  await other.query('ROLLBACK')
  expect((await claimed(store, 4)).tasks).toEqual([])
})

test('is what enqueue() of a queue does with tx', async () => {
  const { client, url } = await place()
  const queue = await openQueue({ url })
  onTestFinished(() => queue.close())
  const mail = taskOf<{ to: string }>(() => undefined)
  await client.query('BEGIN')
  const { id } = await queue.enqueue(mail, { to: 'ann' }, { tx: client })
  expect(await queue.get(id)).toBeUndefined()
  await client.query('COMMIT')
  expect(await queue.get(id)).toMatchObject({ state: 'queued', input: { to: 'ann' } })
})
