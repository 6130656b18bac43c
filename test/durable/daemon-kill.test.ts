/** Daemons that die, or are stopped by the operating system: nothing is lost, and nobody works on a task twice at once. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Queue } from '../../src/runtime/durable/index.ts'
import {
  type JournalSpan,
  journal,
  journalDeaf,
  journalProcess,
  machineNow,
  napCommand,
  overlaps,
  readJournal,
  readPids,
} from '../fixtures/durable/journal.ts'
import { temporaryFolder } from '../store/store-kit.ts'
import { gone, isAlive } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { daemonProcess } from './daemon-processes.ts'
import { testQueue } from './queue-kit.ts'

const LEASE_MS = 2_000
/** How much later than a lease ends the next attempt may begin. */
const SLACK_MS = 1_000

async function rig(): Promise<{ url: string; queue: Queue; file: string }> {
  const folder = await temporaryFolder()
  const url = `sqlite:${join(folder, 'tasks.db')}`
  const file = join(folder, 'journal.txt')
  return { url, queue: await testQueue({ url }), file }
}

const spansOf = (file: string): JournalSpan[] => {
  try {
    return readJournal(file)
  } catch {
    return []
  }
}

const pidsOf = (file: string): number[] => {
  try {
    return readPids(file)
  } catch {
    return []
  }
}

describe('kill -9 of a daemon', () => {
  test.each([
    ['on its event loop', journal],
    ['in processes', journalProcess],
    ['in processes whose event loop is blocked', journalDeaf],
  ])(
    'runs its tasks again within the lease, %s',
    async (_, task) => {
      const { url, queue, file } = await rig()
      const setup = { url, leaseMs: LEASE_MS, size: 2 }
      const first = await daemonProcess({ ...setup, name: 'first' })
      const queued = await Promise.all([1, 2].map(() => queue.enqueue(task, { file, ms: 5_000 })))
      await until(() => spansOf(file).length === 2)
      await daemonProcess({ ...setup, name: 'second' })
      const killedAt = Date.now()
      const killedMono = machineNow()
      await first.kill()
      await until(() => spansOf(file).length >= 4, 40_000)
      const spans = readJournal(file)
      expect(overlaps(spans)).toEqual([])
      // Children of the killed daemon did not even need the end of the lease.
      for (const { pid, to } of spans.slice(0, 2)) {
        await gone(pid)
        expect(to).toBeLessThan(killedMono + LEASE_MS)
      }
      for (const { id } of queued) {
        const again = await queue.get(id)
        expect(again).toMatchObject({ state: 'running', attempt: 2 })
        expect(again?.startedAt).toBeLessThan(killedAt + LEASE_MS + SLACK_MS)
        expect((await queue.log(id)).map(({ act }) => act)).toContain('leaseLost')
      }
    },
    60_000,
  )

  test('ends the commands that it ran at once, and they begin again within the lease', async () => {
    const { url, queue, file } = await rig()
    const first = await daemonProcess({ url, leaseMs: LEASE_MS, name: 'first' })
    await queue.enqueue(napCommand, { file, ms: 60_000 })
    await first.tells('task.started')
    await until(() => pidsOf(file).length === 1)
    await daemonProcess({ url, leaseMs: LEASE_MS, name: 'second' })
    const killedAt = performance.now()
    await first.kill()
    await gone(...pidsOf(file))
    expect(performance.now() - killedAt).toBeLessThan(LEASE_MS)
    await until(() => pidsOf(file).length === 2)
    expect(isAlive(pidsOf(file)[1] as number)).toBe(true)
  }, 60_000)

  test('again and again, with two daemons: every task runs to its end', async () => {
    const { url, queue, file } = await rig()
    const setup = { url, leaseMs: LEASE_MS, size: 4 }
    const daemons = [
      await daemonProcess({ ...setup, name: 'a' }),
      await daemonProcess({ ...setup, name: 'b' }),
    ]
    const calls = Array.from({ length: 300 }, (_, n) =>
      (n % 8 === 0 ? journalProcess : journal).call({ file, ms: 60 + (n % 5) * 40 }),
    )
    const queued = await queue.enqueueMany(calls)
    const left = async (): Promise<number> => calls.length - (await queue.counts()).finished
    let kills = 0
    while (kills < 4 && (await left()) > 0) {
      const begun = spansOf(file).length
      await until(async () => spansOf(file).length >= begun + 10 || (await left()) === 0)
      await daemons[kills % 2]?.kill()
      kills += 1
      daemons[(kills - 1) % 2] = await daemonProcess({ ...setup, name: `${kills}` })
    }
    expect(kills).toBeGreaterThan(1)
    for (const { id } of queued) expect(await queue.wait(id)).toBeGreaterThan(0)
    const spans = readJournal(file)
    expect(overlaps(spans)).toEqual([])
    const ended = new Set(spans.flatMap(({ id, hasEnded }) => (hasEnded ? [id] : [])))
    expect([ended.size, (await queue.counts()).finished]).toEqual([calls.length, calls.length])
  }, 60_000)
})

