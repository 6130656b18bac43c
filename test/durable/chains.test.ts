/** Chains and trampolines in a durable queue. */
import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import type { AnyDefinition } from '../../src/actors/definition.ts'
import { chain, defineTask, type Priority, type TaskDefinition } from '../../src/index.ts'
import { toNewTask } from '../../src/runtime/durable/enqueue-options.ts'
import { all } from '../../src/task.ts'
import { deferred, errorOf, slots, taskOf, thrownBy } from '../support/harness.ts'
import { openPlace, records, startedDaemon, storeRaw } from './daemon-kit.ts'
import { done, settle, take, testQueue } from './queue-kit.ts'

const percentOf = async (queue: { get(id: string): Promise<unknown> }, id: string) =>
  ((await queue.get(id)) as { progress?: { percent: number } }).progress?.percent

describe('a chain in the queue', () => {
  test('runs its steps one after the other under one id, and its result is the last one', async () => {
    const seen: string[] = []
    const say = taskOf<string, string>((word) => {
      seen.push(word)
      return word.toUpperCase()
    })
    const { queue } = await startedDaemon([say])
    const { id } = await queue.enqueue(chain([say.call('a'), say.call('b'), say.call('c')]))
    expect([await queue.wait(id), seen]).toEqual(['C', ['a', 'b', 'c']])
    expect(await queue.get(id)).toMatchObject({ state: 'finished', step: 2, input: 'c', attempt: 1 })
    expect((await queue.list()).tasks).toHaveLength(1)
  })

  test('drops what its other steps put out, even what cannot be stored', async () => {
    const big = taskOf<void>(() => 1n)
    const last = taskOf<void>((_, ctx) => ctx.skip('nothing to do'))
    const { queue } = await startedDaemon([big, last])
    const { id } = await queue.enqueue(chain([big, last]))
    expect(await queue.wait(id)).toBeUndefined()
    expect(await queue.get(id)).toMatchObject({ state: 'finished', reason: 'nothing to do' })
  })

  test('keeps a step that goes on with next at its place, and takes chains in chains', async () => {
    const seen: string[] = []
    const say = taskOf<string, string>((word) => {
      seen.push(word)
      return word
    })
    const twice = taskOf<string>((word, ctx) => ctx.next(say.call(`${word} again`)))
    const more = taskOf<string>((word, ctx) => ctx.next(chain([say.call(`${word}1`), say.call(`${word}2`)])))
    const { queue } = await startedDaemon([say, twice, more])
    const nested = chain([chain([twice.call('a'), say.call('b')]), more.call('c'), chain([say.call('d')])])
    expect(await queue.wait(await queue.enqueue(nested))).toBe('d')
    expect(seen).toEqual(['a again', 'b', 'c1', 'c2', 'd'])
  })

  test('ends where a step fails, which is named, and goes on from there when it is retried', async () => {
    const seen: number[] = []
    let isBroken = true
    const count = taskOf<number>((n) => void seen.push(n))
    const fragile = defineTask({ name: 'fragile' }, (n: number) => {
      seen.push(n)
      if (isBroken) throw new Error('glass')
    })
    const { queue } = await startedDaemon([count, fragile])
    const { id } = await queue.enqueue(chain([count.call(1), fragile.call(2), count.call(3)]))
    expect(await errorOf(queue.wait(id))).toMatchObject({
      code: 'ERR_TASK_THREW',
      taskName: 'fragile',
      message: expect.stringContaining('"fragile"'),
      cause: { message: 'glass' },
    })
    expect(await queue.get(id)).toMatchObject({ state: 'failed', name: 'fragile', step: 1, input: 2 })
    isBroken = false
    await queue.retry(id)
    await queue.wait(id)
    expect(seen).toEqual([1, 2, 2, 3])
  })

  test('tells how far it is over all steps, current when a step begins and while it runs', async () => {
    const gates = [deferred<void>(), deferred<void>(), deferred<void>()]
    const begun = [deferred<void>(), deferred<void>(), deferred<void>()]
    const gated = taskOf<number>(async (n, ctx) => {
      if (n === 1) ctx.progress(50)
      begun[n]?.resolve()
      await gates[n]?.promise
    })
    const place = await openPlace()
    const { queue, store } = await startedDaemon([gated], { place })
    const { id } = await queue.enqueue(chain([gated.call(0), chain([gated.call(1), gated.call(2)])]))
    await begun[0]?.promise
    gates[0]?.resolve()
    await begun[1]?.promise
    // 1 of 2, then half of the first of two: 62.5.
    const [half] = await records(store, [id], ({ percent }) => percent !== null && percent > 50)
    expect(half?.percent).toBe(62.5)
    gates[1]?.resolve()
    await begun[2]?.promise
    // It stands in the row with the step itself: nobody has reported since.
    expect(await percentOf(queue, id)).toBe(75)
    gates[2]?.resolve()
    await queue.wait(id)
  })

  test('hands its options to its steps: those of a step come first, none outlives the whole', async () => {
    const place = await openPlace()
    const step = taskOf<string>(() => 1)
    const options = { graceMs: 5, deadlineMs: 10_000, retry: { attempts: 2 } }
    await place.queue.enqueue(chain([step.call('a'), { ...step.call('b'), options: { graceMs: 7 } }]), {
      ...options,
      description: 'both',
      metadata: { of: 'mine' },
    })
    const [first] = await take(place.queue)
    expect(first).toMatchObject({ input: '"a"', description: 'both', metadata: '{"of":"mine"}' })
    expect(JSON.parse(first?.options as string)).toMatchObject({
      chain: { levels: [{ done: 0, total: 2, options }], stepAgeMs: 0 },
    })
  })

  test('counts the deadline of a step from when it is due, and that of the whole from the beginning', async () => {
    const quick = taskOf<void>(() => 1)
    const brief = taskOf<void>((_, ctx) => ctx.deadlineAt, { deadlineMs: 60_000 })
    const patient = taskOf<void>(
      (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    const { queue, store } = await startedDaemon([quick, brief, patient])
    const now = store.now()
    const old = (id: string, options: object, second: AnyDefinition = brief) => {
      const task = toNewTask(chain([quick, second]), { runId: id, runAt: now, ...options }, store)
      return store.do({ type: 'enqueue', at: now - 100_000, by: 'test', tasks: [task] })
    }
    await old('free', {})
    await old('bound', { deadlineMs: 130_000 })
    await old('late', { deadlineMs: 90_000 }, patient)
    expect(await queue.wait('free')).toBeGreaterThanOrEqual(now + 60_000)
    const deadlineAt = (await queue.wait('bound')) as number
    expect(Math.abs(deadlineAt - (now + 30_000))).toBeLessThan(100)
    expect(await errorOf(queue.wait('late'))).toMatchObject({ code: 'ERR_TASK_DEADLINE_PASSED' })
  })

  test('that an older version has stored, with its calls in the row, goes on, nested and with what it goes on with', async () => {
    const seen: string[] = []
    const say = taskOf<string, string>((word) => {
      seen.push(word)
      return word
    })
    const twice = taskOf<string>((word, ctx) => ctx.next(chain([say.call(`${word}1`), say.call(`${word}2`)])))
    const split = taskOf<string>((word, ctx) => ctx.next(all([say.call(`${word}x`), say.call(`${word}y`)])))
    const { queue, store } = await startedDaemon([say, twice, split], { supervisor: slots(1) })
    const tag = (definition: AnyDefinition, input: string) => ({
      '$stateward.call': { name: definition.name, version: 1, input },
    })
    const rest = (...calls: object[]) => JSON.stringify(calls)
    for (const first of [say, twice, split]) {
      seen.length = 0
      const levels = [
        { rest: rest(tag(split, 'c'), tag(say, 'd')), done: 0, total: 3 },
        { rest: rest(tag(twice, 'b')), done: 0, total: 2 },
      ]
      const id = await storeRaw(store, {
        name: first.name,
        input: '"a"',
        options: JSON.stringify({ chain: { levels, stepAgeMs: 0 } }),
      })
      expect(await queue.wait(id)).toBe('d')
      const begun = first === say ? ['a'] : first === twice ? ['a1', 'a2'] : ['ax', 'ay']
      expect(seen).toEqual([...begun, 'b1', 'b2', 'cx', 'cy', 'd'])
      expect(await queue.get(id)).toMatchObject({ state: 'finished', progress: { percent: 100 } })
    }
  })

  test('has a band of its own for a step that says so, also for one that is gone on with; others have that of the whole', async () => {
    const seen: string[] = []
    const who: TaskDefinition<string, unknown> = taskOf<string>(async (word, ctx) => {
      seen.push(`${word} ${(await queue.get(ctx.runId))?.priority}`)
      return word === 'c' ? ctx.next({ ...who.call('c2'), options: { priority: 'critical' } }) : word
    })
    const { queue } = await startedDaemon([who])
    const call = (word: string, priority?: Priority) => ({
      ...who.call(word),
      options: priority && { priority },
    })
    const inner = { ...chain([call('d'), call('e', 'high')]), options: { priority: 'low' } as const }
    const calls = [call('a', 'high'), call('b'), call('c', 'low'), inner, call('f')]
    await queue.wait(await queue.enqueue(chain(calls)))
    expect(seen).toEqual([...['a high', 'b normal', 'c low', 'c2 critical', 'd low', 'e high', 'f normal']])
    seen.length = 0
    await queue.wait(
      await queue.enqueue(chain([call('b'), call('a', 'normal'), call('b')]), { priority: 'high' }),
    )
    expect(seen).toEqual(['b high', 'a normal', 'b high'])
    expect(await errorOf(queue.enqueue(chain([call('a', 'urgent' as never)])))).toMatchObject({
      code: 'ERR_OPTION_INVALID',
    })
  })

  test('fails where a step is not known, and is taken up by a daemon that knows it', async () => {
    const known = taskOf<void>(() => 1)
    const other = defineTask({ name: 'elsewhere' }, (text: string) => text)
    const rig = await startedDaemon([known])
    const { id } = await rig.queue.enqueue(chain([known, other.call('there')]))
    expect(await errorOf(rig.queue.wait(id))).toMatchObject({ taskName: 'elsewhere', kind: 'unknownTask' })
    await rig.daemon.stop()
    await startedDaemon([known, other], { place: rig, daemon: { name: 'second' } })
    await rig.queue.retry(id)
    expect(await rig.queue.wait(id)).toBe('there')
  })

  test('is checked whole before anything is stored', async () => {
    const queue = await testQueue({ maxInputBytes: 500 })
    const strict = defineTask({ name: 'strict', schema: v.object({ n: v.number() }) }, ({ n }) => n)
    const free = taskOf<unknown>(() => 1)
    const refused = (call: object) => errorOf(queue.enqueue(call as never))
    const ok = strict.call({ n: 1 })
    expect(thrownBy(() => chain([]))).toMatchObject({ code: 'ERR_OPTION_INVALID' })
    expect(await refused({ ...chain([ok]), input: { calls: [] } })).toMatchObject({
      code: 'ERR_OPTION_INVALID',
    })
    expect(await refused(chain([ok, chain([ok, strict.call({ n: 'x' } as never)])]))).toMatchObject({
      code: 'ERR_INPUT_INVALID',
      taskName: 'strict',
    })
    expect((await refused(chain([ok, free.call({ a: [1n] })]))).message).toMatch(/\$.*calls\[1\].*\.a\[0\]/)
    expect(await refused(chain([ok, free.call('x'.repeat(600))]))).toMatchObject({
      code: 'ERR_VALUE_TOO_LARGE',
    })
    expect(await refused(chain([ok, { ...ok, options: { priorty: 'high' } }]))).toMatchObject({
      code: 'ERR_OPTION_UNKNOWN',
    })
    expect((await queue.counts()).queued).toBe(0)
  })

  test('makes the same steps as plain recursion', { timeout: 60_000 }, async () => {
    const seen: string[] = []
    const say = taskOf<string, string>((word) => {
      seen.push(word)
      return word
    })
    const { queue } = await startedDaemon([say])
    const { tree } = fc.letrec<{ tree: string | unknown[] }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        fc.string({ maxLength: 4 }),
        fc.array(tie('tree'), { minLength: 1, maxLength: 3 }),
      ) as never,
    }))
    const toCall = (node: unknown): never =>
      (Array.isArray(node) ? chain(node.map(toCall)) : say.call(node as string)) as never
    await fc.assert(
      fc.asyncProperty(fc.array(tree, { minLength: 1, maxLength: 4 }), async (nodes) => {
        seen.length = 0
        const leaves = nodes.flat(Number.POSITIVE_INFINITY)
        expect(await queue.wait(await queue.enqueue(toCall(nodes)))).toBe(leaves.at(-1))
        expect(seen).toEqual(leaves)
      }),
      { numRuns: 15 },
    )
  })
})

