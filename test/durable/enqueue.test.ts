import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { defineTask, type TaskCall } from '../../src/index.ts'
import type { EnqueueItem, EnqueueOptions } from '../../src/runtime/durable/index.ts'
import { echoTask, errorOf, freshName } from '../support/harness.ts'
import { done, freshUrl, settle, take, testQueue, workOff } from './queue-kit.ts'

interface Mail {
  to: string
}
const mail = defineTask(
  {
    name: 'mail',
    version: 2,
    priority: 'high',
    description: ({ to }: Mail) => `mail to ${to}`,
    metadata: ({ to }) => ({ to }),
  },
  (input: Mail) => `sent to ${input.to}`,
)

describe('a task that is enqueued', () => {
  test('is there for whoever else opens the queue, with all that its definition says', async () => {
    const url = await freshUrl()
    const queue = await testQueue({ url })
    const before = Date.now()
    const queued = await queue.enqueue(mail, { to: 'a' })
    expect(queued).toEqual({ id: queued.id, existing: false, replaced: undefined })
    const other = await testQueue({ url, by: 'other' })
    const task = await other.get(queued)
    expect(task).toEqual({
      id: queued.id,
      name: 'mail',
      description: 'mail to a',
      metadata: { to: 'a' },
      state: 'queued',
      priority: 'high',
      input: { to: 'a' },
      version: 2,
      key: undefined,
      schedule: undefined,
      attempt: 0,
      step: 0,
      progress: undefined,
      estimatedEndAt: undefined,
      result: undefined,
      error: undefined,
      reason: undefined,
      createdBy: 'web',
      createdAt: expect.any(Number),
      runAt: expect.any(Number),
      startedAt: undefined,
      endedAt: undefined,
      holder: undefined,
      endRequest: undefined,
    })
    expect(task?.createdAt).toBeGreaterThanOrEqual(before)
    expect(await queue.get('somebody else')).toBeUndefined()
  })

  test('can be a call, whose options those of enqueue override', async () => {
    const queue = await testQueue()
    const call = mail.call({ to: 'b' }, { priority: 'low', runAt: 1_000, runTimeoutMs: 5 })
    const [first, second] = await Promise.all([
      queue.enqueue(call),
      queue.enqueue(call, { priority: 'critical', delayMs: 60_000 }),
    ])
    expect(await queue.get(first.id)).toMatchObject({ priority: 'low', runAt: 1_000, state: 'queued' })
    const later = await queue.get(second.id)
    expect(later).toMatchObject({ priority: 'critical', state: 'scheduled' })
    expect(later?.runAt).toBeGreaterThan(Date.now())
    expect((await take(queue))[0]?.options).toBe('{"runTimeoutMs":5}')
  })

  test('has what its options say instead of what its definition does', async () => {
    const queue = await testQueue()
    const runAt = new Date('2100-01-01')
    const { id } = await queue.enqueue(
      mail,
      { to: 'c' },
      {
        runAt,
        key: 'k',
        runId: 'my id',
        description: 'something else',
        metadata: { other: [1, { deep: true }] },
      },
    )
    expect(id).toBe('my id')
    expect(await queue.get(id)).toMatchObject({
      state: 'scheduled',
      runAt: runAt.getTime(),
      key: 'k',
      description: 'something else',
      metadata: { other: [1, { deep: true }] },
    })
  })

  test('takes its id from the definition', async () => {
    const queue = await testQueue()
    const task = defineTask({ name: 'own', runId: (_, { to }: Mail) => `mail-${to}` }, (input: Mail) => input)
    expect(await queue.enqueue(task, { to: 'd' })).toMatchObject({ id: 'mail-d' })
    const bad = defineTask({ name: 'bad', runId: () => 7 as never }, () => 1)
    expect(await errorOf(queue.enqueue(bad))).toMatchObject({ code: 'ERR_OPTION_INVALID' })
  })

  test('shows the calls in its input as plain data', async () => {
    const queue = await testQueue()
    const outer = echoTask<unknown>()
    const { id } = await queue.enqueue(outer, { after: [mail.call({ to: 'e' }, { priority: 'low' })] })
    expect(await queue.get(id)).toMatchObject({ input: { after: [{ task: 'mail', input: { to: 'e' } }] } })
  })

  test('comes back as JSON would have it', async () => {
    const queue = await testQueue()
    const task = echoTask<unknown>()
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        // That key is reserved: stored-json.test.ts.
        fc.pre(!JSON.stringify(value).includes('"__proto__"'))
        const { id } = await queue.enqueue(task, value)
        expect((await queue.get(id))?.input).toEqual(JSON.parse(JSON.stringify(value)))
      }),
      { numRuns: 30 },
    )
  })
})

