/** Enqueues inside of the user's own transaction. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it, onTestFinished } from 'vitest'
import { openSqliteStore } from '../../src/actors/store/sqlite-store.ts'
import type { Store } from '../../src/actors/store/store.ts'
import { turns } from '../support/turns.ts'
import { claimed, closing, enqueue, newTask, put, temporaryFolder } from './store-kit.ts'

const place = async (): Promise<{ store: Store; database: DatabaseSync; folder: string }> => {
  const folder = await temporaryFolder()
  const file = join(folder, 'app.db')
  const database = new DatabaseSync(file)
  onTestFinished(() => database.close())
  database.exec('CREATE TABLE orders (id TEXT)')
  return { store: await closing(openSqliteStore({ file })), database, folder }
}

it('stores the task with what else the transaction holds, before it returns', async () => {
  const { store, database } = await place()
  const task = newTask()
  database.exec("BEGIN; INSERT INTO orders VALUES ('o1')")
  const answer = store.within?.(database, enqueue(3, task))
  database.exec('COMMIT')
  expect(await answer).toEqual({ items: [{ kind: 'stored', replaced: null }] })
  expect((await claimed(store, 4)).tasks).toMatchObject([{ id: task.id, createdAt: 3 }])
})

it('never happened when the transaction is rolled back', async () => {
  const { store, database } = await place()
  const task = newTask({ key: 'k' })
  database.exec("BEGIN; INSERT INTO orders VALUES ('o1')")
  await store.within?.(database, enqueue(3, task))
  expect(await store.get([task.id])).toEqual([undefined])
  database.exec('ROLLBACK')
  expect(await store.get([task.id])).toEqual([undefined])
  expect(database.prepare('SELECT count(*) AS count FROM orders').get()).toEqual({ count: 0 })
  await put(store, { id: task.id, key: 'k' })
})

it.each(['COMMIT', 'ROLLBACK', undefined])(
  'bears with a connection that is closed right after %s',
  async (last) => {
    const { store, folder } = await place()
    const own = new DatabaseSync(join(folder, 'app.db'))
    own.exec('BEGIN IMMEDIATE')
    const task = newTask()
    const answer = store.within?.(own, enqueue(3, task))
    if (last !== undefined) own.exec(last)
    own.close()
    await answer
    // After the turn in which it was stored, the store looks whether the transaction is over.
    await turns(5)
    expect((await store.get([task.id])).map((found) => found?.id)).toEqual([
      last === 'COMMIT' ? task.id : undefined,
    ])
  },
)

it('takes a connection that has the database attached', async () => {
  const { store, folder } = await place()
  const other = new DatabaseSync(join(folder, 'other.db'))
  onTestFinished(() => other.close())
  other.prepare('ATTACH DATABASE ? AS queue').run(join(folder, 'app.db'))
  other.exec('BEGIN')
  const task = newTask()
  await store.within?.(other, enqueue(3, task))
  other.exec('COMMIT')
  expect(await store.get([task.id])).toMatchObject([{ id: task.id }])
})

it('leaves the transaction usable when the task cannot be stored', async () => {
  const { store, database } = await place()
  const good = newTask()
  database.exec("BEGIN; INSERT INTO orders VALUES ('o1')")
  const bad = store.within?.(database, enqueue(3, newTask(), newTask({ name: null as never })))
  await expect(bad).rejects.toMatchObject({ code: 'ERR_STORE_FAILED' })
  await store.within?.(database, enqueue(3, good))
  database.exec('COMMIT')
  expect((await claimed(store, 4)).tasks.map(({ id }) => id)).toEqual([good.id])
})

it('refuses what is no transaction on this database', async () => {
  const { store, database } = await place()
  const memory = new DatabaseSync(':memory:')
  onTestFinished(() => memory.close())
  memory.exec('BEGIN')
  for (const [transaction, sentence] of [
    [{}, 'a DatabaseSync'],
    [database, 'BEGIN comes first'],
    [memory, 'a connection to'],
  ] as const) {
    const error = await store.within?.(transaction, enqueue(3, newTask())).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ code: 'ERR_STORE_TRANSACTION_FOREIGN' })
    expect((error as Error).message).toContain(sentence)
  }
  expect((await claimed(store, 4)).tasks).toEqual([])
})
