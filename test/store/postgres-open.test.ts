/** Databases that cannot be used, and who makes the tables. */
import { expect, test, vi } from 'vitest'
import { SCHEMA_VERSION } from '../../src/actors/store/postgres-schema.ts'
import { openPostgresStore } from '../../src/actors/store/postgres-store.ts'
import { NO_BOUNDS } from '../../src/machines/overdue.ts'
import { freshDatabase, onServer } from './postgres-kit.ts'
import { claimed, closing, one, put } from './store-kit.ts'

async function errorOf(url: string): Promise<{ code?: string; message: string }> {
  return openPostgresStore({ url }).then(
    async (store) => {
      await store.close()
      throw new Error('it was opened')
    },
    (error: Error & { code?: string }) => error,
  )
}

function changed(url: string, change: (parsed: URL) => void): string {
  const parsed = new URL(url)
  change(parsed)
  return parsed.href
}

test('says what is wrong with it, and never shows the password', async () => {
  const url = await freshDatabase()
  const wrong = changed(url, (parsed) => {
    parsed.password = 'not-it'
  })
  const missing = changed(url, (parsed) => {
    parsed.pathname = '/nothing_of_that_name'
  })
  const unreachable = changed(url, (parsed) => {
    parsed.port = '1'
  })
  const errors = await Promise.all([wrong, missing, unreachable].map(errorOf))
  expect(errors.map(({ code }) => code)).toEqual([
    'ERR_STORE_REFUSED',
    'ERR_STORE_FOLDER_MISSING',
    'ERR_STORE_UNREACHABLE',
  ])
  for (const { message } of errors) {
    expect(message).toMatch(/127\.0\.0\.1/)
    expect(message).not.toContain('not-it')
  }
})

test('many may open a fresh one at once: one makes the tables, the others find them', async () => {
  const url = await freshDatabase()
  const stores = await Promise.all([1, 2, 3].map(() => closing(openPostgresStore({ url }))))
  for (const store of stores) await put(store)
  expect((await claimed(stores[0]!, 1)).tasks).toHaveLength(3)
  expect(await stores[1]!.check()).toMatchObject({ ok: true, facts: { schema: SCHEMA_VERSION, tasks: 3 } })
})

test('who only looks makes no tables', async () => {
  const url = await freshDatabase()
  await expect(openPostgresStore({ url, create: false })).rejects.toMatchObject({
    code: 'ERR_STORE_MISSING',
    message: expect.stringContaining(
      'has no tables of stateward. The first enqueue, migrate or daemon start',
    ),
  })
  expect(await onServer(url, "SELECT 1 FROM pg_namespace WHERE nspname LIKE 'stateward%'")).toEqual([])
  await (await openPostgresStore({ url })).close()
  await closing(openPostgresStore({ url, create: false }))
})

test('tables, indexes and triggers that are missing are told', async () => {
  const url = await freshDatabase()
  const store = await closing(openPostgresStore({ url }))
  await onServer(
    url,
    'DROP TABLE stateward.log',
    'DROP INDEX stateward.task_ended',
    'DROP TRIGGER schedule_removed ON stateward.task',
  )
  const { ok, problems } = await store.check()
  expect(ok).toBe(false)
  expect(problems.map((problem) => problem.split(' is missing')[0])).toEqual([
    'The index stateward.task_ended',
    'The table stateward.log',
    'The index stateward.log_id',
    'The trigger stateward.schedule_removed',
  ])
  await onServer(url, 'DROP TABLE stateward.task')
  expect((await store.check()).problems).toContainEqual(
    expect.stringContaining('table stateward.task is missing'),
  )
})

test('tables of a newer version are left alone', async () => {
  const url = await freshDatabase()
  await (await openPostgresStore({ url })).close()
  await onServer(url, 'UPDATE stateward.schema_version SET version = 99')
  const newer = await errorOf(url)
  expect(newer.code).toBe('ERR_STORE_SCHEMA_NEWER')
  expect(newer.message).toMatch(/version 99.*Update stateward/)
})

test('tables of version 1 are migrated when that is asked for: what they hold waits without bounds', async () => {
  const url = await freshDatabase()
  const first = await openPostgresStore({ url })
  const { id } = await put(first)
  await first.close()
  await onServer(
    url,
    'DROP TRIGGER call_removed ON stateward.task',
    'DROP FUNCTION stateward.call_removed',
    'DROP TABLE stateward.call',
    'ALTER TABLE stateward.task DROP COLUMN rest',
    'DROP INDEX stateward.task_overdue, stateward.task_name',
    `ALTER TABLE stateward.task DROP COLUMN overdue_at, DROP COLUMN queue_timeout_ms, DROP COLUMN deadline_ms,
      DROP COLUMN expires_at, DROP COLUMN ended_by`,
    'UPDATE stateward.schema_version SET version = 1',
  )
  expect(await errorOf(url)).toMatchObject({ code: 'ERR_STORE_SCHEMA_OLDER' })
  const store = await closing(openPostgresStore({ url, migrate: true }))
  const late = await put(store, { bounds: { ...NO_BOUNDS, deadlineMs: 5 } })
  const { tasks } = await one(store, { type: 'overdue', at: 10, by: 'me', limit: 10 })
  expect(tasks.map((task) => task.id)).toEqual([late.id])
  await put(store, { after: ['"b"'] })
  expect((await claimed(store, 10)).tasks).toMatchObject([{ id, next: null }, { next: '"b"' }])
  expect(await store.check()).toMatchObject({ ok: true, facts: { schema: SCHEMA_VERSION } })
})

test('tables of an older pg-boss are migrated when that is asked for', async () => {
  const url = await freshDatabase()
  await (await openPostgresStore({ url })).close()
  const [now] = await onServer<{ version: number }>(url, 'SELECT version FROM stateward_boss.version')
  await onServer(url, 'UPDATE stateward_boss.version SET version = version - 1')
  const older = await errorOf(url)
  expect(older).toMatchObject({
    code: 'ERR_STORE_SCHEMA_OLDER',
    message: expect.stringMatching(/pg-boss.*migrate/),
  })
  const store = await closing(openPostgresStore({ url, migrate: true }))
  expect(await onServer(url, 'SELECT version FROM stateward_boss.version')).toEqual([now])
  await put(store, { runAt: 5 })
  expect((await claimed(store, 4)).tasks).toEqual([])
  expect((await claimed(store, 5)).tasks).toHaveLength(1)
})

test.each(['pg', 'pg-boss'])('says what to install when %s is missing', async (name) => {
  const url = await freshDatabase()
  vi.resetModules()
  vi.doMock(name, () => {
    throw new Error(`Cannot find package '${name}'`)
  })
  try {
    const fresh = await import('../../src/actors/store/postgres-store.ts')
    await expect(fresh.openPostgresStore({ url })).rejects.toMatchObject({
      code: 'ERR_STORE_ENGINE_MISSING',
      message: expect.stringContaining('npm install pg pg-boss'),
    })
  } finally {
    vi.doUnmock(name)
    vi.resetModules()
  }
})
