/** What a SQLite store says to a file that it cannot use, and that it leaves it alone. */
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Worker } from 'node:worker_threads'
import { expect, it, onTestFinished } from 'vitest'
import { SCHEMA_VERSION } from '../../src/actors/store/sqlite-schema.ts'
import { openSqliteStore } from '../../src/actors/store/sqlite-store.ts'
import { NO_BOUNDS } from '../../src/machines/overdue.ts'
import { until } from '../support/until.ts'
import { claimed, closing, enqueue, newTask, one, put, record, temporaryFolder } from './store-kit.ts'

const isRoot = process.getuid?.() === 0

it('says that the folder is missing', async () => {
  const file = join(await temporaryFolder(), 'no', 'tasks.db')
  const error = await openSqliteStore({ file }).catch((thrown: Error) => thrown)
  expect(error).toMatchObject({ name: 'StoreError', code: 'ERR_STORE_FOLDER_MISSING' })
  expect((error as Error).message).toContain('does not exist')
})

it('says that the file is a folder', async () => {
  const file = join(await temporaryFolder(), 'tasks.db')
  await mkdir(file)
  await expect(openSqliteStore({ file })).rejects.toMatchObject({ code: 'ERR_STORE_NOT_WRITABLE' })
})

it.skipIf(isRoot)('says that folder or file are not writable', async () => {
  const folder = await temporaryFolder()
  const file = join(folder, 'tasks.db')
  await writeFile(file, '')
  await chmod(file, 0o444)
  await expect(openSqliteStore({ file })).rejects.toMatchObject({ code: 'ERR_STORE_NOT_WRITABLE' })
  await chmod(folder, 0o555)
  await expect(openSqliteStore({ file })).rejects.toMatchObject({ code: 'ERR_STORE_NOT_WRITABLE' })
  await chmod(folder, 0o755)
})

it.runIf(process.platform === 'linux')('says that a folder takes no file, whoever asks', async () => {
  await expect(openSqliteStore({ file: '/proc/tasks.db' })).rejects.toMatchObject({
    code: 'ERR_STORE_NOT_WRITABLE',
  })
})

it('says that it is no database, and does not touch it', async () => {
  const folder = await temporaryFolder()
  const file = join(folder, 'notes.txt')
  await writeFile(file, 'dear diary, this is not a database at all')
  await expect(openSqliteStore({ file })).rejects.toMatchObject({ code: 'ERR_STORE_CORRUPT' })
  expect(await readFile(file, 'utf8')).toContain('dear diary')
  expect(await readdir(folder)).toEqual(['notes.txt'])
})

it('says that the end of a database is missing, and does not touch it', async () => {
  const file = join(await temporaryFolder(), 'tasks.db')
  const store = await openSqliteStore({ file })
  await one(store, enqueue(0, ...Array.from({ length: 500 }, () => newTask())))
  // What is not in the file yet is beside it.
  await (await openSqliteStore({ file })).close()
  await store.close()
  const whole = await readFile(file)
  const part = whole.subarray(0, whole.length / 2)
  await writeFile(file, part)
  const error = await openSqliteStore({ file }).catch((thrown: Error) => thrown)
  expect(error).toMatchObject({ code: 'ERR_STORE_CORRUPT' })
  expect((error as Error).message).toContain('its end is missing')
  expect(await readFile(file)).toEqual(part)
  await writeFile(file, whole)
  await (await openSqliteStore({ file })).close()
})

it('says that a database is damaged: at the next statement, and to doctor', async () => {
  const file = join(await temporaryFolder(), 'tasks.db')
  const store = await openSqliteStore({ file })
  await one(
    store,
    enqueue(0, ...Array.from({ length: 500 }, () => newTask({ input: `"${'x'.repeat(500)}"` }))),
  )
  await store.close()
  const bytes = await readFile(file)
  bytes.fill(0x5a, 100_000, 250_000)
  await writeFile(file, bytes)
  const damaged = await closing(openSqliteStore({ file }))
  const { ok, problems } = await damaged
    .check()
    .catch((error: { code: string }) => ({ ok: false, problems: [error.code] }))
  expect(ok).toBe(false)
  expect(problems.length).toBeGreaterThan(0)
  await expect(damaged.list({}, { limit: 1_000, order: 'oldest' }, 0)).rejects.toMatchObject({
    code: 'ERR_STORE_CORRUPT',
  })
})

