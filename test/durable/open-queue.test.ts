import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { openQueue } from '../../src/runtime/durable/index.ts'
import { parseQueueUrl } from '../../src/runtime/durable/queue-url.ts'
import { temporaryFolder } from '../store/store-kit.ts'
import { echoTask, errorOf, thrownBy } from '../support/harness.ts'
import { freshUrl, testQueue } from './queue-kit.ts'

describe('a url', () => {
  test.each([
    ['sqlite:./tasks.db', { engine: 'sqlite', file: './tasks.db' }],
    ['sqlite:tasks.db', { engine: 'sqlite', file: 'tasks.db' }],
    ['SQLite:/var/a b%20.db', { engine: 'sqlite', file: '/var/a b%20.db' }],
    ['sqlite:///var/tasks.db', { engine: 'sqlite', file: '/var/tasks.db' }],
    ['sqlite:C:\\tasks.db', { engine: 'sqlite', file: 'C:\\tasks.db' }],
    ['postgres://u:p@h/db', { engine: 'postgres', url: 'postgres://u:p@h/db' }],
    [
      'postgresql://h:5433/db?sslmode=require',
      { engine: 'postgres', url: 'postgresql://h:5433/db?sslmode=require' },
    ],
  ])('%s', (url, expected) => {
    expect(parseQueueUrl(url)).toEqual(expected)
  })

  test.each([
    [undefined, 'got undefined'],
    ['', 'got ""'],
    [new URL('sqlite:./tasks.db'), 'an object (URL)'],
    ['./tasks.db', 'no scheme'],
    ['sqlite:', 'no file'],
    ['sqlite:./folder/', 'no file'],
    ['sqlite::memory:', 'in memory'],
    ['sqlite://tasks.db', 'a host'],
    ['sqlite:./tasks.db?mode=ro', 'a "?"'],
    ['sqlite:./a\0b.db', 'a NUL'],
    ['sqlite3:./tasks.db', 'Did you mean "sqlite"?'],
    ['redis://localhost', 'the scheme "redis"'],
    ['postgres://localhost', 'without the name of a database'],
    ['postgres://u:p@localhost:99999/tasks', 'host or port (up to 65535) cannot be read'],
    ['postgres:', 'without the name of a database'],
  ])('%s is refused', async (url, words) => {
    const error = await errorOf(openQueue({ url: url as string }))
    expect(error).toMatchObject({ name: 'OptionError', code: 'ERR_OPTION_INVALID' })
    expect(error.message).toContain(words)
  })

  test('is not shown in errors: it may hold a password', () => {
    for (const url of ['mysql://user:secret@host/db', 'postgres://u:secret@h:99999/d', 'user:secret@host'])
      expect(thrownBy(() => parseQueueUrl(url)).message).not.toContain('secret')
  })
})

test('a wrong option is refused before a file is made', async () => {
  const url = await freshUrl()
  const wrong: [object, string][] = [
    [{ url, byy: 'me' }, 'Did you mean "by"?'],
    [{ url, by: '' }, 'by'],
    [{ url, by: 'a\0b' }, 'by'],
    [{ url, maxInputBytes: 0 }, 'maxInputBytes'],
    [{ url, migrate: 'yes' }, 'migrate'],
    [{ url, clock: {} }, 'clock'],
    [[], 'an object of options'],
  ]
  for (const [options, words] of wrong) {
    const error = await errorOf(openQueue(options as never))
    expect(error).toMatchObject({ name: 'OptionError' })
    expect(error.message).toContain(words)
  }
  expect(existsSync(url.slice('sqlite:'.length))).toBe(false)
})

describe('what cannot be opened is a QueueError', () => {
  test('a folder that is missing', async () => {
    const url = `sqlite:${join(await temporaryFolder(), 'missing', 'tasks.db')}`
    expect(await errorOf(openQueue({ url }))).toMatchObject({
      name: 'QueueError',
      code: 'ERR_STORE_FOLDER_MISSING',
    })
  })

  test('a folder in the place of the file, a file that is no database', async () => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'a.db'))
    await writeFile(join(folder, 'b.db'), 'This is a letter, not a database.')
    const codes = await Promise.all(
      ['a.db', 'b.db'].map((file) => errorOf(openQueue({ url: `sqlite:${join(folder, file)}` }))),
    )
    expect(codes).toMatchObject([{ code: 'ERR_STORE_NOT_WRITABLE' }, { code: 'ERR_STORE_CORRUPT' }])
  })

  test('a PostgreSQL server that is not there', async () => {
    expect(await errorOf(openQueue({ url: 'postgres://u:secret@127.0.0.1:1/tasks' }))).toMatchObject({
      name: 'QueueError',
      code: 'ERR_STORE_UNREACHABLE',
      message: expect.stringMatching(/^Cannot reach PostgreSQL at 127\.0\.0\.1:1\/tasks: (?!.*secret)/),
    })
  })
})

test('who acts is this process unless somebody is named', async () => {
  const url = await freshUrl()
  const queue = await testQueue({ url })
  await using other = await openQueue({ url })
  expect([queue.by, other.by]).toEqual(['web', `${hostname()}:${process.pid}`])
})

test('a closed queue refuses every call, and closing again is nothing', async () => {
  const queue = await testQueue()
  await queue.close()
  await queue.close()
  const calls = [
    queue.get('x'),
    queue.list(),
    queue.counts(),
    queue.log('x'),
    queue.wait('x'),
    queue.cancel('x'),
    queue.retry('x'),
    queue.move('x', 1),
    queue.remove('x'),
    queue.clear(),
    queue.retryMany(),
    queue.deadLetters(),
    queue.status(),
    queue.shutdown(),
    queue.doctor(),
    queue.migrate(),
  ]
  for (const call of calls)
    expect(await errorOf(call)).toMatchObject({ name: 'QueueError', code: 'ERR_STORE_CLOSED' })
})

test('doctor names the tables, indexes and triggers that are missing', async () => {
  const url = await freshUrl()
  const queue = await testQueue({ url })
  const db = new DatabaseSync(url.slice('sqlite:'.length))
  db.exec('DROP TABLE stateward_log; DROP INDEX stateward_task_ended; DROP TRIGGER stateward_task_joined')
  const { ok, problems } = await queue.doctor()
  expect(ok).toBe(false)
  expect(problems.map((problem) => problem.split(' is missing')[0])).toEqual([
    'The index stateward_task_ended',
    'The table stateward_log',
    'The index stateward_log_id',
    'The trigger stateward_task_joined',
  ])
  db.exec('DROP TABLE stateward_task')
  db.close()
  expect((await queue.doctor()).problems).toContainEqual(
    expect.stringContaining('The table stateward_task is missing'),
  )
})

test('doctor finds a sound database, and nobody who works off what is due', async () => {
  const queue = await testQueue()
  const { ok, problems, facts } = await queue.doctor()
  expect({ ok, problems }).toEqual({ ok: true, problems: [] })
  expect(Object.keys(facts).length).toBeGreaterThan(2)
  const { from, to } = await queue.migrate()
  expect([from > 0, to]).toEqual([true, from])
  await queue.enqueue(echoTask())
  await queue.enqueue(echoTask(), undefined, { delayMs: 60_000 })
  expect(await queue.doctor()).toMatchObject({
    ok: false,
    problems: ['1 task is due, and no daemon is there to run it.'],
  })
})
