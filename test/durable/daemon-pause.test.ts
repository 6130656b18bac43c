/** A daemon that does not come to its turn for longer than its leases, and clocks that leap: nothing runs beside itself. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Clock, systemClock } from '../../src/actors/clock.ts'
import { journal, machineNow, overlaps, readJournal } from '../fixtures/durable/journal.ts'
import { temporaryFolder } from '../store/store-kit.ts'
import { heldTask, taskOf } from '../support/harness.ts'
import { until } from '../support/until.ts'
import { enqueue, openPlace, placeAround, records, startedDaemon } from './daemon-kit.ts'

const isRunning = ({ state }: { readonly state: string }): boolean => state === 'running'
const journalFile = async (): Promise<string> => join(await temporaryFolder(), 'journal.txt')

/** Holds the event loop, as a handler does that computes. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

describe('a daemon whose event loop is blocked for longer than its lease', () => {
  // The longer one has its first look at lost leases before its first renewal.
  test.each([300, 1_800])(
    'takes back none of its own tasks where nobody else came (%i ms)',
    async (leaseMs) => {
      const file = await journalFile()
      const blocks = taskOf<number>((ms) => block(ms))
      const { queue, store } = await startedDaemon([blocks, journal], { daemon: { leaseMs } })
      const [id] = await enqueue(queue, journal.call({ file, ms: leaseMs * 2.5 }))
      await until(() => readSpans(file).length === 1)
      await queue.wait(await queue.enqueue(blocks, leaseMs * 1.5))
      await records(store, [id as string])
      const spans = readJournal(file)
      expect([overlaps(spans), spans.length]).toEqual([[], 1])
      expect(await queue.get(id as string)).toMatchObject({ state: 'finished', attempt: 1 })
      expect((await queue.log(id as string)).map(({ act }) => act)).not.toContain('leaseLost')
    },
    30_000,
  )

  test('aborts what somebody else has taken back, and begins it again only when its handler has ended', async () => {
    const leaseMs = 600
    const spans: { from: number; to: number }[] = []
    // Told to end, it needs 200 ms for it.
    const slow = taskOf<void>(async (_, { signal }) => {
      const span = { from: machineNow(), to: Number.POSITIVE_INFINITY }
      spans.push(span)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      const told = machineNow()
      await until(() => machineNow() > told + 200)
      span.to = machineNow()
    })
    const { queue, store, file } = await startedDaemon([slow], { daemon: { leaseMs } })
    const { id } = await queue.enqueue(slow)
    await until(() => spans.length === 1)
    const other = await openPlace(file)
    block(leaseMs * 1.5)
    // Another daemon looks first, and is too busy to run it itself.
    await other.store.do({ type: 'reclaim', at: store.now(), by: 'other', lostLimit: 5, limit: 10 })
    await until(() => spans.length === 2)
    const [first, second] = spans
    expect(second?.from).toBeGreaterThan(first?.to ?? Number.NaN)
    await queue.cancel(id)
    await records(store, [id])
  }, 30_000)
})

test('a wall clock that leaps forward loses no lease: all holders that live have time to renew', async () => {
  let leapMs = 0
  const clock: Clock = { ...systemClock, now: () => Date.now() + leapMs }
  const { task, calls } = heldTask<void>()
  const leaseMs = 1_500
  const place = await placeAround((commit) => commit, undefined, clock)
  const reclaims: number[] = []
  const watched = await placeAround(
    (commit) => (operations) => {
      if (operations.some(({ type }) => type === 'reclaim')) reclaims.push(machineNow())
      return commit(operations)
    },
    place.file,
    clock,
  )
  const { queue, store, daemon } = await startedDaemon([task], { place: watched, daemon: { leaseMs } })
  const { id } = await queue.enqueue(task)
  await records(store, [id], isRunning)
  await until(() => reclaims.length > 0)
  const leaptAt = machineNow()
  leapMs = 3_600_000
  const before = reclaims.length
  await until(() => reclaims.length > before)
  expect((reclaims[before] as number) - leaptAt).toBeGreaterThan(leaseMs * 0.9)
  expect([calls.length, daemon.info().counts]).toMatchObject([1, { lost: 0 }])
  calls[0]?.resolve('once')
  expect([await queue.wait(id), (await queue.get(id))?.attempt]).toEqual(['once', 1])
}, 20_000)

const readSpans = (file: string): ReturnType<typeof readJournal> => {
  try {
    return readJournal(file)
  } catch {
    return []
  }
}