it.each([
  ['nfs', 0x6969],
  ['cifs', 0xff534d42 | 0],
  ['smb2', 0xfe534d42],
  ['fuse', 0x65735546],
])('refuses a network file system: %s', async (name, type) => {
  const folder = await temporaryFolder()
  const file = join(folder, 'tasks.db')
  const options = { file, fileSystem: async () => ({ type, freeBytes: 1 << 30 }) }
  const error = await openSqliteStore(options).catch((thrown: Error) => thrown)
  expect(error).toMatchObject({ code: 'ERR_STORE_NETWORK_FILE_SYSTEM' })
  expect((error as Error).message).toContain(`(${name})`)
  expect(await readdir(folder)).toEqual([])
  await closing(openSqliteStore({ ...options, allowNetworkFileSystem: true }))
})

it('tells of a disk that is almost full', async () => {
  const file = join(await temporaryFolder(), 'tasks.db')
  let freeBytes = 16 << 20
  const fileSystem = async () => ({ type: 0, freeBytes })
  const store = await closing(openSqliteStore({ file, fileSystem }))
  expect(await store.check()).toMatchObject({ ok: true, problems: [], facts: { freeBytes } })
  freeBytes -= 1
  expect(await store.check()).toMatchObject({
    ok: false,
    problems: [`The disk of ${file} is almost full: 15.9 MiB are left. A task that does not fit is refused.`],
    facts: { freeBytes },
  })
  expect((await (await closing(openSqliteStore({ file }))).check()).facts.freeBytes).toBeGreaterThan(0)
})

it('refuses a schema newer than the code', async () => {
  const file = join(await temporaryFolder(), 'tasks.db')
  await (await openSqliteStore({ file })).close()
  const database = new DatabaseSync(file)
  database.exec('UPDATE stateward_schema SET version = 99')
  database.close()
  const error = await openSqliteStore({ file }).catch((thrown: Error) => thrown)
  expect(error).toMatchObject({ code: 'ERR_STORE_SCHEMA_NEWER' })
  expect((error as Error).message).toContain('99')
  await expect(openSqliteStore({ file, migrate: true })).rejects.toMatchObject({
    code: 'ERR_STORE_SCHEMA_NEWER',
  })
})

const UNDO_4 = `DROP TRIGGER stateward_call_removed; DROP TABLE stateward_call; ALTER TABLE stateward_task DROP COLUMN rest;`
const UNDO_3 = `${UNDO_4} DROP INDEX stateward_task_overdue; ALTER TABLE stateward_task DROP COLUMN overdue_at;
  ALTER TABLE stateward_task DROP COLUMN queue_timeout_ms; ALTER TABLE stateward_task DROP COLUMN deadline_ms;
  ALTER TABLE stateward_task DROP COLUMN expires_at; ALTER TABLE stateward_task DROP COLUMN ended_by;`