test('a cancel from another process ends the child process that runs the task, for real', async () => {
  const { url, queue, file } = await rig()
  await daemonProcess({ url, leaseMs: LEASE_MS })
  const { id } = await queue.enqueue(journalProcess, { file, ms: 60_000 })
  await until(() => spansOf(file).length === 1)
  await queue.cancel(id, 'not wanted')
  await expect(queue.wait(id)).rejects.toMatchObject({ reason: 'not wanted' })
  expect((await queue.get(id))?.state).toBe('cancelled')
  const [span] = spansOf(file) as [JournalSpan]
  // Its process goes on for the next task, its handler does not.
  const { to } = span
  await queue.wait(await queue.enqueue(journalProcess, { file, ms: 100 }))
  expect(spansOf(file)[0]).toMatchObject({ to, hasEnded: false })
})

describe('SIGSTOP of a daemon for longer than its lease', () => {
  test.each([
    ['its event loop', journal],
    ['a process', journalProcess],
    ['a process whose event loop is blocked', journalDeaf],
  ])(
    'gives its task in %s to another one, and its late word changes nothing',
    async (name, task) => {
      const { url, queue, file } = await rig()
      const first = await daemonProcess({ url, leaseMs: LEASE_MS, name: 'first' })
      const { id } = await queue.enqueue(task, { file, ms: 3_000 })
      await until(() => spansOf(file).length === 1)
      first.signal('SIGSTOP')
      const second = await daemonProcess({ url, leaseMs: LEASE_MS, name: 'second' })
      await until(() => spansOf(file).length === 2)
      const [stopped, again] = spansOf(file) as [JournalSpan, JournalSpan]
      if (name !== 'its event loop') {
        // Its own watchdog has killed the child; its daemon could not.
        await gone(stopped.pid)
        expect(stopped.to).toBeLessThan(again.from)
      }
      first.signal('SIGCONT')
      await first.tells('daemon.leaseLost', 'daemon.fenced')
      expect(await queue.wait(id)).toBe(2)
      expect(await queue.get(id)).toMatchObject({
        state: 'finished',
        attempt: 2,
        holder: (await second.tells('ready')).id,
      })
      expect((await queue.log(id)).map(({ act }) => act)).toContain('leaseLost')
      expect(readJournal(file)).toHaveLength(2)
    },
    60_000,
  )

  test('ends the command that it runs with its lease, and another daemon starts it again', async () => {
    const { url, queue, file } = await rig()
    const first = await daemonProcess({ url, leaseMs: LEASE_MS, name: 'first' })
    const { id } = await queue.enqueue(napCommand, { file, ms: 4_000 })
    // From here on it is watched.
    await first.tells('task.started')
    await until(() => pidsOf(file).length === 1)
    first.signal('SIGSTOP')
    await daemonProcess({ url, leaseMs: LEASE_MS, name: 'second' })
    await until(() => pidsOf(file).length === 2)
    // Its parent is stopped and has not seen it: somebody else has killed it.
    expect(isAlive(pidsOf(file)[0] as number)).toBe(false)
    first.signal('SIGCONT')
    await first.tells('daemon.leaseLost', 'daemon.fenced')
    expect(await queue.wait(id)).toMatchObject({ exitCode: 0 })
    expect(await queue.get(id)).toMatchObject({ state: 'finished', attempt: 2 })
    expect(pidsOf(file)).toHaveLength(2)
  }, 60_000)

  test('a command that outlasts many leases goes on while its daemon lives', async () => {
    const { url, queue, file } = await rig()
    await daemonProcess({ url, leaseMs: 600 })
    const { id } = await queue.enqueue(napCommand, { file, ms: 2_500 })
    expect(await queue.wait(id)).toMatchObject({ exitCode: 0 })
    expect(pidsOf(file)).toHaveLength(1)
  })
})