describe('a key', () => {
  const task = echoTask<number>()

  test('keeps the live task by default, whether it waits or runs', async () => {
    const queue = await testQueue()
    const first = await queue.enqueue(task, 1, { key: 'k' })
    expect(await queue.enqueue(task, 2, { key: 'k' })).toEqual({
      id: first.id,
      existing: true,
      replaced: undefined,
    })
    const [taken] = await take(queue)
    expect(await queue.enqueue(task, 3, { key: 'k' })).toMatchObject({ id: first.id, existing: true })
    await settle(queue, taken as never, done(1))
    const next = await queue.enqueue(task, 4, { key: 'k' })
    expect([next.existing, next.id === first.id]).toEqual([false, false])
  })

  test("rejects the new one with onConflict: 'reject'", async () => {
    const queue = await testQueue()
    const first = await queue.enqueue(task, 1, { key: 'k' })
    const error = await errorOf(queue.enqueue(task, 2, { key: 'k', onConflict: 'reject' }))
    expect(error).toMatchObject({ name: 'OptionError', code: 'ERR_TASK_KEY_TAKEN' })
    expect(error.message).toContain(first.id)
    expect(await queue.counts()).toMatchObject({ queued: 1 })
  })

  test("ends the live one with onConflict: 'replace'", async () => {
    const queue = await testQueue()
    const first = await queue.enqueue(task, 1, { key: 'k' })
    const second = await queue.enqueue(task, 2, { key: 'k', onConflict: 'replace' })
    expect(second).toMatchObject({ existing: false, replaced: first.id })
    expect(await queue.get(first)).toMatchObject({ state: 'terminated', reason: 'replaced' })
    await take(queue)
    await queue.enqueue(task, 3, { key: 'k', onConflict: 'replace' })
    expect(await queue.get(second)).toMatchObject({ state: 'running', endRequest: { replaced: true } })
  })

  test('is unique whoever comes first: one of many at once is stored', async () => {
    const url = await freshUrl()
    const queues = await Promise.all([testQueue({ url }), testQueue({ url })])
    const all = await Promise.all(
      Array.from({ length: 40 }, (_, index) => queues[index % 2]?.enqueue(task, index, { key: 'one' })),
    )
    expect(new Set(all.map((queued) => queued?.id)).size).toBe(1)
    expect(all.filter((queued) => queued?.existing === false)).toHaveLength(1)
  })
})

test('a run id that exists is refused, also when that one has ended', async () => {
  const queue = await testQueue()
  const task = echoTask<number>()
  await queue.enqueue(task, 1, { runId: 'once' })
  const again = () => errorOf(queue.enqueue(task, 2, { runId: 'once' }))
  expect(await again()).toMatchObject({ name: 'OptionError', code: 'ERR_RUN_ID_TAKEN', runId: 'once' })
  await workOff(queue, done(1))
  expect(await again()).toMatchObject({ code: 'ERR_RUN_ID_TAKEN' })
})

function deep(levels: number): object {
  let value: object = {}
  for (let n = 0; n < levels; n += 1) value = { v: value }
  return value
}

