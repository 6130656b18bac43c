import { expect, test } from 'vitest'
import { awayPlace, next, openPlace, placeAround, records, startedDaemon } from '../durable/daemon-kit.ts'
import { echoTask, heldTask } from '../support/harness.ts'
import { scrape, testMetrics } from './metrics-kit.ts'

const isRunning = ({ state }: { state: string }): boolean => state === 'running'

test('show what is in a queue, by state and by band, and since when it is due', async () => {
  const { queue, store } = await openPlace()
  const metrics = testMetrics({ queues: { mail: queue } })
  const task = echoTask()
  await queue.enqueue(task, undefined, { priority: 'high', runAt: store.now() - 60_000 })
  await queue.enqueue(task, undefined, { priority: 'high' })
  await queue.enqueue(task, undefined, { delayMs: 60_000 })
  const { of } = await scrape(metrics)
  expect(of('stateward_queue_up')).toEqual({ '': 1 })
  expect(of('stateward_queue_tasks')).toMatchObject({ queued: 2, scheduled: 1, running: 0, finished: 0 })
  expect(of('stateward_queue_due_tasks')).toEqual({ critical: 0, high: 2, normal: 0, low: 0 })
  const { high, low } = of('stateward_queue_oldest_due_seconds')
  expect(high).toBeGreaterThanOrEqual(60)
  expect(high).toBeLessThan(120)
  expect(low).toBe(0)
  expect(of('stateward_queue_daemons')).toEqual({ alive: 0, silent: 0 })
})

test('show a daemon: what it holds, has claimed and settled, its leases and its outbox', async () => {
  const { task, calls } = heldTask<number>()
  const place = await awayPlace()
  const { queue, store, daemon, supervisor } = await startedDaemon([task], {
    place,
    daemon: { leaseMs: 600 },
  })
  const metrics = testMetrics({ supervisors: { main: supervisor }, queues: { all: queue } })
  const ids = [await queue.enqueue(task, 1), await queue.enqueue(task, 2)].map(({ id }) => id)
  await records(store, ids, isRunning)
  const held = await scrape(metrics)
  expect(held.of('stateward_daemon_up')).toEqual({ default: 1 })
  expect(held.of('stateward_daemon_held_tasks')).toEqual({ default: 2 })
  expect(held.of('stateward_daemon_running_tasks')).toEqual({ default: 2 })
  expect(held.of('stateward_daemon_claimed_total')).toEqual({ default: 2 })
  expect(held.of('stateward_queue_daemons')).toEqual({ alive: 1, silent: 0 })

  calls[0]?.resolve('a')
  await records(store, [ids[0] as string])
  const lost = next(supervisor, 'daemon.storeLost')
  place.setAway(true)
  const ended = next(supervisor, 'task.finished')
  calls[1]?.resolve('b')
  await ended
  await lost
  const away = await scrape(metrics)
  expect(away.of('stateward_daemon_up')).toEqual({ default: 0 })
  expect(away.of('stateward_daemon_outbox')).toEqual({ default: 1 })
  expect(away.of('stateward_daemon_store_losses_total')).toEqual({ default: 1 })
  expect(away.of('stateward_daemon_settled_total')).toMatchObject({ 'default finished': 2 })
  place.setAway(false)
  await records(store, ids)
  await daemon.stop()
  expect(daemon.info().untold).toBe(0)
  expect((await scrape(metrics)).of('stateward_daemon_outbox')).toEqual({ default: 0 })
})

test('count renewals: those that hold, those that nobody could be asked for, and what was lost', async () => {
  const { task, calls } = heldTask<number>()
  const place = await awayPlace()
  const { queue, store, supervisor } = await startedDaemon([task], { place, daemon: { leaseMs: 600 } })
  const metrics = testMetrics({ supervisors: { main: supervisor } })
  const renewals = async () => (await scrape(metrics)).of('stateward_daemon_lease_renewals_total')
  const { id } = await queue.enqueue(task, 1)
  await records(store, [id], isRunning)
  while ((await renewals())['default renewed'] === 0) await new Promise((resolve) => setImmediate(resolve))
  const lost = next(supervisor, 'daemon.leaseLost')
  place.setAway(true)
  await lost
  expect(await renewals()).toMatchObject({ 'default renewed': expect.any(Number), 'default lost': 0 })
  const { 'default failed': failed, 'default renewed': renewed } = await renewals()
  expect(failed).toBeGreaterThan(0)
  expect(renewed).toBeGreaterThan(0)
  expect((await scrape(metrics)).of('stateward_daemon_leases_lost_total')).toEqual({ default: 1 })
  place.setAway(false)
  calls[0]?.resolve('too late')
})

test('a database that fails, or keeps silent, makes no scrape fail: the queue is down, the rest is there', async () => {
  const { queue: closed } = await openPlace()
  await closed.close()
  const silent = await placeAround((commit) => commit)
  const asked = Promise.withResolvers<void>()
  Object.defineProperty(silent.store.store, 'backlog', {
    value() {
      asked.resolve()
      return new Promise(() => {})
    },
  })
  const { supervisor } = await startedDaemon([echoTask()])
  const metrics = testMetrics({
    supervisors: { main: supervisor },
    queues: { closed, silent: silent.queue },
    timeoutMs: 20,
  })
  const { series, of } = await scrape(metrics)
  await asked.promise
  expect(series('stateward_queue_up')).toEqual([
    [{ queue: 'closed' }, 0],
    [{ queue: 'silent' }, 0],
  ])
  expect(of('stateward_queue_tasks')).toEqual({})
  expect(of('stateward_supervisor_up')).toEqual({ '': 1 })
})

test('scrapes that come together ask the database once', async () => {
  const { queue, store } = await placeAround((commit) => commit)
  const metrics = testMetrics({ queues: { q: queue } })
  let asked = 0
  const { backlog } = store.store
  Object.defineProperty(store.store, 'backlog', {
    value(now: number) {
      asked += 1
      return backlog(now)
    },
  })
  const texts = await Promise.all([metrics.text(), metrics.text(), metrics.text()])
  expect(asked).toBe(1)
  expect(new Set(texts).size).toBe(1)
})
