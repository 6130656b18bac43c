/** A daemon that stops: what had not begun goes back, what runs may end, and no attempt is used up by it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { heldTask, slots, taskOf } from '../support/harness.ts'
import { enqueue, next, records, startedDaemon } from './daemon-kit.ts'

describe('a graceful stop', () => {
  test('hands back at once what has not begun, and lets what runs end', async () => {
    const { task, calls } = heldTask<number>({ multilaunch: false })
    const { queue, store, daemon } = await startedDaemon([task])
    const [running, waiting] = (await enqueue(queue, task.call(1), task.call(2))) as [string, string]
    await records(store, [running, waiting], ({ state }) => state === 'running')
    expect(daemon.info()).toMatchObject({ held: 2, running: 1 })
    const stopped = daemon.stop({ wait: 30_000 })
    expect(daemon.state).toBe('draining')
    const [back] = await records(store, [waiting], ({ state }) => state === 'pending')
    expect(back).toMatchObject({ phase: 'returned', attempt: 0 })
    expect((await queue.get(running))?.state).toBe('running')
    calls[0]?.resolve('done')
    await stopped
    expect(await queue.wait(running)).toBe('done')
    expect(daemon.info()).toMatchObject({ held: 0, running: 0, counts: { returned: 1, finished: 1 } })
  })

  test('hands back what it had to end, with no attempt used, and the next daemon runs it', async () => {
    const { task, calls } = heldTask<void>()
    const { queue, store, daemon, supervisor } = await startedDaemon([task])
    const ends: unknown[] = []
    for (const name of ['task.handedBack', 'task.terminated'] as const)
      supervisor.on(name, ({ runId, state }) => ends.push([name, runId, state]))
    const { id } = await queue.enqueue(task)
    await records(store, [id], ({ state }) => state === 'running')
    await daemon.stop({ wait: 1_000 })
    expect(ends).toEqual([['task.handedBack', id, 'queued']])
    expect(supervisor.info().runs.terminated).toBe(0)
    const [back] = await records(store, [id], ({ state }) => state === 'pending')
    expect(back).toMatchObject({ phase: 'returned', attempt: 0 })
    await daemon.start()
    await records(store, [id], ({ state }) => state === 'running')
    calls.at(-1)?.resolve('second')
    expect([await queue.wait(id), (await queue.get(id))?.attempt]).toEqual(['second', 1])
  })

  test('keeps a task from others for as long as its deaf handler may be at work', async () => {
    const { task, calls } = heldTask<void>({ deaf: true, graceMs: 0 })
    const { queue, store, daemon } = await startedDaemon([task], { daemon: { leaseMs: 5_000 } })
    const { id } = await queue.enqueue(task)
    await records(store, [id], ({ state }) => state === 'running')
    const before = Date.now()
    await daemon.stop({ wait: 0 })
    const [back] = await records(store, [id], ({ state }) => state === 'pending')
    expect(back).toMatchObject({ phase: 'snooze', attempt: 0 })
    expect(back?.runAt).toBeGreaterThanOrEqual(before + 5_000)
    calls[0]?.resolve('late')
  })

  test('of its supervisor stops the daemon first, and hands back', async () => {
    const { task } = heldTask<void>()
    const { queue, store, daemon, supervisor } = await startedDaemon([task])
    const { id } = await queue.enqueue(task)
    await records(store, [id], ({ state }) => state === 'running')
    await supervisor.stop({ wait: 300, graceMs: 100 })
    expect([daemon.state, supervisor.state]).toEqual(['stopped', 'stopped'])
    const [back] = await records(store, [id], ({ state }) => state === 'pending')
    expect(back).toMatchObject({ phase: 'returned', attempt: 0 })
    expect((await queue.status()).daemons).toEqual([])
  })

  test('comes when the queue asks for it', async () => {
    const { queue, daemon, supervisor } = await startedDaemon([])
    const told = next(supervisor, 'daemon.told')
    const stopped = next(supervisor, 'daemon.stopped')
    expect(await queue.shutdown('new version', { daemon: 'default' })).toBe(1)
    expect(await told).toMatchObject({ daemon: 'default', reason: 'new version' })
    await stopped
    expect([daemon.state, supervisor.state]).toEqual(['stopped', 'running'])
    await daemon.start()
    expect(daemon.state).toBe('working')
  })

  test('is escalated by a second one with a sooner bound', async () => {
    const { task } = heldTask<void>()
    const { queue, store, daemon } = await startedDaemon([task])
    const { id } = await queue.enqueue(task)
    await records(store, [id], ({ state }) => state === 'running')
    const first = daemon.stop({ wait: true })
    await Promise.all([daemon.stop({ wait: 1_000 }), first])
    expect((await records(store, [id], ({ state }) => state === 'pending'))[0]?.phase).toBe('returned')
  })

  test('at any moment loses nothing, leaves nothing running, and uses up no attempt', async () => {
    const work = taskOf<number, number>(async (turns, { signal }) => {
      for (let turn = 0; turn < turns; turn += 1) {
        signal.throwIfAborted()
        await new Promise((resolve) => setImmediate(resolve))
      }
      return turns
    })
    const { queue, store, daemon } = await startedDaemon([work], { supervisor: slots(3) })
    const moments = fc.record({ calls: fc.array(fc.nat(20), { maxLength: 30 }), turns: fc.nat(30) })
    await fc.assert(
      fc.asyncProperty(moments, async ({ calls, turns }) => {
        const ids = await enqueue(queue, ...calls.map((input) => work.call(input)))
        for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve))
        await daemon.stop({ wait: 1_000 })
        const rows = await store.read((open) => open.get(ids))
        for (const row of rows) {
          if (row?.state === 'finished') expect(row.attempt).toBe(1)
          else expect([row?.state, row?.attempt]).toEqual(['pending', 0])
        }
        await daemon.start()
        for (const row of await records(store, ids)) expect([row.state, row.attempt]).toEqual(['finished', 1])
      }),
      { numRuns: 25 },
    )
  })
})
