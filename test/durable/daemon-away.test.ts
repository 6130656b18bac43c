/** A database that does not answer for a while: what runs goes on, what has ended is kept, and nothing is lost. */
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { errorOf, heldTask, taskOf, turns } from '../support/harness.ts'
import { until } from '../support/until.ts'
import { awayPlace, enqueue, next, openPlace, records, startedDaemon } from './daemon-kit.ts'

describe('while its database does not answer', () => {
  test('a daemon says so, keeps what has ended, and goes on when it answers again', async () => {
    const { task, calls } = heldTask<number>()
    const place = await awayPlace()
    const { queue, store, daemon, supervisor } = await startedDaemon([task], { place })
    const { id } = await queue.enqueue(task, 1)
    await records(store, [id], ({ state }) => state === 'running')
    const later = await queue.enqueue(task, 2, { delayMs: 20 })
    const lost = next(supervisor, 'daemon.storeLost')
    place.setAway(true)
    // It looks for what becomes due.
    expect(await lost).toMatchObject({ daemon: 'default', error: { code: 'ERR_STORE_FAILED' } })
    expect(daemon.state).toBe('backingOff')
    calls[0]?.resolve('kept')
    await until(() => daemon.info().held === 0)
    expect((await queue.get(id))?.state).toBe('running')
    const found = next(supervisor, 'daemon.storeFound')
    place.setAway(false)
    await found
    expect(await queue.wait(id)).toBe('kept')
    await records(store, [later.id], ({ state }) => state === 'running')
    calls[1]?.resolve('second')
    expect([await queue.wait(later.id), daemon.state]).toEqual(['second', 'working'])
  })

  test('a daemon comes up and waits for it', async () => {
    const echo = taskOf<number, number>((n) => n)
    const place = await awayPlace()
    const { id } = await place.queue.enqueue(echo, 3)
    place.setAway(true)
    const { daemon, queue } = await startedDaemon([echo], { place })
    expect(daemon.state).toBe('backingOff')
    place.setAway(false)
    expect([await queue.wait(id), daemon.state]).toEqual([3, 'working'])
  })

  test('for longer than the lease, its tasks are ended and run again later', async () => {
    const { task, calls } = heldTask<void>()
    const place = await awayPlace()
    const { queue, store, supervisor } = await startedDaemon([task], { place, daemon: { leaseMs: 300 } })
    const { id } = await queue.enqueue(task)
    await records(store, [id], ({ state }) => state === 'running')
    const ended = next(supervisor, 'daemon.leaseLost')
    const terminated = next(supervisor, 'task.terminated')
    place.setAway(true)
    expect(await ended).toMatchObject({ runId: id, name: task.name })
    expect((await terminated).reason).toBe('awol')
    place.setAway(false)
    await records(store, [id], ({ attempt, state }) => attempt === 2 && state === 'running')
    await until(() => calls.length === 2)
    calls[1]?.resolve('again')
    expect(await queue.wait(id)).toBe('again')
    expect((await queue.log(id)).map(({ act }) => act)).toEqual([
      'created',
      'started',
      'leaseLost',
      'started',
      'finished',
    ])
  })

  test('a stop within a bound ends all the same, and its leases tell the rest', async () => {
    const { task, calls } = heldTask<void>()
    const place = await awayPlace()
    const { queue, store, daemon, supervisor } = await startedDaemon([task], { place })
    const { id } = await queue.enqueue(task)
    await records(store, [id], ({ state }) => state === 'running')
    place.setAway(true)
    calls[0]?.resolve('never told')
    const stopped = next(supervisor, 'daemon.stopped')
    const begun = performance.now()
    await daemon.stop({ wait: 100 })
    expect(await stopped).toMatchObject({ held: 0, untold: 1 })
    expect(performance.now() - begun).toBeLessThan(100 + 250 + 250)
    expect((await queue.get(id))?.state).toBe('running')
  })
})

test('a queue that was closed first holds up no stop', async () => {
  const { task, calls } = heldTask<void>()
  const { queue, store, daemon, supervisor } = await startedDaemon([task])
  const { id } = await queue.enqueue(task)
  await records(store, [id], ({ state }) => state === 'running')
  await queue.close()
  calls[0]?.resolve('too late')
  const stopped = next(supervisor, 'daemon.stopped')
  await daemon.stop()
  expect(await stopped).toMatchObject({ held: 0, untold: 1 })
})

