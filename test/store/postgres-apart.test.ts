/** What keeps one operation of a commit from being carried out keeps no other one. */
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { openPostgresStore } from '../../src/actors/store/postgres-store.ts'
import { freshDatabase } from './postgres-kit.ts'
import { closing, enqueue, newTask, record } from './store-kit.ts'

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
