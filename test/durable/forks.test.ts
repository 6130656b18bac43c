/** `all` in a durable queue: calls as tasks of their own, and the step that puts their values together. */
import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import type { TaskCall } from '../../src/actors/definition.ts'
import { chain, defineTask, type TaskFailedError } from '../../src/index.ts'
import { all } from '../../src/task.ts'
import { deferred, errorOf, taskOf } from '../support/harness.ts'
import { until } from '../support/until.ts'
import { openPlace, records, startedDaemon } from './daemon-kit.ts'
import { postgresPlace } from './postgres-place.ts'
import { testQueue } from './queue-kit.ts'

const upper = () => taskOf<string, string>((word) => word.toUpperCase())

describe('all in the queue', () => {
  test('makes tasks of its calls, side by side, and puts out their values in order', async () => {
    const gates = [deferred<string>(), deferred<string>()]
    const begun = [deferred<void>(), deferred<void>()]
    const gated = defineTask(
      { name: 'gated', priority: 'low', description: (n) => `gate ${n}`, metadata: (n) => ({ n }) },
      async (n: number) => {
        begun[n]?.resolve()
        return await gates[n]?.promise
      },
    )
    const { queue, store } = await startedDaemon([gated])
    const { id } = await queue.enqueue(all([gated.call(0), gated.call(1)]), { priority: 'high' })
    await Promise.all(begun.map(({ promise }) => promise))
    expect(await queue.get(id)).toMatchObject({
      state: 'running',
      progress: { percent: 0 },
      parent: undefined,
    })
    const { tasks } = await queue.list({ parent: id, order: 'oldest' })
    expect(tasks).toMatchObject([
      { id: `${id}.1.0`, parent: id, priority: 'high', description: 'gate 0', metadata: { n: 0 }, input: 0 },
      { id: `${id}.1.1`, parent: id, priority: 'high', description: 'gate 1', metadata: { n: 1 }, input: 1 },
    ])
    gates[1]?.resolve('second')
    expect(await queue.wait(`${id}.1.1`)).toBe('second')
    expect(await queue.get(id)).toMatchObject({ state: 'running', progress: { percent: 50 } })
    gates[0]?.resolve('first')
    expect(await queue.wait(id)).toEqual(['first', 'second'])
    expect((await queue.log(id)).map(({ act }) => act)).toEqual([
      ...['created', 'started', 'forked', 'started', 'finished'],
    ])
    expect((await records(store, [id], () => true))[0]).toMatchObject({ percent: 100 })
  })

  test('holds no slot while it waits: a pool of one is enough for forks in forks', async () => {
    const say = upper()
    const { queue } = await startedDaemon([say], { supervisor: { pool: { size: 1 } } })
    const nested = all([
      all([say.call('a'), all([say.call('b')])]),
      chain([say.call('c'), all([say.call('d')])]),
    ])
    expect(await queue.wait(await queue.enqueue(nested))).toEqual([['A', ['B']], ['D']])
  })

  test('goes on with its join, which gets the values; what puts nothing out is null', async () => {
    const say = upper()
    const nothing = taskOf<void>(() => undefined)
    const join = defineTask({ name: 'join' }, (words: (string | null)[], ctx) => [words, ctx.runId])
    const { queue } = await startedDaemon([say, nothing, join])
    const { id } = await queue.enqueue(all([say.call('a'), nothing], join as never))
    expect(await queue.wait(id)).toEqual([['A', null], id])
    expect(await queue.get(id)).toMatchObject({ name: 'join', step: 2 })
  })

  test('is a step of a chain, what a step goes on with, and in the input of others', async () => {
    const say = upper()
    const sum = defineTask({ name: 'sum' }, (words: string[]) => words.join('+'))
    const fan = taskOf<string>((word, ctx) =>
      ctx.next(all([say.call(`${word}1`), say.call(`${word}2`)], sum as never)),
    )
    const { queue, store } = await startedDaemon([say, sum, fan])
    const { id } = await queue.enqueue(chain([all([say.call('x')]), fan.call('y')]))
    expect(await queue.wait(id)).toBe('Y1+Y2')
    expect((await queue.list({ parent: id })).tasks).toHaveLength(3)
    // Of the chain, both steps are behind it.
    const [row] = await records(store, [id], () => true)
    expect(row?.percent).toBe(50)
    const twice = all([fan.call('a'), all([fan.call('b')], sum as never)])
    expect(await queue.wait(await queue.enqueue(twice))).toEqual(['A1+A2', 'B1+B2'])
  })

  test('tells how far it is by its calls, within the chain that it is a step of', async () => {
    const gates = [deferred<void>(), deferred<void>()]
    const gated = taskOf<number>(async (n, ctx) => {
      if (n === 1) ctx.progress(50)
      await gates[n]?.promise
    })
    const quick = taskOf<void>(() => 1)
    const { queue, store } = await startedDaemon([gated, quick])
    const { id } = await queue.enqueue(chain([quick, all([gated.call(0), gated.call(1)]), quick, quick]))
    // One of four, then half of one of two.
    await records(store, [id], ({ percent }) => percent === 25 + 25 / 4)
    gates[1]?.resolve()
    await records(store, [id], ({ percent }) => percent === 25 + 25 / 2)
    gates[0]?.resolve()
    await queue.wait(id)
  })

  test('fails with the stored errors of all that failed, after all have ended, and retries these only', async () => {
    const seen: string[] = []
    let isBroken = true
    const fragile = defineTask({ name: 'fragile' }, (word: string) => {
      seen.push(word)
      if (isBroken && word !== 'good') throw new TypeError(`no ${word}`)
      return word
    })
    const { queue } = await startedDaemon([fragile])
    const { id } = await queue.enqueue(all(['bad', 'good', 'worse'].map((word) => fragile.call(word))))
    const error = (await errorOf(queue.wait(id))) as unknown as TaskFailedError
    expect(error).toMatchObject({
      code: 'ERR_TASK_THREW',
      message: expect.stringContaining('2 of 3 calls failed'),
    })
    const { errors } = error.cause as AggregateError
    expect(error.cause).toBeInstanceOf(AggregateError)
    expect(errors).toMatchObject([
      { runId: `${id}.1.0`, taskName: 'fragile', cause: { name: 'TypeError', message: 'no bad' } },
      { runId: `${id}.1.2`, cause: { message: 'no worse' } },
    ])
    expect(await queue.get(id)).toMatchObject({ error: { properties: { errors: [{}, {}] } } })
    isBroken = false
    await queue.retry(id)
    expect(await queue.wait(id)).toEqual(['bad', 'good', 'worse'])
    expect(seen).toEqual(['bad', 'good', 'worse', 'bad', 'worse'])
  })

  test('fails when one of its calls was removed', async () => {
    const say = upper()
    const snoozing = taskOf<void>((_, ctx) => ctx.snooze(1e6))
    const { queue, store } = await startedDaemon([say, snoozing])
    const { id } = await queue.enqueue(all([say.call('a'), snoozing]))
    await records(store, [id], ({ state }) => state === 'forked')
    await records(store, [`${id}.1.1`], ({ phase }) => phase === 'snooze')
    await queue.remove(`${id}.1.1`)
    expect(await errorOf(queue.wait(id))).toMatchObject({
      cause: { errors: [{ code: 'ERR_RUN_UNKNOWN', runId: `${id}.1.1` }] },
    })
  })

  test('ends with its calls when it is cancelled, those that run by their daemon', async () => {
    const begun = deferred<void>()
    const ended = deferred<unknown>()
    const endless = taskOf<void>(async (_, { signal }) => {
      begun.resolve()
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      ended.resolve(signal.reason)
      throw signal.reason
    })
    const say = upper()
    const { queue } = await startedDaemon([endless, say], { supervisor: { pool: { size: 1 } } })
    const { id } = await queue.enqueue(all([endless, chain([say.call('a'), say.call('b')])]))
    await begun.promise
    expect(await queue.cancel(id, 'enough')).toBe('cancelled')
    expect(await ended.promise).toMatchObject({ code: 'ERR_TASK_CANCELLED' })
    expect(await errorOf(queue.wait(`${id}.1.0`))).toMatchObject({
      code: 'ERR_TASK_CANCELLED',
      reason: 'enough',
    })
    expect(await queue.get(`${id}.1.1`)).toMatchObject({ state: 'cancelled', reason: 'enough' })
  })

  test('hands its options and what is left of its deadline to its calls', async () => {
    const place = await openPlace()
    const deadlineOf = taskOf<void>((_, ctx) => ctx.deadlineAt)
    const brief = taskOf<void>((_, ctx) => ctx.deadlineAt, { deadlineMs: 5_000 })
    const now = place.store.now()
    const { id } = await place.queue.enqueue(
      all([deadlineOf, brief, { ...deadlineOf.call(), options: { deadlineMs: 1_000 } }]),
      {
        deadlineMs: 60_000,
      },
    )
    await startedDaemon([deadlineOf, brief], { place })
    const [whole, short, own] = (await place.queue.wait(id)) as [number, number, number]
    expect(Math.abs(whole - (now + 60_000))).toBeLessThan(2_000)
    expect(short).toBeLessThan(now + 8_000)
    expect(own).toBeLessThan(now + 4_000)
  })

  test('gives its calls its band, or the one that a call says for itself', async () => {
    const say = upper()
    const { queue } = await startedDaemon([say])
    const own = (options: object) => ({ ...say.call('a'), options })
    const whole = { ...chain([say.call('b')]), options: { priority: 'low', graceMs: 5 } }
    const calls = [own({ priority: 'high' }), own({ graceMs: 5 }), whole]
    const { id } = await queue.enqueue(all(calls as never), { priority: 'critical' })
    expect(await queue.wait(id)).toEqual(['A', 'A', 'B'])
    const { tasks } = await queue.list({ parent: id, order: 'oldest' })
    expect(tasks.map(({ priority }) => priority)).toEqual(['high', 'critical', 'low'])
    expect((await queue.get(id))?.priority).toBe('critical')
    for (const wrong of [
      all([own({ priority: 'urgent' })] as never),
      chain([own({ priority: 'urgent' })] as never),
    ])
      expect(await errorOf(queue.enqueue(wrong as never))).toMatchObject({ name: 'OptionError' })
  })

  test('is ended by its deadline with its calls', async () => {
    const endless = taskOf<void>(
      (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    const { queue } = await startedDaemon([endless])
    const { id } = await queue.enqueue(all([endless, chain([endless])]), { deadlineMs: 300 })
    const passed = { code: 'ERR_TASK_DEADLINE_PASSED' }
    expect(await errorOf(queue.wait(id))).toMatchObject({ ...passed, cause: { errors: [passed, passed] } })
    expect(await queue.get(id)).toMatchObject({ state: 'terminated', reason: 'deadline' })
    for (const child of [`${id}.1.0`, `${id}.1.1`])
      expect(await errorOf(queue.wait(child))).toMatchObject(passed)
  })

  test('may expire before it has begun, and not after', async () => {
    const place = await openPlace()
    const say = upper()
    const late = await place.queue.enqueue(all([say.call('a')]), { expiresAt: Date.now() - 1_000 })
    const expiresAt = Date.now() + 1_000
    const slow = taskOf<string, string>(async (word) => {
      await until(() => Date.now() > expiresAt)
      return word
    })
    const join = defineTask({ name: 'joinLate' }, (words: string[]) => words.join('+'))
    const whole = chain([slow.call('a'), all([slow.call('b'), say.call('c')], join as never)])
    const { id } = await place.queue.enqueue(all([whole, all([slow.call('d')])]), { expiresAt })
    await startedDaemon([slow, say, join], { place, supervisor: { pool: { size: 1 } } })
    expect(await errorOf(place.queue.wait(late))).toMatchObject({ code: 'ERR_TASK_EXPIRED' })
    expect((await place.queue.list({ parent: late.id })).tasks).toEqual([])
    expect(await place.queue.wait(id)).toEqual(['b+C', ['d']])
  })

  test('goes on with what another daemon knows', async () => {
    const known = upper()
    const other = defineTask({ name: 'elsewhere' }, (words: string[]) => words.length)
    const rig = await startedDaemon([known], { daemon: { unknownTasks: 'leave' } })
    const { id } = await rig.queue.enqueue(all([known.call('a'), known.call('b')], other as never))
    await records(rig.store, [id], ({ name, state }) => name === 'elsewhere' && state === 'pending')
    await startedDaemon([other], { place: rig, daemon: { name: 'second', unknownTasks: 'leave' } })
    expect(await rig.queue.wait(id)).toBe(2)
  })

  test('keeps calls of tasks that its calls put out', async () => {
    const say = upper()
    const make = taskOf<string>((word) => ({ after: say.call(word) }))
    const run = defineTask({ name: 'run' }, ([{ after }]: [{ after: TaskCall }], ctx) => ctx.next(after))
    const { queue } = await startedDaemon([say, make, run])
    expect(await queue.wait(await queue.enqueue(all([make.call('x')], run as never)))).toBe('X')
  })

  test('is checked whole before anything is stored, and what it becomes later fails with the reason', async () => {
    const queue = await testQueue({ maxInputBytes: 600 })
    const strict = defineTask({ name: 'strict', schema: v.object({ n: v.number() }) }, ({ n }) => n)
    const refused = (call: object) => errorOf(queue.enqueue(call as never))
    expect(
      await refused(all([strict.call({ n: 1 }), all([strict.call({ n: 'x' } as never)])])),
    ).toMatchObject({
      code: 'ERR_INPUT_INVALID',
    })
    expect(
      await refused({ ...all([strict.call({ n: 1 })]), input: { calls: [], join: null } }),
    ).toMatchObject({
      code: 'ERR_OPTION_INVALID',
    })
    const joined = all([strict.call({ n: 1 })], strict as never)
    const wrong = { ...joined, input: { ...joined.input, join: chain([strict.call({ n: 1 })]) } }
    expect(await refused(wrong)).toMatchObject({ message: expect.stringContaining('the join of all()') })
    expect((await queue.counts()).queued).toBe(0)
  })

  test('fails when its values are too large together', async () => {
    const big = taskOf<void>(() => 'x'.repeat(400))
    const join = defineTask({ name: 'joinBig' }, (words: string[]) => words.length)
    const place = await openPlace(undefined, { maxInputBytes: 1_000 })
    await startedDaemon([big, join], { place })
    for (const call of [all([big, big, big]), all([big, big, big], join as never)]) {
      const error = await errorOf(place.queue.wait(await place.queue.enqueue(call as never)))
      expect(error).toMatchObject({ code: 'ERR_TASK_UNSERIALIZABLE', cause: { code: 'ERR_VALUE_TOO_LARGE' } })
    }
  })
})

/** What a call makes, and how plain recursion makes the same. */
type Tree =
  | { readonly kind: 'leaf'; readonly word: string }
  | { readonly kind: 'next'; readonly of: Tree }
  | { readonly kind: 'chain' | 'all' | 'joined'; readonly of: readonly Tree[] }

const { tree } = fc.letrec<{ tree: Tree; some: Tree[] }>((tie) => ({
  some: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record({ kind: fc.constant('leaf' as const), word: fc.string({ maxLength: 3 }) }),
    fc.record({ kind: fc.constant('next' as const), of: tie('tree') }),
    fc.record({
      kind: fc.constantFrom('chain' as const, 'all' as const, 'joined' as const),
      of: tie('some'),
    }),
  ) as never,
}))

function plain(node: Tree): unknown {
  switch (node.kind) {
    case 'leaf':
      return node.word
    case 'next':
      return plain(node.of)
    case 'chain':
      return node.of.map(plain).at(-1)
    case 'all':
      return node.of.map(plain)
    case 'joined':
      return { joined: node.of.map(plain) }
  }
}

test.each([
  ['SQLite', openPlace, 25],
  ['PostgreSQL', postgresPlace, 5],
] as const)(
  'on %s, chains, forks and steps that go on make what plain recursion makes',
  async (_, place, numRuns) => {
    const leaf = taskOf<string, string>((word) => word)
    const join = defineTask({ name: 'joinAll' }, (joined: unknown[]) => ({ joined }))
    const step = taskOf<TaskCall>((call, ctx) => ctx.next(call))
    const toCall = (node: Tree): TaskCall => {
      switch (node.kind) {
        case 'leaf':
          return leaf.call(node.word)
        case 'next':
          return step.call(toCall(node.of))
        case 'chain':
          return chain(node.of.map(toCall)) as TaskCall
        case 'all':
          return all(node.of.map(toCall)) as TaskCall
        case 'joined':
          return all(node.of.map(toCall), join as never) as TaskCall
      }
    }
    const { queue, store } = await startedDaemon([leaf, join, step], { place: await place() })
    await fc.assert(
      fc.asyncProperty(fc.array(tree, { minLength: 1, maxLength: 4 }), async (nodes) => {
        const queued = await queue.enqueueMany(nodes.map(toCall))
        const values = await Promise.all(queued.map(({ id }) => queue.wait(id)))
        expect(values).toEqual(nodes.map(plain))
      }),
      { numRuns },
    )
    expect(await store.store.check()).toMatchObject({ ok: true, problems: [] })
    expect((await queue.counts()).running).toBe(0)
  },
  60_000,
)
