/** What a daemon does with tasks that have lost leases: nothing beside them is at stake, and nothing waits for longer than it has to. */
import { expect, test } from 'vitest'
import type { StoreOperation } from '../../src/actors/store/operations.ts'
import { heldTask, taskOf } from '../support/harness.ts'
import { until } from '../support/until.ts'
import { type Place, placeAround, startedDaemon } from './daemon-kit.ts'

const LEASE_MS = 1_500

interface Watched extends Place {
  /** What was committed, in this order. */
  readonly types: StoreOperation['type'][]
}

/** @param renewing - called when leases are about to be renewed */
async function watchedPlace(renewing = (): void => {}): Promise<Watched> {
  const types: StoreOperation['type'][] = []
  const place = await placeAround((commit) => (operations) => {
    types.push(...operations.map(({ type }) => type))
    if (operations.some(({ type }) => type === 'renew')) renewing()
    return commit(operations)
  })
  return { ...place, types }
}

/** Somebody claims these and dies, so many times. */
async function loseLeases({ store }: Place, ids: readonly string[], times: number): Promise<void> {
  const room = { critical: 9, high: 9, normal: 9, low: 9 }
  for (let n = 0; n < times; n += 1) {
    const at = store.now()
    const claim = { type: 'claim', at, holder: 'dead', leaseUntil: at, room, limit: 9, ids } as const
    expect((await store.do(claim)).tasks).toHaveLength(ids.length)
    await store.do({ type: 'reclaim', at, by: 'test', lostLimit: 9, limit: 9 })
  }
}

test('one that has lost two begins alone: the others are back before, and are claimed when its lease is renewed', async () => {
  const { task, calls } = heldTask<string>()
  const begunAtRenewals: number[] = []
  const place = await watchedPlace(() => begunAtRenewals.push(calls.length))
  const { queue, store, types } = place
  const suspect = await queue.enqueue(task, 'suspect')
  const other = await queue.enqueue(task, 'other')
  await loseLeases(place, [suspect.id], 2)
  await startedDaemon([task], { place, daemon: { leaseMs: LEASE_MS } })
  await until(() => calls.length === 1)
  const [waiting] = await store.read((open) => open.get([other.id]))
  expect(waiting).toMatchObject({ state: 'pending', phase: 'returned', attempt: 0 })
  // What is enqueued meanwhile waits, too.
  const later = await queue.enqueue(task, 'later')
  await until(() => calls.length === 3)
  expect(begunAtRenewals[0]).toBe(1)
  const claims = types.slice(0, types.indexOf('renew')).filter((type) => type === 'claim').length
  // News may have it ask; it does not spin.
  expect(claims).toBeLessThan(8)
  for (const call of calls) call.resolve('done')
  for (const { id } of [suspect, other, later]) expect(await queue.wait(id)).toBe('done')
  expect((await queue.get(suspect))?.attempt).toBe(3)
}, 20_000)

test('as soon as it has ended the others go on, long before a renewal', async () => {
  const place = await watchedPlace()
  const { queue, types } = place
  const echo = taskOf<number, number>((n) => n)
  const queued = await queue.enqueueMany(Array.from({ length: 40 }, (_, n) => echo.call(n)))
  const suspects = queued.slice(10, 14).map(({ id }) => id)
  await loseLeases(place, suspects, 2)
  await startedDaemon([echo], { place, daemon: { leaseMs: 600_000 } })
  for (const [n, { id }] of queued.entries()) expect(await queue.wait(id)).toBe(n)
  expect(types.filter((type) => type === 'claim').length).toBeLessThan(60)
}, 20_000)

test('one that has lost a lease: no more are held than there are places', async () => {
  const place = await watchedPlace()
  const { queue } = place
  const { task, calls } = heldTask<number>()
  const queued = await queue.enqueueMany(Array.from({ length: 9 }, (_, n) => task.call(n)))
  await loseLeases(place, [queued[0]?.id as string], 1)
  const supervisor = { pool: { size: 2, reserveNormal: 0, reserveHigh: 0 } }
  await startedDaemon([task], { place, supervisor })
  await until(() => calls.length === 2)
  const running = await queue.list({ state: 'running' })
  expect(running.tasks).toHaveLength(2)
  for (let n = 0; n < queued.length; n += 1) {
    await until(() => calls.length > n)
    calls[n]?.resolve(n)
  }
  for (const { id } of queued) await queue.wait(id)
}, 20_000)

test('two that may not lose another lease are not held together: the second one waits, whatever else runs', async () => {
  const place = await watchedPlace()
  const { queue, types } = place
  const { task, calls } = heldTask<string>()
  const queued = await queue.enqueueMany([task.call('first'), task.call('second')])
  const ids = queued.map(({ id }) => id)
  await loseLeases(place, ids, 3)
  await startedDaemon([task], { place, daemon: { leaseMs: LEASE_MS } })
  await until(() => calls.length === 1)
  const other = await queue.enqueue(task, 'other')
  // From its first renewal on others are claimed, and the second one is not.
  await until(() => calls.length === 2)
  expect((await queue.get(other))?.state).toBe('running')
  const states = await Promise.all(ids.map(async (id) => (await queue.get(id))?.state))
  expect(states).toContain('running')
  expect(states.filter((state) => state === 'running')).toHaveLength(1)
  expect(types.filter((type) => type === 'claim').length).toBeLessThan(15)
  calls[0]?.resolve('done')
  await until(() => calls.length === 3)
  for (const call of calls) call.resolve('done')
  for (const id of [...ids, other.id]) expect(await queue.wait(id)).toBe('done')
}, 20_000)
