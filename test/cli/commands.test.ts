import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { SCHEMA_VERSION } from '../../src/actors/store/sqlite-schema.ts'
import { done, freshUrl, settle, take, testQueue, workOff } from '../durable/queue-kit.ts'
import { temporaryFolder } from '../store/store-kit.ts'
import { answerOf, cli, NO_TASKS, TASKS } from './cli-kit.ts'

const FAILED = {
  kind: 'failed',
  error: '{"kind":"error","name":"Error","message":"boom","own":[]}',
  reason: 'threw',
} as const

/** A queue that exists, and what is stored with the command line. */
async function place() {
  const url = await freshUrl()
  const queue = await testQueue({ url })
  const enqueue = async (...args: string[]): Promise<string> => {
    const { id } = (await answerOf(['enqueue', '-q', url, ...args])) as { id: string }
    return id
  }
  return { url, queue, enqueue }
}

describe('enqueue', () => {
  test('stores a task by its name alone, with all that is said of it', async () => {
    const { url, queue } = await place()
    const said = await cli([
      ...['enqueue', 'mail', '{"to":"a@example.org"}', '-q', url, '--run-id', 'm1', '--priority', 'high'],
      ...[
        '--at',
        '2027-01-31T08:00:00Z',
        '--key',
        'k',
        '--description',
        'a mail',
        '--metadata',
        '{"user":5}',
      ],
      ...['--input-version', '3'],
    ])
    expect(said).toEqual({ code: 0, out: 'm1\n', err: '' })
    expect(await queue.get('m1')).toMatchObject({
      name: 'mail',
      input: { to: 'a@example.org' },
      priority: 'high',
      runAt: Date.UTC(2027, 0, 31, 8),
      key: 'k',
      description: 'a mail',
      metadata: { user: 5 },
      version: 3,
      state: 'scheduled',
    })
  })

  test('makes the database, and reads the input from stdin', async () => {
    const url = await freshUrl()
    expect(
      await cli(['enqueue', 'mail', '-', '-q', url, '--run-id', 'm1'], { stdin: '[1,2]' }),
    ).toMatchObject({
      code: 0,
    })
    expect((await (await testQueue({ url })).get('m1'))?.input).toEqual([1, 2])
  })

  test('tells of a live task with the same key', async () => {
    const { url, enqueue } = await place()
    const id = await enqueue('mail', '--key', 'k')
    expect((await cli(['enqueue', 'mail', '-q', url, '--key', 'k'])).out).toBe(`${id} (was there already)\n`)
    expect(await cli(['enqueue', 'mail', '-q', url, '--key', 'k', '--on-conflict', 'reject'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('(ERR_TASK_KEY_TAKEN)'),
    })
  })

  test.each([
    [
      'a name that --tasks does not export',
      ['squar', '-t', TASKS],
      'ERR_TASK_EXPORT_MISSING',
      'Did you mean "square"?',
    ],
    ['an input that the schema refuses', ['square', '{"n":"4"}', '-t', TASKS], 'ERR_INPUT_INVALID', 'square'],
    ['a module without tasks', ['square', '-t', NO_TASKS], 'ERR_OPTION_INVALID', 'exports no task'],
    [
      'a module that is not there',
      ['square', '-t', './nowhere.ts'],
      'ERR_OPTION_INVALID',
      'cannot be loaded',
    ],
    ['an input that is no JSON', ['square', '{n:4}'], 'ERR_USAGE', 'Write JSON'],
    ['a time that is none', ['square', '--at', 'soon'], 'ERR_USAGE', 'Write an instant'],
    [
      'a day that does not exist',
      ['square', '--at', '2027-02-31T00:00:00Z'],
      'ERR_USAGE',
      'Write an instant',
    ],
    ['two times', ['square', '--at', '5', '--in', '5'], 'ERR_OPTION_INVALID', 'not both'],
    ['a band that is none', ['square', '--priority', 'urgent'], 'ERR_USAGE', 'critical'],
  ])('refuses %s', async (_, args, code, words) => {
    const { url, queue } = await place()
    const said = await cli(['enqueue', ...args, '-q', url])
    expect(said).toMatchObject({ code: 2, out: '' })
    expect(said.err).toContain(words)
    expect(said.err).toContain(`(${code})`)
    expect((await queue.list()).tasks).toEqual([])
  })

  test('waits for the result, for its failure, or not too long', async () => {
    const { url, queue } = await place()
    const wait = (id: string, ...more: string[]) =>
      cli(['enqueue', 'mail', '-q', url, '--wait', '--run-id', id, ...more])
    expect(await wait('late', '--timeout', '1ms')).toMatchObject({
      code: 5,
      err: expect.stringContaining('(ERR_WAIT_TIMED_OUT)'),
    })
    const finished = wait('good')
    await expect.poll(() => queue.get('good')).toBeDefined()
    await workOff(queue, done({ sent: 1 }))
    expect(await finished).toEqual({ code: 0, out: '{"sent":1}\n', err: '' })
    const failed = wait('bad')
    await expect.poll(() => queue.get('bad')).toBeDefined()
    await workOff(queue, FAILED)
    expect(await failed).toMatchObject({ code: 1, err: expect.stringContaining('(ERR_TASK_THREW)') })
  })
})

describe('list and dead', () => {
  test('list pages of what matches, as a table or as JSON', async () => {
    const { url, enqueue } = await place()
    await enqueue('mail', '--run-id', 'm1', '--metadata', '{"user":5}')
    await enqueue('mail', '--run-id', 'm2')
    await enqueue('image', '--run-id', 'i1', '--description', 'a picture')
    const ids = async (...args: string[]): Promise<string[]> => {
      const { tasks } = (await answerOf(['list', '-q', url, ...args])) as { tasks: { id: string }[] }
      return tasks.map(({ id }) => id)
    }
    expect(await ids()).toEqual(['i1', 'm2', 'm1'])
    expect(await ids('--order', 'oldest', '-n', 'mail')).toEqual(['m1', 'm2'])
    expect(await ids('-n', 'mail', 'image', '-s', 'queued', 'failed')).toHaveLength(3)
    expect(await ids('--metadata', 'user=5')).toEqual(['m1'])
    expect(await ids('--since', '2200-01-01')).toEqual([])
    const { out } = await cli(['list', '-q', url, '-l', '1'])
    const [titles, row, more] = out.split('\n') as [string, string, string]
    expect(titles).toMatch(/^ID +STATE +PRIORITY +ATTEMPT +PROGRESS +AT +TASK$/)
    expect(row).toMatch(/^i1 +queued +normal +0 .* image: a picture$/)
    expect(more).toMatch(/^More: --after \d+$/)
    expect(await ids('--after', more.split(' ').at(-1) as string)).toEqual(['m2', 'm1'])
  })

  test('dead lists what nobody tries again; retry does', async () => {
    const { url, queue, enqueue } = await place()
    await enqueue('mail', '--run-id', 'm1')
    await enqueue('mail', '--run-id', 'm2')
    await workOff(queue, FAILED)
    await enqueue('mail', '--run-id', 'm3')
    expect(await cli(['dead', '-q', url, '--state', 'failed', 'queued'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--state to be of failed, terminated, got "queued"'),
    })
    const { tasks } = (await answerOf(['dead', '-q', url])) as { tasks: object[] }
    expect(tasks).toMatchObject([{ id: 'm2' }, { id: 'm1' }])
    expect(await cli(['retry', 'm1', '-q', url])).toEqual({ code: 0, out: 'm1 will run again\n', err: '' })
    expect(await answerOf(['retry', '--all', '-q', url])).toEqual({ retried: 1 })
    expect((await queue.counts()).queued).toBe(3)
    for (const wrong of [['retry'], ['retry', 'm1', '--all']])
      expect(await cli([...wrong, '-q', url])).toMatchObject({ code: 2 })
  })
})

describe('one task', () => {
  test('show and log tell all of it', async () => {
    const { url, queue, enqueue } = await place()
    await enqueue('mail', '[1]', '--run-id', 'm1', '--metadata', '{"user":5}')
    await workOff(queue, FAILED)
    const { out } = await cli(['show', 'm1', '-q', url])
    for (const line of [
      /^state: +failed$/m,
      /^input: +\[1\]$/m,
      /^metadata: +{"user":5}$/m,
      /^error: +Error: boom/m,
    ])
      expect(out).toMatch(line)
    expect(await answerOf(['show', 'm1', '-q', url])).toMatchObject({ id: 'm1', error: { message: 'boom' } })
    expect(await answerOf(['log', 'm1', '-q', url])).toMatchObject([
      { act: 'created', by: expect.stringContaining('@') },
      { act: 'started', by: 'daemon' },
      { act: 'failed' },
    ])
    expect((await cli(['log', 'm1', '-q', url])).out).toMatch(/^AT +ACT +BY +DETAIL\n.*created/)
  })

  test('cancel, move and remove do each, and go on after one that cannot be done', async () => {
    const { url, queue, enqueue } = await place()
    for (const id of ['a', 'b', 'c']) await enqueue('mail', '--run-id', id)
    expect(await cli(['move', 'a', '--at', '2027-01-31', '-q', url])).toMatchObject({
      code: 0,
      out: 'a may run from 2027-01-31T00:00:00.000Z on\n',
    })
    const running = await take(queue)
    const said = await cli(['cancel', 'a', 'nobody', 'b', '-r', 'not needed', '-q', url])
    expect(said.code).toBe(3)
    expect(said.out).toBe('a is cancelled\nb runs: its daemon is asked to end it\n')
    expect(said.err).toMatch(/^stateward: No task with the id "nobody" .* \(ERR_RUN_UNKNOWN\)\n$/)
    expect(await queue.get('a')).toMatchObject({ state: 'cancelled', reason: 'not needed' })
    expect(await cli(['remove', 'b', 'a', '--json', '-q', url])).toMatchObject({
      code: 1,
      out: '[{"id":"a","result":"done"}]\n',
      err: expect.stringMatching(/^{"error":{"code":"ERR_RUN_STATE".*}\n$/),
    })
    expect(await queue.get('a')).toBeUndefined()
    for (const wrong of [['move', 'c'], ['move', 'c', '--at', '5', '--in', '5'], ['cancel'], ['remove']])
      expect(await cli([...wrong, '-q', url])).toMatchObject({ code: 2, out: '' })
    for (const task of running) await settle(queue, task, done(undefined))
  })

  test('that is not there is told as such', async () => {
    const { url } = await place()
    for (const command of ['show', 'log', 'cancel', 'retry', 'remove'])
      expect(await cli([command, 'nobody', '-q', url])).toMatchObject({ code: 3, out: '' })
  })
})

test('clear forgets what waits, or what it is told', async () => {
  const { url, queue, enqueue } = await place()
  await enqueue('mail', '--run-id', 'm1')
  await workOff(queue, done(1))
  await enqueue('mail', '--run-id', 'm2')
  expect(await cli(['clear', '-q', url])).toEqual({ code: 0, out: '1 forgotten\n', err: '' })
  expect((await queue.list()).tasks).toMatchObject([{ id: 'm1' }])
  expect(await answerOf(['clear', '-s', 'finished', '-q', url])).toEqual({ removed: 1 })
})

test('status counts, and lists daemons', async () => {
  const { url, enqueue } = await place()
  await enqueue('mail')
  expect(await answerOf(['status', '-q', url])).toMatchObject({
    waiting: 1,
    counts: { queued: 1 },
    daemons: [],
  })
  expect((await cli(['status', '-q', url])).out).toMatch(/^queued: +1$[\s\S]*\nNo daemon\.\n$/m)
})

test('doctor fails when it finds a problem, and tells it', async () => {
  const { url, enqueue } = await place()
  expect(await cli(['doctor', '-q', url])).toMatchObject({
    code: 0,
    out: expect.stringContaining('No problem found.'),
  })
  await enqueue('mail')
  expect(await cli(['doctor', '-q', url])).toMatchObject({
    code: 1,
    out: expect.stringContaining('Problem: 1 task is due, and no daemon is there to run it.'),
  })
})

test('migrate makes the tables, and tells their version', async () => {
  const url = await freshUrl()
  expect(await cli(['migrate', '-q', url])).toEqual({
    code: 0,
    out: `The tables have version ${SCHEMA_VERSION}.\n`,
    err: '',
  })
  expect(await answerOf(['migrate', '-q', url])).toEqual({ version: SCHEMA_VERSION })
})

describe('what is wrong', () => {
  test.each([
    [['lst'], 'Did you mean list?'],
    [['list', '--stat', 'queued'], 'Did you mean --state?'],
    [['show'], "Missing required argument 'id'"],
    [['list', '--limit', 'many'], 'Write a whole number.'],
    [['list', 'more'], 'Too many arguments'],
    [['daemon', 'begin'], "Unknown command 'begin'"],
    [
      ['daemon', 'start', '-t', TASKS, '--lease', '0'],
      'Write a duration of whole milliseconds, 100 or more.',
    ],
    [['daemon', 'start', '-t', TASKS, '--name', ''], 'Write a name that is not empty'],
    [
      ['daemon', 'restart', '-t', TASKS, '--name', 'a/b'],
      'Write a name that is not empty and has no "/" in it.',
    ],
  ])('%j is told in a sentence', async (args, words) => {
    const said = await cli(args)
    expect(said).toMatchObject({ code: 2, out: '' })
    expect(said.err).toContain(words)
    expect(said.err).toMatch(/^stateward: .* \(ERR_USAGE\)\n$/)
  })

  test('values that only the queue knows to be wrong are told by it', async () => {
    const { url } = await place()
    expect(await cli(['list', '-s', 'quieued', '-q', url])).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean "queued"?'),
    })
  })

  test('a bound of a wait that is not asked for', async () => {
    const { url, queue } = await place()
    expect(await cli(['enqueue', 'mail', '-q', url, '--timeout', '5s'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('Expected --timeout with --wait'),
    })
    expect((await queue.list()).tasks).toEqual([])
  })

  test('no queue, and one that is not there', async () => {
    expect(await cli(['list'])).toMatchObject({ code: 2, err: expect.stringContaining('STATEWARD_QUEUE') })
    const file = join(await temporaryFolder(), 'tasks.db')
    for (const args of [['list'], ['status'], ['show', 'x'], ['daemon', 'check'], ['daemon', 'stop']]) {
      expect(await cli([...args, '-q', `sqlite:${file}`])).toMatchObject({
        code: 4,
        err: expect.stringContaining('(ERR_STORE_MISSING)'),
      })
    }
    expect(existsSync(file)).toBe(false)
    expect(await cli(['list', '-q', 'redis://localhost'])).toMatchObject({ code: 2 })
  })

  test('a mistake that is found late leaves no file behind', async () => {
    const folder = await temporaryFolder()
    const at = ['-q', `sqlite:${join(folder, 'tasks.db')}`]
    for (const args of [
      ['enqueue', 'mail', '{not json', ...at],
      ['enqueue', 'mail', '1', '--metadata', '[1]', ...at],
      ['enqueue', 'square', '{"n":"x"}', '-t', TASKS, ...at],
      ['schedule', 'often', 'mail', '--cron', 'never', ...at],
      ['schedule', 'often', 'square', '{"n":"x"}', '-t', TASKS, '--every', '1h', ...at],
      ['daemon', 'start', '-t', join(folder, 'nowhere.ts'), '--foreground', ...at],
      ['daemon', 'restart', '-t', join(folder, 'nowhere.ts'), ...at],
    ]) {
      const { code, out } = await cli(args)
      expect([args, out, code > 0]).toEqual([args, '', true])
      expect(readdirSync(folder)).toEqual([])
    }
  })

  test('a database of somebody else is left as it is', async () => {
    const file = join(await temporaryFolder(), 'app.db')
    const database = new DatabaseSync(file)
    database.exec('CREATE TABLE task (id TEXT)')
    const bytes = readFileSync(file)
    expect(await cli(['status', '-q', `sqlite:${file}`])).toMatchObject({
      code: 4,
      err: expect.stringMatching(
        /There is no queue in .*app\.db: the database has no tables.*\(ERR_STORE_MISSING\)/,
      ),
    })
    expect(readFileSync(file)).toEqual(bytes)
    database.close()
  })

  test('a folder that is not there is told once, with what to do', async () => {
    const file = join(await temporaryFolder(), 'nowhere', 'tasks.db')
    const said = await cli(['enqueue', 'mail', '-q', `sqlite:${file}`])
    expect(said).toMatchObject({ code: 4, out: '' })
    expect(said.err).toMatch(/^stateward: .* Make it first\. \(ERR_STORE_FOLDER_MISSING\)\n$/)
  })

  test('a log that cannot be written', async () => {
    const folder = await temporaryFolder()
    const start = ['daemon', 'start', '-t', TASKS, '-q', `sqlite:${join(folder, 'tasks.db')}`]
    const said = await cli([...start, '--log', join(folder, 'nowhere', 'x.log')])
    expect(said).toMatchObject({ code: 2, out: '' })
    expect(said.err).toMatch(/^stateward: The log file cannot be written: .* \(ERR_OPTION_INVALID\)\n/)
  })

  test('a file that is no database', async () => {
    const file = join(await temporaryFolder(), 'tasks.db')
    await writeFile(file, 'no database '.repeat(100))
    expect(await cli(['list', '-q', `sqlite:${file}`])).toMatchObject({
      code: 4,
      err: expect.stringContaining('(ERR_STORE_CORRUPT)'),
    })
  })

  test('help and version are no errors, a missing command is one', async () => {
    expect(await cli(['--help'])).toMatchObject({ code: 0, err: '', out: expect.stringContaining('enqueue') })
    expect((await cli(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/)
    for (const args of [[], ['daemon']]) {
      const said = await cli(args)
      expect(said).toMatchObject({ code: 2, out: '' })
      expect(said.err).toMatch(/^Usage: stateward/)
    }
  })
})
