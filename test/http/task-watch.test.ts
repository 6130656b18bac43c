/** One look for all who follow tasks: when it is taken, and that nothing is left of it. */
import { expect, test } from 'vitest'
import type { StoredTask } from '../../src/runtime/durable/index.ts'
import type { TaskService } from '../../src/runtime/http/task-service.ts'
import { TaskWatch } from '../../src/runtime/http/task-watch.ts'
import { ManualClock } from '../../src/runtime/testing/index.ts'
import { deferred } from '../support/harness.ts'
import { turns } from '../support/turns.ts'

/** Tasks that are counted when they are looked at. */
function rig() {
  const clock = new ManualClock()
  const looks: (readonly string[])[] = []
  const listeners = new Set<() => void>()
  let answer: Promise<void> = Promise.resolve()
  const service = {
    clock,
    async get(ids: readonly string[]) {
      looks.push(ids)
      await answer
      return ids.map((id) => (id === 'gone' ? undefined : ({ id, state: 'queued' } as StoredTask)))
    },
    list: async () => ({ tasks: [], next: undefined }),
    counts: async () => ({ queued: 0 }),
    news(listener: () => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  } as unknown as TaskService
  return {
    clock,
    looks,
    listeners,
    watch: new TaskWatch(service),
    tell: () => {
      for (const listener of listeners) listener()
    },
    answerBy: (promise: Promise<void>) => {
      answer = promise
    },
  }
}

test('nobody follows: nobody looks, listens or waits', async () => {
  const { clock, looks, listeners, watch, tell } = rig()
  const leave = watch.follow('a', () => {})
  await turns()
  expect([looks, listeners.size]).toEqual([[['a']], 1])
  leave()
  expect([listeners.size, clock.pending]).toEqual([0, 0])
  tell()
  await turns()
  expect(looks).toHaveLength(1)
})

test('many follow: one look, at most ten times a second, however fast news come', async () => {
  const { clock, looks, watch, tell } = rig()
  const told: string[] = []
  const leaves = ['a', 'b', 'gone'].map((id) => watch.follow(id, (task) => told.push(task?.id ?? 'none')))
  await turns()
  for (let ms = 0; ms < 1_000; ms += 5) {
    tell()
    await clock.advance(5)
    await turns()
  }
  expect(looks.length).toBeLessThanOrEqual(12)
  expect(looks.length).toBeGreaterThan(8)
  expect(looks.every((ids) => ids.length === 3)).toBe(true)
  expect(told.slice(-3)).toEqual(['a', 'b', 'none'])
  for (const leave of leaves) leave()
})

test('without news it is looked each second', async () => {
  const { clock, looks, watch } = rig()
  const leave = watch.follow('a', () => {})
  await turns()
  for (let second = 0; second < 5; second += 1) {
    await clock.advance(1_100)
    await turns()
  }
  expect(looks).toHaveLength(6)
  leave()
})

test('a look that is slow is followed by a rest that is longer', async () => {
  const { clock, looks, watch, tell, answerBy } = rig()
  const gate = deferred<void>()
  answerBy(gate.promise)
  const leave = watch.follow('a', () => {})
  await clock.advance(500)
  gate.resolve()
  await turns()
  tell()
  await clock.advance(1_900)
  await turns()
  expect(looks).toHaveLength(1)
  await clock.advance(200)
  await turns()
  expect(looks).toHaveLength(2)
  leave()
})

test('a source that fails is asked again, and its followers hear of it when it answers', async () => {
  const { clock, looks, watch, answerBy } = rig()
  const told: string[] = []
  answerBy(Promise.reject(new Error('away')))
  const leave = watch.follow('a', ({ id } = { id: 'none' } as StoredTask) => told.push(id))
  await turns()
  expect([looks.length, told]).toEqual([1, []])
  answerBy(Promise.resolve())
  await clock.advance(1_200)
  await turns()
  expect(told).toEqual(['a'])
  leave()
})

test('who leaves and comes at any moment of a look hears what he follows, and nothing after he has left', async () => {
  const { clock, watch, answerBy, listeners } = rig()
  const gate = deferred<void>()
  answerBy(gate.promise)
  let left = 0
  const first = watch.follow('a', () => {
    left += 1
  })
  await turns()
  first()
  const told: string[] = []
  const second = watch.follow('b', (task) => told.push(task?.id ?? 'none'))
  gate.resolve()
  for (let round = 0; round < 5; round += 1) {
    await turns()
    await clock.advance(200)
  }
  expect(told).toContain('b')
  expect(left).toBe(0)
  second()
  expect([listeners.size, clock.pending]).toEqual([0, 0])
})

test('closed while it looks: that look is waited for, and nothing follows', async () => {
  const { clock, looks, watch, answerBy, listeners } = rig()
  const gate = deferred<void>()
  answerBy(gate.promise)
  watch.follow('a', () => {
    throw new Error('told after the end')
  })
  await turns()
  let isClosed = false
  const closed = watch.close().then(() => {
    isClosed = true
  })
  await turns()
  expect(isClosed).toBe(false)
  gate.resolve()
  await closed
  await clock.advance(5_000)
  expect([looks.length, listeners.size, clock.pending]).toEqual([1, 0, 0])
})
