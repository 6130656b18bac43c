/** A daemon that dies by `kill -9` exactly between two steps of its work, on both stores. */
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type JournalSpan, journal, journalDeaf, overlaps, readJournal } from '../fixtures/durable/journal.ts'
import { freshDatabase } from '../store/postgres-kit.ts'
import { temporaryFolder } from '../store/store-kit.ts'
import { isAlive } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { DaemonProcess, daemonProcess } from './daemon-processes.ts'
import { testQueue } from './queue-kit.ts'

const LEASE_MS = 1_000

const spansOf = (file: string): JournalSpan[] => {
  try {
    return readJournal(file)
  } catch {
    return []
  }
}

describe.each([
  ['SQLite', async () => `sqlite:${join(await temporaryFolder(), 'tasks.db')}`],
  ['PostgreSQL', freshDatabase],
] as const)('a daemon on %s that is killed', (_, place) => {
  test.each([
    // Nothing was stored: the task waits as before.
    ['before its claim is stored', 'claiming', { state: 'queued', attempt: 0 }, 1, 1],
    // It counts as begun, since nobody can say that it was not.
    ['after its claim, before anything has begun', 'claimed', { state: 'running', attempt: 1 }, 1, 2],
    ['when a task has ended and is not told', 'ending', { state: 'running', attempt: 1 }, 2, 2],
    ['when the end of a task is stored', 'ended', { state: 'finished', attempt: 1 }, 1, 1],
  ] as const)(
    '%s: the task runs once more only if its end is not stored',
    async (_name, diesAt, left, starts, attempts) => {
      const url = await place()
      const queue = await testQueue({ url })
      const file = join(await temporaryFolder(), 'journal.txt')
      const { id } = await queue.enqueue(journal, { file, ms: 20 })
      const dying = new DaemonProcess({ url, leaseMs: LEASE_MS, name: 'dying', diesAt })
      onTestFinished(() => dying.kill())
      await dying.exited()
      expect(dying.child.signalCode).toBe('SIGKILL')
      expect(await queue.get(id)).toMatchObject(left)
      await daemonProcess({ url, leaseMs: LEASE_MS, name: 'healthy' })
      expect(await queue.wait(id)).toBe(attempts)
      expect(await queue.get(id)).toMatchObject({ state: 'finished', attempt: attempts })
      const spans = readJournal(file)
      expect(spans).toHaveLength(starts)
      expect(overlaps(spans)).toEqual([])
    },
    20_000,
  )
})

test('an occurrence in a child process whose daemon is stopped is ended for real, recorded as awol, and followed by the next', async () => {
  const url = `sqlite:${join(await temporaryFolder(), 'tasks.db')}`
  const queue = await testQueue({ url })
  const file = join(await temporaryFolder(), 'journal.txt')
  const setup = { url, leaseMs: LEASE_MS, lostLimit: 0 }
  const first = await daemonProcess({ ...setup, name: 'first' })
  await queue.schedule('deaf', journalDeaf, { file, ms: 60_000 }, { everyMs: 50, from: 'end' })
  await until(() => spansOf(file).length === 1)
  const [{ id, pid }] = spansOf(file) as [JournalSpan]
  first.signal('SIGSTOP')
  await daemonProcess({ ...setup, name: 'second' })
  await until(async () => (await queue.get(id))?.state === 'terminated')
  expect(isAlive(pid)).toBe(false)
  expect(await queue.get(id)).toMatchObject({ reason: 'awol', schedule: 'deaf' })
  await until(() => spansOf(file).length === 2)
  const [, following] = spansOf(file) as [JournalSpan, JournalSpan]
  expect(following.id).not.toBe(id)
  expect(await queue.get(following.id)).toMatchObject({ state: 'running', schedule: 'deaf' })
  first.signal('SIGCONT')
  await first.tells('daemon.leaseLost', 'daemon.fenced')
  expect(await queue.get(id)).toMatchObject({ state: 'terminated', reason: 'awol' })
}, 60_000)