it('brings a file of version 1 up to date when it is told to, with its tasks', async () => {
  const file = join(await temporaryFolder(), 'tasks.db')
  const first = await openSqliteStore({ file })
  const { id } = await put(first)
  await first.close()
  const database = new DatabaseSync(file)
  database.exec(`${UNDO_3} DROP TRIGGER stateward_task_joined; DROP INDEX stateward_task_child;
    DROP INDEX stateward_task_live_child; DROP INDEX stateward_task_forked;
    ALTER TABLE stateward_task DROP COLUMN parent; ALTER TABLE stateward_task DROP COLUMN parent_step;
    ALTER TABLE stateward_task DROP COLUMN fork_from; ALTER TABLE stateward_task DROP COLUMN fork_to;
    UPDATE stateward_schema SET version = 1`)
  database.close()
  const error = await openSqliteStore({ file }).catch((thrown: Error) => thrown)
  expect(error).toMatchObject({ code: 'ERR_STORE_SCHEMA_OLDER' })
  const store = await closing(openSqliteStore({ file, migrate: true }))
  expect(await record(store, id)).toMatchObject({ state: 'pending', parent: null })
  expect(await store.migrate()).toEqual({ from: SCHEMA_VERSION, to: SCHEMA_VERSION })
})

it('brings a file of version 2 up to date: what it holds waits without bounds', async () => {
  const file = join(await temporaryFolder(), 'tasks.db')
  const first = await openSqliteStore({ file })
  const { id } = await put(first)
  await first.close()
  const database = new DatabaseSync(file)
  database.exec(`${UNDO_3} UPDATE stateward_schema SET version = 2`)
  database.close()
  const store = await closing(openSqliteStore({ file, migrate: true }))
  const late = await put(store, { bounds: { ...NO_BOUNDS, deadlineMs: 5 } })
  const { tasks } = await one(store, { type: 'overdue', at: 10, by: 'me', limit: 10 })
  expect(tasks.map((task) => task.id)).toEqual([late.id])
  expect((await claimed(store, 10)).tasks.map((task) => task.id)).toEqual([id])
})

it('brings a file of version 3 up to date: nothing comes after what it holds', async () => {
  const file = join(await temporaryFolder(), 'tasks.db')
  const first = await openSqliteStore({ file })
  const { id } = await put(first)
  await first.close()
  const database = new DatabaseSync(file)
  database.exec(`${UNDO_4} UPDATE stateward_schema SET version = 3`)
  database.close()
  const store = await closing(openSqliteStore({ file, migrate: true }))
  await put(store, { after: ['"b"'] })
  expect((await claimed(store, 1)).tasks).toMatchObject([{ id, next: null }, { next: '"b"' }])
})

it('is checked in a thread when it is large, which ends with the store', async () => {
  const file = join(await temporaryFolder(), 'tasks.db')
  const store = await closing(openSqliteStore({ file }))
  for (let count = 0; count < 5; count += 1) await put(store, { input: 'x'.repeat(1 << 20) })
  const threads: Worker[] = []
  const note = (worker: Worker): void => void threads.push(worker)
  process.on('worker', note)
  onTestFinished(() => void process.off('worker', note))
  const { facts, ...found } = await store.check()
  expect(found).toEqual({ ok: true, problems: [] })
  expect(facts).toMatchObject({ file, schema: SCHEMA_VERSION, journal: 'wal', synchronous: 2, tasks: 5 })
  expect(threads).toHaveLength(1)
  const given = store.check().catch((error: unknown) => error)
  await until(() => threads.length === 2)
  await store.close()
  expect(await given).toMatchObject({ code: 'ERR_STORE_CLOSED' })
})

it("lives in the user's own database beside his tables", async () => {
  const file = join(await temporaryFolder(), 'app.db')
  const database = new DatabaseSync(file)
  database.exec('CREATE TABLE task (id TEXT); PRAGMA user_version = 42')
  const store = await closing(openSqliteStore({ file }))
  const { id } = await put(store)
  expect((await record(store, id)).state).toBe('pending')
  expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: 42 })
  database.close()
})

it('makes the schema once when many open a fresh file at the same time', async () => {
  const file = join(await temporaryFolder(), 'tasks.db')
  const stores = await Promise.all(Array.from({ length: 8 }, () => closing(openSqliteStore({ file }))))
  await Promise.all(stores.map((store) => put(store)))
  expect((await stores[0]!.list({}, { limit: 20, order: 'oldest' }, 0)).items).toHaveLength(8)
})
