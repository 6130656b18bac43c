/** Tasks of many steps: each is stored before the next begins. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { defineTask, type TaskDefinition } from '../../src/index.ts'
import { temporaryFolder } from '../store/store-kit.ts'
import { slots, taskOf } from '../support/harness.ts'
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