describe('what will not do is refused, and nothing is stored', () => {
  const task = echoTask<unknown>()
  const strict = defineTask({ name: 'strict', schema: v.object({ n: v.number() }) }, (input) => input)
  const cases: [string, unknown, EnqueueOptions | undefined, string, string][] = [
    ['bigint', { a: [1n] }, undefined, 'ERR_VALUE_NOT_STORABLE', '$.a[0]'],
    ['a Map', new Map(), undefined, 'ERR_VALUE_NOT_STORABLE', 'Map'],
    ['a large input', 'x'.repeat(2_000), undefined, 'ERR_VALUE_TOO_LARGE', '1000 bytes'],
    ['large metadata', 1, { metadata: { x: 'x'.repeat(2_000) } }, 'ERR_VALUE_TOO_LARGE', 'metadata'],
    ['metadata that is none', 1, { metadata: [] as never }, 'ERR_OPTION_INVALID', 'metadata'],
    ['metadata that is no JSON', 1, { metadata: { at: new Date() } }, 'ERR_VALUE_NOT_STORABLE', 'metadata'],
    ['an unknown option', 1, { prio: 'low' } as never, 'ERR_OPTION_UNKNOWN', 'priority'],
    ['no options', 1, 5 as never, 'ERR_OPTION_INVALID', 'options'],
    ['a priority', 1, { priority: 'urgent' as never }, 'ERR_OPTION_INVALID', 'priority'],
    ['a key', 1, { key: '' }, 'ERR_OPTION_INVALID', 'key'],
    ['a key that would become another', 1, { key: '\ud800' }, 'ERR_OPTION_INVALID', 'lone surrogates'],
    ['an id that would become another', 1, { runId: 'a\udfff' }, 'ERR_OPTION_INVALID', 'lone surrogates'],
    ['an id with a NUL', 1, { runId: 'a\0b' }, 'ERR_OPTION_INVALID', 'NUL'],
    ['metadata with a NUL', 1, { metadata: { a: ['\\', 'b\0'] } }, 'ERR_VALUE_NOT_STORABLE', 'NUL'],
    ['a description with a NUL', 1, { description: 'a\0b' }, 'ERR_OPTION_INVALID', 'NUL'],
    ['options of a class', 1, new Date() as never, 'ERR_OPTION_INVALID', 'options'],
    ['a long id', 1, { runId: 'x'.repeat(1_025) }, 'ERR_VALUE_TOO_LARGE', '1024 bytes, got 1025'],
    ['a long key', 1, { key: 'ä'.repeat(600) }, 'ERR_VALUE_TOO_LARGE', '1024 bytes, got 1200'],
    ['a long description', 1, { description: 'x'.repeat(10_001) }, 'ERR_VALUE_TOO_LARGE', '10000 characters'],
    ['a conflict of no key', 1, { onConflict: 'reject' }, 'ERR_OPTION_INVALID', 'with a key'],
    [
      'deep',
      deep(600),
      undefined,
      'ERR_VALUE_NOT_STORABLE',
      'more than 500 levels at $.v.v.v.v.v.v.v.v.v.v….v.v.v.v.v.v.v.v.v.v.',
    ],
    ['a conflict', 1, { onConflict: 'skip' as never }, 'ERR_OPTION_INVALID', 'onConflict'],
    ['two times', 1, { runAt: 1, delayMs: 1 }, 'ERR_OPTION_INVALID', 'not both'],
    ['a delay', 1, { delayMs: Number.POSITIVE_INFINITY }, 'ERR_OPTION_INVALID', 'delayMs'],
    ['an instant', 1, { runAt: new Date(Number.NaN) }, 'ERR_OPTION_INVALID', 'runAt'],
    ['a far instant', 1, { runAt: 1e300 }, 'ERR_OPTION_INVALID', 'runAt'],
    ['an execution', 1, { execution: 'cloud' as never }, 'ERR_OPTION_INVALID', 'execution'],
    ['a loop that no thread has', 1, { loop: 'l', execution: 'thread' }, 'ERR_OPTION_INVALID', 'loop'],
    ['retryIf', 1, { retry: { retryIf: () => true } as never }, 'ERR_OPTION_INVALID', 'retryIf'],
    ['a context that is no JSON', 1, { context: { f: () => 1 } }, 'ERR_VALUE_NOT_STORABLE', '$.f'],
    ['a transaction', 1, { tx: 'BEGIN' }, 'ERR_OPTION_INVALID', 'tx'],
  ]

  test.each(cases)('%s', async (_, input, options, code, words) => {
    const queue = await testQueue({ maxInputBytes: 1_000 })
    const error = await errorOf(queue.enqueue(task, input, options))
    expect(error).toMatchObject({ name: 'OptionError', code })
    expect(error.message).toContain(words)
    expect((await queue.list()).tasks).toEqual([])
  })

  test('an input that its schema refuses; what is no definition; options of a call', async () => {
    const queue = await testQueue()
    const calls: [Promise<unknown>, string][] = [
      [queue.enqueue(strict, { n: 'one' } as never), 'ERR_INPUT_INVALID'],
      [queue.enqueue({ name: 'task' } as never), 'ERR_OPTION_INVALID'],
      [queue.enqueue('mail' as never), 'ERR_OPTION_INVALID'],
      [queue.enqueue(undefined as never), 'ERR_OPTION_INVALID'],
      [queue.enqueue(task.call(1, { detached: true })), 'ERR_OPTION_UNKNOWN'],
      [queue.enqueue(task.call(1, { delayMs: 1, runAt: 1 })), 'ERR_OPTION_INVALID'],
      [queue.enqueue(task.call(1) as never, undefined, { delayMs: 1 }), 'ERR_OPTION_INVALID'],
      [queue.enqueue(...([task, 1, {}, { delayMs: 1 }] as unknown as [typeof task])), 'ERR_OPTION_INVALID'],
    ]
    for (const [call, code] of calls) expect(await errorOf(call)).toMatchObject({ name: 'OptionError', code })
    expect((await queue.list()).tasks).toEqual([])
  })
})

