/** Threads of a daemon whose event loop is blocked for longer than its lease: they end with it. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { storeOf } from '../../src/runtime/durable/queue-access.ts'
import {
  type JournalSpan,
  journalBusy,
  journalHeedless,
  journalThread,
  overlaps,
  readJournal,
} from '../fixtures/durable/journal.ts'
import { temporaryFolder } from '../store/store-kit.ts'
import { until } from '../support/until.ts'
import { startedDaemon } from './daemon-kit.ts'
import { daemonProcess } from './daemon-processes.ts'
import { freshUrl, testQueue } from './queue-kit.ts'

const LEASE_MS = 1_500

const spansOf = (file: string, id: string): JournalSpan[] => {
  try {
    return readJournal(file).filter((span) => span.id === id)
  } catch {
    return []
  }
}
const journalFile = async (): Promise<string> => join(await temporaryFolder(), 'journal.txt')

describe('while the event loop of its daemon is blocked, and another daemon is there,', () => {
  test.each([
    ['that minds its signal', journalThread],
    ['that does not', journalHeedless],
    ['that computes and asks whether it is aborted', journalBusy],
  ])(
    'a handler in a thread %s ends before the other one begins',
    async (_, task) => {
      const [file, url] = [await journalFile(), await freshUrl()]
      const queue = await testQueue({ url })
      const first = await daemonProcess({ url, leaseMs: LEASE_MS, name: 'first' })
      const { id } = await queue.enqueue(task, { file, ms: 4_000 })
      await until(() => spansOf(file, id).length === 1)
      first.block(LEASE_MS * 4)
      const second = await daemonProcess({ url, leaseMs: LEASE_MS, name: 'second' })
      await until(() => spansOf(file, id).length === 2, 40_000)
      await first.tells('daemon.leaseLost', 'daemon.fenced')
      expect(await queue.wait(id)).toBe(2)
      expect(await queue.get(id)).toMatchObject({
        state: 'finished',
        holder: (await second.tells('ready')).id,
      })
      const spans = spansOf(file, id)
      expect([overlaps(spans), spans.length, spans[0]?.hasEnded]).toEqual([[], 2, false])
    },
    60_000,
  )
})

test.each([
  ['minds its signal', journalThread],
  ['does not', journalHeedless],
])(
  'where nobody else came, what ended with the lease of a thread that %s runs again',
  async (_, task) => {
    const file = await journalFile()
    const leaseMs = 600
    const { queue } = await startedDaemon([task], { daemon: { leaseMs } })
    const { id } = await queue.enqueue(task, { file, ms: 1_000 })
    await until(() => spansOf(file, id).length === 1)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, leaseMs * 2)
    expect(await queue.wait(id)).toBe(2)
    expect((await queue.log(id)).map(({ act }) => act)).toEqual([
      'created',
      'started',
      'leaseLost',
      'started',
      'finished',
    ])
    expect(overlaps(spansOf(file, id))).toEqual([])
  },
  30_000,
)

test('a thread whose daemon lives is not touched, however many leases its handler outlasts; nor is the next job', async () => {
  const file = await journalFile()
  const leaseMs = 1_200
  const { queue, supervisor } = await startedDaemon([journalThread], {
    daemon: { leaseMs },
    supervisor: { pool: { size: 1, minThreads: 1, maxThreads: 1 } },
  })
  const { id } = await queue.enqueue(journalThread, { file, ms: leaseMs * 2.5 })
  expect(await queue.wait(id)).toBe(1)
  // The same thread, without a lease.
  const run = supervisor.submit(journalThread, { file, ms: leaseMs * 1.5 })
  expect(await run.result).toBe(1)
  expect((await queue.log(id)).map(({ act }) => act)).toEqual(['created', 'started', 'finished'])
  expect(await storeOf(queue).read((store) => store.get([id]))).toMatchObject([{ lost: 0 }])
})
