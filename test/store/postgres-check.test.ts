/** What `doctor` finds in a PostgreSQL store, and what the user of a store has to be granted. */
import { expect, onTestFinished, test } from 'vitest'
import { openPostgresStore } from '../../src/actors/store/postgres-store.ts'
import { freshDatabase, onServer } from './postgres-kit.ts'
import { claimed, closing, one, put, record } from './store-kit.ts'

test('a task that pg-boss does not know is found, and mended as is said', async () => {
  const url = await freshDatabase()
  const store = await closing(openPostgresStore({ url }))
  const { id } = await put(store)
  await onServer(url, 'DELETE FROM stateward_boss.job')
  expect((await store.check()).problems).toEqual([
    `1 task is waiting, but not handed out by pg-boss (mended by: stateward move ${id} --in 0s).`,
  ])
  await one(store, { type: 'move', at: 5, by: 'ann', ids: [id], runAt: 5 })
  expect((await store.check()).problems).toEqual([])
  expect((await claimed(store, 6)).tasks).toMatchObject([{ id }])
})

let serial = 0

/** The URL of a role that is granted `rights` on the tables, dropped with the test. */
async function roleWith(url: string, rights: string): Promise<string> {
  serial += 1
  const role = `stateward_role_${process.pid}_${serial}`
  const schemas = 'stateward, stateward_boss'
  await onServer(
    url,
    `CREATE ROLE ${role} LOGIN PASSWORD 'secret'`,
    `GRANT USAGE ON SCHEMA ${schemas} TO ${role}`,
    `GRANT ${rights} ON ALL TABLES IN SCHEMA ${schemas} TO ${role}`,
  )
  onTestFinished(() => onServer(url, `DROP OWNED BY ${role}`, `DROP ROLE ${role}`).then(() => {}))
  const own = new URL(url)
  own.username = role
  own.password = 'secret'
  return own.href
}

test('a role that may only read sees all, and is told what it may not', async () => {
  const url = await freshDatabase()
  const { id } = await put(await closing(openPostgresStore({ url })))
  const reader = await closing(openPostgresStore({ url: await roleWith(url, 'SELECT'), create: false }))
  expect((await record(reader, id)).state).toBe('pending')
  expect(await reader.counts(1)).toMatchObject({ queued: 1 })
  expect((await reader.list({}, { limit: 9, order: 'newest' }, 1)).items).toHaveLength(1)
  expect(await reader.check()).toMatchObject({ ok: true })
  await expect(put(reader)).rejects.toMatchObject({
    code: 'ERR_STORE_NOT_WRITABLE',
    message: expect.stringMatching(/lacks a right .*permission denied for .*GRANT/),
  })
})

test('a role that may write rows does all the work', async () => {
  const url = await freshDatabase()
  await put(await closing(openPostgresStore({ url })))
  const rights = 'SELECT, INSERT, UPDATE, DELETE'
  const worker = await closing(openPostgresStore({ url: await roleWith(url, rights) }))
  await put(worker)
  expect((await claimed(worker, 6)).tasks).toHaveLength(2)
})