describe('enqueueMany', () => {
  const task = echoTask<number>()

  test('stores all in their order, calls and calls with options', async () => {
    const queue = await testQueue()
    function* items(): Generator<TaskCall | EnqueueItem> {
      for (let n = 0; n < 2_500; n += 1) {
        yield n % 2 === 0 ? task.call(n) : { call: task.call(n), priority: 'low', metadata: { n } }
      }
    }
    const queued = await queue.enqueueMany(items())
    expect(queued).toHaveLength(2_500)
    const { tasks } = await queue.list({ order: 'oldest', limit: 1_000 })
    expect(tasks.map(({ id }) => id)).toEqual(queued.slice(0, 1_000).map(({ id }) => id))
    expect(tasks.slice(0, 3)).toMatchObject([{ input: 0 }, { input: 1, priority: 'low' }, { input: 2 }])
    expect(await queue.enqueueMany([])).toEqual([])
  })

  test('checks all before it stores the first', async () => {
    const queue = await testQueue()
    const bad: unknown[][] = [
      [task.call(1), task.call(2n as never)],
      [task.call(1), { call: task.call(2), prio: 'low' }],
      [task.call(1), { call: task.call(2), tx: {} }],
      [task.call(1), 'mail'],
    ]
    for (const items of bad)
      expect(await errorOf(queue.enqueueMany(items as never))).toMatchObject({ name: 'OptionError' })
    expect(await errorOf(queue.enqueueMany(7 as never))).toMatchObject({ code: 'ERR_OPTION_INVALID' })
    const many = queue.enqueueMany as (...given: unknown[]) => Promise<unknown>
    expect(await errorOf(many.call(queue, [task.call(1)], { tx: {} }))).toMatchObject({
      code: 'ERR_OPTION_INVALID',
      message: expect.stringContaining('There is no tx for many'),
    })
    expect((await queue.list()).tasks).toEqual([])
  })

  test('says which were refused, and stores the others', async () => {
    const queue = await testQueue()
    await queue.enqueue(task, 0, { runId: 'a', key: 'k' })
    const error = await errorOf(
      queue.enqueueMany([
        { call: task.call(1), runId: 'a' },
        { call: task.call(2), runId: 'b' },
        { call: task.call(3), runId: 'c', key: 'k', onConflict: 'reject' },
        { call: task.call(4), runId: 'd', key: 'k' },
      ]),
    )
    expect(error).toMatchObject({ name: 'QueueError', code: 'ERR_TASKS_REFUSED' })
    expect((error.cause as AggregateError).errors).toMatchObject([
      { code: 'ERR_RUN_ID_TAKEN', runId: 'a' },
      { code: 'ERR_TASK_KEY_TAKEN', runId: 'c' },
    ])
    expect((await queue.list({ order: 'oldest' })).tasks.map(({ id }) => id)).toEqual(['a', 'b'])
  })
})