test('a store that keeps silent is lost for whoever looks, and found when it answers', async () => {
  const { task, calls } = heldTask<number>()
  const { queue, store, file, daemon, supervisor } = await startedDaemon([task], {
    daemon: { leaseMs: 3_000 },
  })
  const { id } = await queue.enqueue(task, 1)
  await records(store, [id], ({ state }) => state === 'running')
  const other = new DatabaseSync(file)
  const lost = next(supervisor, 'daemon.storeLost')
  other.exec('BEGIN EXCLUSIVE')
  calls[0]?.resolve('kept')
  expect(await lost).toMatchObject({ error: { code: 'ERR_STORE_BUSY' } })
  expect(daemon.state).toBe('backingOff')
  const found = next(supervisor, 'daemon.storeFound')
  other.exec('COMMIT')
  other.close()
  await found
  expect(await queue.wait(id)).toBe('kept')
  const later = await queue.enqueue(task, 2)
  await records(store, [later.id], ({ state }) => state === 'running')
  calls[1]?.resolve('second')
  expect([await queue.wait(later), daemon.state]).toEqual(['second', 'working'])
})

test('a file that another program has locked is waited for; no task is lost or run twice', async () => {
  const { task, calls } = heldTask<number>()
  const { queue, store, file } = await startedDaemon([task])
  const { id } = await queue.enqueue(task, 1)
  await records(store, [id], ({ state }) => state === 'running')
  const other = new DatabaseSync(file)
  other.exec('BEGIN EXCLUSIVE')
  calls[0]?.resolve('kept')
  const second = queue.enqueue(task, 2)
  let isStored = false
  void second.then(() => {
    isStored = true
  })
  // Both have been tried and wait for the file: an attempt on a locked one fails within its turn.
  await turns(10)
  expect(isStored).toBe(false)
  other.exec('COMMIT')
  other.close()
  expect(await queue.wait(id)).toBe('kept')
  await records(store, [(await second).id], ({ state }) => state === 'running')
  calls[1]?.resolve('second')
  expect(await queue.wait(await second)).toBe('second')
  expect(calls).toHaveLength(2)
})

test('rows that nobody can read or run fail alone, and harm nobody else', async () => {
  const echo = taskOf<string, string>((text) => text)
  const place = await openPlace()
  const ids = await enqueue(place.queue, ...['a', 'b', 'c', 'd', 'e'].map((text) => echo.call(text)))
  const [never, far, moon, retry, good] = ids as [string, string, string, string, string]
  const other = new DatabaseSync(place.file)
  const change = (column: string, value: string | bigint, id: string): unknown =>
    other.prepare(`UPDATE stateward_task SET ${column} = ? WHERE id = ?`).run(value, id)
  change('run_at', 9_000_000_000_000_000_000n, never)
  change('created_at', 2n ** 60n, far)
  change('options', '{"execution":"moon"}', moon)
  change('options', '{"retry":5}', retry)
  other.close()
  const { queue, store, daemon, supervisor } = await startedDaemon([echo], { place })
  const lost: unknown[] = []
  supervisor.on('daemon.storeLost', (event) => lost.push(event))
  await records(store, [far, moon, retry, good])
  expect(await queue.wait(good)).toBe('e')
  for (const [id, words] of [
    [moon, 'execution of the stored task'],
    [retry, 'retry of the stored task'],
  ] as const) {
    const error = await errorOf(queue.wait(id))
    expect(error).toMatchObject({ kind: 'invalidInput' })
    expect((error.cause as Error).message).toContain(words)
  }
  const { tasks } = await queue.list({ order: 'oldest' })
  expect(tasks.map(({ state }) => state)).toEqual(['scheduled', 'finished', 'failed', 'failed', 'finished'])
  expect(tasks[0]?.runAt).toBe(8.64e15)
  const later = await queue.enqueue(echo, 'later')
  expect([await queue.wait(later), daemon.state, lost]).toEqual(['later', 'working', []])
})

test('one row that the database refuses fails alone, and the daemon goes on', async () => {
  const echo = taskOf<string, string>((text) => text)
  const place = await openPlace()
  const { queue, store, file } = await startedDaemon([echo], { place })
  const other = new DatabaseSync(file)
  other.exec(`CREATE TRIGGER refuses BEFORE UPDATE ON stateward_task WHEN new.result = '"bad"'
    BEGIN SELECT raise(ABORT, 'not this one'); END`)
  other.close()
  const queued = await queue.enqueueMany([echo.call('good'), echo.call('bad'), echo.call('good, too')])
  const [first, bad, last] = queued.map(({ id }) => id) as [string, string, string]
  expect([await queue.wait(first), await queue.wait(last)]).toEqual(['good', 'good, too'])
  const error = await errorOf(queue.wait(bad))
  expect(error).toMatchObject({ kind: 'unserializable' })
  expect((error.cause as Error).message).toContain('not this one')
  await records(store, [first, bad, last])
})
