/** Whatever is sent: it is answered, with what the document knows, and what it takes is what it said it takes. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openApi } from './http-kit.ts'

const SEEDS = [
  'task',
  'input',
  'priority',
  'runAt',
  'delayMs',
  'key',
  'onConflict',
  'runId',
  'metadata',
  'deadlineMs',
]
const NAMES = [
  ...SEEDS,
  'expiresAt',
  'description',
  'queueTimeoutMs',
  'cron',
  'rrule',
  'everyMs',
  'timezone',
  'missed',
  'reason',
  '__proto__',
  'constructor',
  'tx',
  'execution',
  '$stateward.call',
]
const values = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom<unknown>(
    'mail',
    'square',
    'chain',
    'all',
    'high',
    'keep',
    'replace',
    '2100-01-01T00:00:00Z',
    '* * * * *',
    'Europe/Berlin',
    'once',
    0,
    -1,
    1.5,
    1e300,
    60_000,
    '',
    '\0',
    '\ud800',
    [],
    {},
    null,
  ),
)
/** An object that is close to right, in any order. */
const bodies = fc
  .tuple(
    fc.option(fc.constantFrom('mail', 'square')),
    fc.array(fc.tuple(fc.constantFrom(...NAMES), values), { maxLength: 5 }),
  )
  .map(([task, members]) =>
    JSON.stringify(Object.fromEntries([...(task === null ? [] : [['task', task] as const]), ...members])),
  )
/** One that is taken, with what may spoil it. */
const schedules = fc
  .tuple(
    fc.constantFrom({ everyMs: 60_000 }, { cron: '0 18 * * *', timezone: 'UTC' }, { rrule: 'FREQ=DAILY' }),
    fc.array(fc.tuple(fc.constantFrom(...NAMES, 'overlap', 'from', 'enabled', 'startAt'), values), {
      maxLength: 2,
    }),
  )
  .map(([times, members]) =>
    JSON.stringify({ task: 'mail', input: 'x', ...times, ...Object.fromEntries(members) }),
  )
const texts = fc.oneof(
  { weight: 4, arbitrary: bodies },
  { weight: 2, arbitrary: schedules },
  fc.json({ maxDepth: 6 }),
  fc.string({ unit: 'binary' }),
  fc.nat(3_000).map((depth) => `{"task":"mail","input":${'['.repeat(depth)}${']'.repeat(depth)}}`),
)
const targets = fc.constantFrom<[string, string, string]>(
  ['POST', '/tasks', 'Submission'],
  ['PUT', '/schedules/x', 'ScheduleRequest'],
  ['POST', '/tasks/x/cancel', 'CancelRequest'],
  ['POST', '/tasks/x/retry', 'RetryRequest'],
  ['POST', '/tasks/x/move', 'MoveRequest'],
)

test('bodies', { timeout: 60_000 }, async () => {
  const { ask, contract, queue, lines } = await openApi()
  const accepted = new Set<string>()
  await fc.assert(
    fc.asyncProperty(targets, texts, async ([method, path, schema], text) => {
      // Holds the answer against the document as well.
      const { status } = await ask(method, path, { body: text })
      expect(status).toBeLessThan(500)
      if (status >= 400) return
      accepted.add(path)
      expect(contract.takes(schema, text === '' ? {} : JSON.parse(text))).toBe(true)
    }),
    { numRuns: 600 },
  )
  expect(accepted).toContain('/tasks')
  expect(accepted).toContain('/schedules/x')
  // What was stored was registered.
  const { tasks } = await queue.list({ limit: 1_000 })
  expect(new Set(tasks.map(({ name }) => name))).toContain('mail')
  for (const { name } of tasks) expect(['mail', 'square']).toContain(name)
  expect(lines).toEqual([])
})

test('paths and queries', { timeout: 60_000 }, async () => {
  const { ask, lines } = await openApi()
  const parts = fc.oneof(
    fc.constantFrom(
      'tasks',
      'schedules',
      'events',
      'log',
      'cancel',
      'status',
      '%',
      '%00',
      '%ff',
      '..',
      '.',
      '',
      ' ',
      '%2F',
      'x',
    ),
    fc.string({ unit: 'grapheme', maxLength: 8 }),
  )
  const pairs = fc.tuple(
    fc.constantFrom(
      'state',
      'name',
      'limit',
      'after',
      'order',
      'metadata.a',
      'metadata.',
      'createdFrom',
      'include',
      'x',
      '__proto__',
    ),
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc.constantFrom('queued', '10', '0', '-1', '1e9', 'input', '2100-01-01', '{}', '[1]', 'null'),
    ),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH'),
      fc.array(parts, { maxLength: 4 }),
      fc.array(pairs, { maxLength: 3 }),
      async (method, path, query) => {
        // A stream would not end.
        fc.pre(!path.includes('events'))
        const search = query.length === 0 ? '' : `?${new URLSearchParams(query)}`
        const { status } = await ask(method, `/${path.join('/')}${search}`)
        expect(status).toBeLessThan(500)
      },
    ),
    { numRuns: 600, examples: [['PUT', ['schedules', '..'], []]] },
  )
  expect(lines).toEqual([])
})
