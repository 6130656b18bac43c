/** Tasks of many steps: each is stored before the next begins. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chain, defineTask, runContext, type TaskDefinition } from '../../src/index.ts'
import { all } from '../../src/task.ts'
import { temporaryFolder } from '../store/store-kit.ts'
import { errorOf, slots, taskOf } from '../support/harness.ts'
import { enqueue, openPlace, placeAround, startedDaemon } from './daemon-kit.ts'

interface Sum {
  readonly list: number[]
  readonly total: number
}

test('ten thousand steps run in constant memory and storage under one id', async () => {
  let deepest = 0
  const countdown: TaskDefinition<number, unknown> = taskOf<number>((n, ctx) => {
    deepest = Math.max(deepest, new Error().stack?.split('\n').length ?? 0)
    return n === 0 ? ctx.attempt : ctx.next(countdown.call(n - 1))
  })
  // In memory where there is such a place: ten thousand commits to a busy disk take a minute.
  const folder = await temporaryFolder(existsSync('/dev/shm') ? '/dev/shm' : undefined)
  const place = await openPlace(join(folder, 'tasks.db'))
  const { queue } = await startedDaemon([countdown], { place })
  const { id } = await queue.enqueue(countdown, 10_000)
  expect(await queue.wait(id)).toBe(1)
  expect(await queue.get(id)).toMatchObject({ step: 10_000, attempt: 1, input: 0 })
  expect((await queue.counts()).finished).toBe(1)
  expect(deepest).toBeLessThan(12)
  // One row and the last entries of its log, whatever the number of steps.
  const { facts } = await place.store.store.check()
  expect([facts.tasks, (await queue.log(id)).length]).toEqual([1, 103])
  expect(facts.bytes).toBeLessThan(200_000)
}, 60_000)

test('a step costs one commit, also for a daemon with two pools', async () => {
  let commits = 0
  const place = await placeAround((commit) => (operations) => {
    commits += 1
    return commit(operations)
  })
  const countdown: TaskDefinition<number, unknown> = taskOf<number>((n, ctx) =>
    n === 0 ? commits : ctx.next(countdown.call(n - 1)),
  )
  const other = defineTask({ name: 'other', module: import.meta.url, execution: 'process' }, (): null => null)
  const { queue } = await startedDaemon([countdown, other], { place })
  const { id } = await queue.enqueue(countdown, 10)
  const before = await queue.wait(id)
  const { id: long } = await queue.enqueue(countdown, 210)
  const after = await queue.wait(long)
  // What the daemon does by the clock comes on top.
  expect(Number(after) - Number(before)).toBeLessThan(240)
}, 20_000)

test('trampolines put out what plain recursion does', async () => {
  const sum: TaskDefinition<Sum, unknown> = taskOf<Sum>(({ list, total }, ctx) => {
    const [head, ...tail] = list
    return head === undefined ? total : ctx.next(sum.call({ list: tail, total: total + head }))
  })
  const { queue } = await startedDaemon([sum], { supervisor: slots(3) })
  const lists = fc.array(fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 8 }), {
    minLength: 1,
    maxLength: 6,
  })
  await fc.assert(
    fc.asyncProperty(lists, async (given) => {
      const ids = await enqueue(queue, ...given.map((list) => sum.call({ list, total: 0 })))
      const found = await Promise.all(ids.map((id) => queue.wait(id)))
      expect(found).toEqual(given.map((list) => list.reduce((total, n) => total + n, 0)))
    }),
    { numRuns: 15 },
  )
})

test('a step that cannot be stored fails the task, with the step before in the record', async () => {
  const other = taskOf<unknown>(() => 'never')
  const first = taskOf<void>((_, ctx) => ctx.next(other.call(new Map())))
  const { queue } = await startedDaemon([first, other])
  const { id } = await queue.enqueue(first)
  await expect(queue.wait(id)).rejects.toMatchObject({ kind: 'unserializable' })
  expect(await queue.get(id)).toMatchObject({ name: first.name, step: 0, state: 'failed' })
})

describe('what was said of the task when it was enqueued', () => {
  const patient = () =>
    taskOf<void>(
      (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )

  test('stays with it at every step: description, metadata, context, key and band', async () => {
    const seen: unknown[] = []
    const values = runContext()
    const steps: TaskDefinition<number, unknown> = taskOf<number>(
      (n, ctx) => {
        seen.push([values.get('tenant'), values.get('step')])
        return n === 0 ? 'end' : ctx.next({ ...steps.call(n - 1), options: { context: { step: n } } })
      },
      { description: 'of the definition', metadata: () => ({ of: 'the definition' }) },
    )
    const { queue, store } = await startedDaemon([steps])
    const said = { description: 'mine', metadata: { order: 7 }, key: 'k', priority: 'high' } as const
    const { id } = await queue.enqueue(steps, 2, { ...said, context: { tenant: 'ada', step: 9 } })
    expect(await queue.wait(id)).toBe('end')
    expect(await queue.get(id)).toMatchObject({ ...said, step: 2, input: 0 })
    // The row has them, once.
    const [row] = await store.read((open) => open.get([id]))
    expect(JSON.parse(row?.options ?? '')).toMatchObject({ chain: { description: true, metadata: true } })
    expect((await queue.list({ metadata: { order: 7 } })).tasks.map((task) => task.id)).toEqual([id])
    expect(seen).toEqual([
      ['ada', 9],
      ['ada', 2],
      ['ada', 1],
    ])
    const plain = await queue.enqueue(steps, 1)
    await queue.wait(plain)
    expect(await queue.get(plain)).toMatchObject({
      description: 'of the definition',
      metadata: { of: 'the definition' },
    })
  })

  test('bounds all of its steps by its deadline, over that of definitions; a step may say less', async () => {
    const deadlineOf = taskOf<object | undefined>((_, ctx) => ctx.deadlineAt, { deadlineMs: 5_000 })
    const first = taskOf<object | undefined>((options, ctx) =>
      ctx.next({ ...deadlineOf.call(undefined), options }),
    )
    const { queue, store } = await startedDaemon([first, deadlineOf])
    const now = store.now()
    const leftOf = async (inner: object | undefined, options: object) =>
      Number(await queue.wait(await queue.enqueue(first, inner, options))) - now
    const near = (ms: number) => ({ asymmetricMatch: (got: number) => got >= ms - 5 && got < ms + 4_000 })
    expect([
      await leftOf(undefined, {}),
      await leftOf(undefined, { deadlineMs: 60_000 }),
      await leftOf({ deadlineMs: 90_000 }, { deadlineMs: 60_000 }),
      await leftOf({ deadlineMs: 30_000 }, { deadlineMs: 60_000 }),
      await leftOf(undefined, { deadlineMs: Number.POSITIVE_INFINITY }),
    ]).toEqual([near(5_000), near(60_000), near(60_000), near(30_000), Number.NaN])
  })

  test('ends a later step, a chain and a fork that it goes on with when the deadline is over', async () => {
    const endless = patient()
    const firsts = [
      taskOf<void>((_, ctx) => ctx.next(endless.call())),
      taskOf<void>((_, ctx) => ctx.next(chain([endless]))),
      taskOf<void>((_, ctx) => ctx.next(all([endless, chain([endless])]))),
    ]
    const { queue } = await startedDaemon([...firsts, endless])
    const ids = await Promise.all(firsts.map((first) => queue.enqueue(first, undefined, { deadlineMs: 300 })))
    for (const id of ids) {
      expect(await errorOf(queue.wait(id))).toMatchObject({ code: 'ERR_TASK_DEADLINE_PASSED' })
      expect(await queue.get(id)).toMatchObject({
        state: 'terminated',
        reason: 'deadline',
      })
    }
  })
})
