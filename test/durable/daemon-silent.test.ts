/**
 * A PostgreSQL server that nobody hears any more, though no connection has ended (half-open): a daemon and a client behind such a
 * network, and others that are well.
 */
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/actors/clock.ts'
import { openPostgresStore } from '../../src/actors/store/postgres-store.ts'
import { LiveQueue } from '../../src/runtime/durable/live-queue.ts'
import { openQueue } from '../../src/runtime/durable/open-queue.ts'
import { storeOf } from '../../src/runtime/durable/queue-access.ts'
import { QueueStore } from '../../src/runtime/durable/queue-store.ts'
import { freshDatabase } from '../store/postgres-kit.ts'
import { errorOf, heldTask, taskOf } from '../support/harness.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { next, type Place, records, startedDaemon } from './daemon-kit.ts'

const LEASE_MS = 2_000
/** How long an answer is awaited; 30 s unless a test says otherwise. */
const ANSWER_MS = 1_500

interface Silence {
  /** Behind a network that can go silent. */
  readonly behind: Place
  /** On the server itself. */
  readonly well: Place
  readonly proxy: TcpProxy
}

async function silence(): Promise<Silence> {
  const url = await freshDatabase()
  const { hostname: host, port } = new URL(url)
  const proxy = await TcpProxy.start({ host, port: Number(port) })
  onTestFinished(() => proxy.stop())
  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String(proxy.port)
  const store = await openPostgresStore({ url: through.href, answerLimitMs: ANSWER_MS })
  const open = new QueueStore({ store, clock: systemClock, by: 'behind', maxBytes: 1_000_000 })
  const queue = new LiveQueue(open)
  onTestFinished(() => queue.close())
  const direct = await openQueue({ url, by: 'well' })
  onTestFinished(() => direct.close())
  return {
    behind: { file: through.href, queue, store: open },
    well: { file: url, queue: direct, store: storeOf(direct) },
    proxy,
  }
}

test('a daemon that hears nothing any more gives up what it runs with the lease, another one runs it, and it works again when it is heard', async () => {
  const { behind, well, proxy } = await silence()
  const { task, calls } = heldTask<string>()
  const first = await startedDaemon([task], { place: behind, daemon: { leaseMs: LEASE_MS, name: 'first' } })
  const { id } = await well.queue.enqueue(task, 'a')
  await records(well.store, [id], ({ state }) => state === 'running')
  await until(() => calls.length === 1)
  const lost = next(first.supervisor, 'daemon.storeLost')
  const given = next(first.supervisor, 'daemon.leaseLost')
  proxy.goSilent()
  expect(await lost).toMatchObject({ daemon: 'first' })
  expect(first.daemon.state).toBe('backingOff')
  expect(await given).toMatchObject({ daemon: 'first', runId: id })
  expect(calls[0]?.ctx.signal.aborted).toBe(true)
  const second = await startedDaemon([task], { place: well, daemon: { leaseMs: LEASE_MS, name: 'second' } })
  await until(() => calls.length === 2)
  calls[1]?.resolve('by the second')
  expect(await well.queue.wait(id)).toBe('by the second')
  await second.daemon.stop()
  const found = next(first.supervisor, 'daemon.storeFound')
  proxy.heal()
  await found
  // It hears of new work, too, on a connection of its own.
  const later = await well.queue.enqueue(task, 'b')
  await until(() => calls.length === 3)
  calls[2]?.resolve('by the first')
  expect(await well.queue.wait(later.id)).toBe('by the first')
  expect(await well.queue.get(later.id)).toMatchObject({ holder: first.daemon.id, attempt: 1 })
}, 60_000)

test('what ends while a daemon hears nothing is told when it is heard again, where that comes within the lease', async () => {
  const { behind, well, proxy } = await silence()
  const { task, calls } = heldTask<string>()
  const { supervisor, daemon } = await startedDaemon([task], { place: behind, daemon: { leaseMs: 30_000 } })
  const { id } = await well.queue.enqueue(task, 'a')
  await records(well.store, [id], ({ state }) => state === 'running')
  await until(() => calls.length === 1)
  const lost = next(supervisor, 'daemon.storeLost')
  proxy.goSilent()
  calls[0]?.resolve('kept')
  await lost
  expect((await well.queue.get(id))?.state).toBe('running')
  proxy.heal()
  expect(await well.queue.wait(id)).toBe('kept')
  expect(await well.queue.get(id)).toMatchObject({ attempt: 1, holder: daemon.id })
}, 60_000)

test('a daemon that hears nothing stops within its bound all the same', async () => {
  const { behind, well, proxy } = await silence()
  const { task, calls } = heldTask<string>()
  const { supervisor, daemon } = await startedDaemon([task], { place: behind })
  const { id } = await well.queue.enqueue(task, 'a')
  await records(well.store, [id], ({ state }) => state === 'running')
  await until(() => calls.length === 1)
  const stopped = next(supervisor, 'daemon.stopped')
  proxy.goSilent()
  calls[0]?.resolve('never told')
  await daemon.stop({ wait: 100 })
  expect(await stopped).toMatchObject({ held: 0, untold: 1 })
}, 60_000)

test('a client that hears nothing is refused, its waits go on, and both are well when it is heard again', async () => {
  const { behind, well, proxy } = await silence()
  const echo = taskOf<number, number>((value) => value)
  const waiting = await behind.queue.enqueue(echo, 7)
  const result = behind.queue.wait(waiting.id)
  proxy.goSilent()
  expect(await errorOf(behind.queue.enqueue(echo, 8))).toMatchObject({ code: 'ERR_STORE_UNREACHABLE' })
  expect(await errorOf(behind.queue.get(waiting.id))).toMatchObject({ code: 'ERR_STORE_UNREACHABLE' })
  const { store } = await startedDaemon([echo], { place: well })
  await records(store, [waiting.id])
  proxy.heal()
  expect(await result).toBe(7)
  expect(await behind.queue.wait(await behind.queue.enqueue(echo, 9))).toBe(9)
}, 60_000)
