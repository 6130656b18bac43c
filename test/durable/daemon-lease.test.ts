/** A task that takes longer than the lease of its daemon, on each store. */
import { expect, test } from 'vitest'
import { heldTask } from '../support/harness.ts'
import { until } from '../support/until.ts'
import { openPlace, type Place, startedDaemon } from './daemon-kit.ts'
import { postgresPlace } from './postgres-place.ts'

const LEASE_MS = 1_000

test.each<[string, () => Promise<Place>]>([
  ['SQLite', openPlace],
  ['PostgreSQL', postgresPlace],
])('%s: a daemon that is well keeps its task for many leases', async (_, openStore) => {
  const { task, calls } = heldTask<void>()
  const { queue, store } = await startedDaemon([task], {
    place: await openStore(),
    daemon: { leaseMs: LEASE_MS },
  })
  const { id } = await queue.enqueue(task)
  let started = Number.POSITIVE_INFINITY
  // Each renewal moves the end of the lease; the daemon looks for lost ones each half second meanwhile.
  await until(async () => {
    const [record] = await store.read((open) => open.get([id]))
    if (calls.length > 0) started = Math.min(started, record?.startedAt ?? started)
    return calls.length > 1 || (record?.leaseUntil ?? 0) > started + 4 * LEASE_MS
  })
  calls[0]?.resolve('done')
  expect(await queue.wait(id)).toBe('done')
  expect(await queue.get(id)).toMatchObject({ state: 'finished', attempt: 1 })
  expect((await queue.log(id)).map(({ act }) => act)).toEqual(['created', 'started', 'finished'])
  expect(calls).toHaveLength(1)
})
