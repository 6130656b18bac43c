/** One task that kills every daemon that begins it: it alone is ended for that. */
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Queue } from '../../src/runtime/durable/index.ts'
import { innocent, killsDaemon, longInnocent } from '../fixtures/durable/killer-tasks.ts'
import { freshDatabase } from '../store/postgres-kit.ts'
import { temporaryFolder } from '../store/store-kit.ts'
import { DaemonProcess } from './daemon-processes.ts'
import { testQueue } from './queue-kit.ts'

const LEASE_MS = 600
const LOST_LIMIT = 3

/** Starts a daemon again whenever the last one was killed, until the culprit has ended. @returns how many died */
async function untilEnded(url: string, queue: Queue, culprit: string): Promise<number> {
  let deaths = 0
  const ended = queue.wait(culprit).catch(() => 'ended' as const)
  for (;;) {
    const daemon = new DaemonProcess({
      url,
      leaseMs: LEASE_MS,
      lostLimit: LOST_LIMIT,
      size: 4,
      name: `${deaths}`,
    })
    onTestFinished(() => daemon.kill())
    const said = await Promise.race([ended, daemon.exited()])
    if (said === 'ended') return deaths
    expect(daemon.child.signalCode).toBe('SIGKILL')
    deaths += 1
  }
}

describe.each([
  ['SQLite', async () => `sqlite:${join(await temporaryFolder(), 'tasks.db')}`],
  ['PostgreSQL', freshDatabase],
] as const)('on %s a task that kills its daemon', (_, place) => {
  test('is ended as awol, and everything that was claimed beside it runs to its end', async () => {
    const url = await place()
    const queue = await testQueue({ url })
    const noops = (count: number): object[] => Array.from({ length: count }, () => innocent.call())
    const tasks = [...noops(1_500), killsDaemon.call(), ...noops(1_500)]
    const queued = await queue.enqueueMany(tasks as never)
    const { id } = queued[1_500] as { id: string }
    expect(await untilEnded(url, queue, id)).toBe(LOST_LIMIT + 1)
    for (const one of queued) if (one.id !== id) await queue.wait(one)
    expect(await queue.counts()).toMatchObject({ finished: 3_000, terminated: 1 })
    expect(await queue.get(id)).toMatchObject({ state: 'terminated', reason: 'awol' })
    const log = await queue.log(id)
    const { by } = log.findLast(({ act }) => act === 'terminated') ?? {}
    expect(by).toBe(log.findLast(({ act }) => act === 'leaseLost')?.by)
    expect(by).toMatch(/^4@/)
  }, 120_000)
})

test('long tasks that share all of its daemons are not ended for it', async () => {
  const url = `sqlite:${join(await temporaryFolder(), 'tasks.db')}`
  const queue = await testQueue({ url })
  const unlucky = await queue.enqueueMany([longInnocent.call(2_500), longInnocent.call(2_500)])
  const { id } = await queue.enqueue(killsDaemon)
  await untilEnded(url, queue, id)
  for (const one of unlucky) await queue.wait(one)
  expect(await queue.counts()).toMatchObject({ finished: 2, terminated: 1 })
}, 120_000)