describe('tx', () => {
  const task = echoTask<number>()

  async function setting() {
    const url = await freshUrl()
    const queue = await testQueue({ url })
    const db = new DatabaseSync(url.slice('sqlite:'.length))
    db.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY)')
    return { queue, db }
  }

  test('a task in a transaction that is rolled back never was', async () => {
    const { queue, db } = await setting()
    db.exec('BEGIN; INSERT INTO orders VALUES (1)')
    const { id } = await queue.enqueue(task, 1, { tx: db })
    expect(await queue.get(id)).toBeUndefined()
    db.exec('ROLLBACK')
    db.close()
    expect((await queue.list()).tasks).toEqual([])
  })

  test('one in a transaction that is committed is there, with what else was committed', async () => {
    const { queue, db } = await setting()
    db.exec('BEGIN; INSERT INTO orders VALUES (1)')
    // Its statements have run when the call returns: nobody has to await before the commit.
    const queuing = queue.enqueue(task, 1, { tx: db, key: 'k' })
    db.exec('COMMIT')
    expect(await queue.get(await queuing)).toMatchObject({ input: 1, state: 'queued' })
    db.exec('BEGIN')
    expect(await queue.enqueue(task, 2, { tx: db, key: 'k' })).toMatchObject({ existing: true })
    db.exec('COMMIT')
    db.close()
  })

  test('what is no transaction on this database is refused, and harms it not', async () => {
    const { queue, db } = await setting()
    const elsewhere = new DatabaseSync(':memory:')
    elsewhere.exec('BEGIN')
    for (const tx of [db, elsewhere, {}]) {
      expect(await errorOf(queue.enqueue(task, 1, { tx }))).toMatchObject({
        name: 'QueueError',
        code: 'ERR_STORE_TRANSACTION_FOREIGN',
      })
    }
    db.exec('BEGIN; INSERT INTO orders VALUES (1)')
    expect(await errorOf(queue.enqueue(task, 1n as never, { tx: db }))).toMatchObject({ name: 'OptionError' })
    db.exec('COMMIT')
    expect(db.prepare('SELECT count(*) AS count FROM orders').get()).toEqual({ count: 1 })
    elsewhere.close()
    db.close()
  })

  test('one that can write no more says so, and what to begin it with', async () => {
    const { queue, db } = await setting()
    db.exec('BEGIN')
    db.prepare('SELECT count(*) FROM orders').get()
    await queue.enqueue(task, 1)
    const stale = await errorOf(queue.enqueue(task, 2, { tx: db }))
    expect(stale).toMatchObject({ name: 'QueueError', code: 'ERR_STORE_BUSY' })
    expect(stale.message).toMatch(/before another connection wrote there.*BEGIN IMMEDIATE/)
    db.exec('ROLLBACK')
    const writer = new DatabaseSync(db.location() as string)
    writer.exec('BEGIN IMMEDIATE')
    db.exec('BEGIN')
    const held = await errorOf(queue.enqueue(task, 3, { tx: db }))
    expect(held).toMatchObject({ name: 'QueueError', code: 'ERR_STORE_BUSY' })
    expect(held.message).toMatch(/another connection writes.*BEGIN IMMEDIATE/)
    writer.exec('ROLLBACK')
    await queue.enqueue(task, 4, { tx: db })
    db.exec('COMMIT')
    expect((await queue.list()).tasks.map(({ input }) => input)).toEqual([4, 1])
    writer.close()
    db.close()
  })
})

test('a handler never runs where it is enqueued', async () => {
  const queue = await testQueue()
  let calls = 0
  const task = defineTask({ name: freshName() }, () => {
    calls += 1
  })
  await queue.enqueue(task)
  await workOff(queue, done(undefined))
  expect(calls).toBe(0)
})