describe('a trampoline', () => {
  test('lets others have their turn between its steps', async () => {
    const seen: string[] = []
    const down = taskOf<{ who: string; n: number }>(({ who, n }, ctx): unknown => {
      seen.push(`${who}${n}`)
      return n === 0 ? undefined : ctx.next(down.call({ who, n: n - 1 }))
    })
    const place = await openPlace()
    const ids = await place.queue.enqueueMany([down.call({ who: 'a', n: 3 }), down.call({ who: 'b', n: 3 })])
    await startedDaemon([down], { place, supervisor: { pool: { size: 1 } } })
    for (const { id } of ids) await place.queue.wait(id)
    expect(seen).toEqual(['a3', 'b3', 'a2', 'b2', 'a1', 'b1', 'a0', 'b0'])
  })

  test('stores each step before the next one, and one row for all', async () => {
    const queue = await testQueue()
    const down = taskOf<number>(() => 1)
    const { id } = await queue.enqueue(down, 2)
    for (const n of [1, 0]) {
      const [task] = await take(queue)
      const call = {
        name: down.name,
        version: 1,
        input: String(n),
        options: null,
        description: null,
        metadata: null,
      }
      await settle(queue, task as never, { kind: 'step', runAt: 0, call, percent: 50 - n })
      expect(await queue.get(id)).toMatchObject({ input: n, step: 2 - n, progress: { percent: 50 - n } })
    }
    const [last] = await take(queue)
    await settle(queue, last as never, done('end'))
    expect(await queue.wait(id)).toBe('end')
    expect((await queue.list()).tasks).toHaveLength(1)
  })
})
