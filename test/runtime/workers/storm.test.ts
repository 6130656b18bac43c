/** Workers under pressure: storms of calls from many sides, and very many of them. */
import { describe, expect, test } from 'vitest'
import type { EventWorker } from '../../../src/index.ts'
import { startedSupervisor, turns } from '../../support/harness.ts'

/** A stream of numbers from 0 to below 1, the same for the same seed. */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

const KINDS = ['interval', 'event', 'plain', 'cron'] as const

describe.each(KINDS)('50 rounds from 10 sides at once: %s', (kind) => {
  test.each([1, 2, 3])('seed %i', async (seed) => {
    const { supervisor, clock, of } = await startedSupervisor()
    const random = chance(seed)
    let live = 0
    let most = 0
    const handler = async (): Promise<void> => {
      live += 1
      most = Math.max(most, live)
      await turns(Math.floor(random() * 3))
      live -= 1
      if (random() < 0.1) throw new Error('x')
    }
    const { workers } = supervisor
    const options = { name: 'w', handler, onFailure: 'continue' } as const
    const worker =
      kind === 'interval'
        ? workers.interval({ ...options, intervalMs: 1, overlap: 'bufferOne', missed: 'all' })
        : kind === 'event'
          ? workers.event({ ...options, whileBusy: 'all' })
          : kind === 'cron'
            ? workers.cron({ ...options, cron: '* * * * * *', timezone: 'UTC' })
            : workers.plain(options)
    const acts: (() => unknown)[] = [
      () => worker.start(),
      () => worker.stop(),
      () => worker.stop({ wait: false }),
      () => worker.restart(),
      () => worker.pause(),
      () => worker.resume(),
      () => (worker as Partial<EventWorker>).trigger?.({ force: random() < 0.5 }),
      () => clock.advance(kind === 'cron' ? 1_000 : 1),
    ]
    const side = async (): Promise<void> => {
      for (let round = 0; round < 50; round += 1) {
        const act = acts[Math.floor(random() * acts.length)] as () => unknown
        try {
          await Promise.race([act(), turns(2)])
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_(WORKER|CHILD|SUPERVISOR)_/) })
        }
      }
    }
    await Promise.all(Array.from({ length: 10 }, side))
    await worker.stop()
    await worker.start()
    expect(['waiting', 'idle', 'active']).toContain(worker.state)
    await worker.stop()
    expect(most).toBeLessThanOrEqual(1 + of('task.abandoned').length)
    expect(worker.info()).toMatchObject({ state: 'stopped', live: 0, nextAt: undefined })
    expect(of('worker.triggered').length).toBe(worker.info().runs)
    await turns(5)
    expect(clock.pending).toBe(0)
  })
})

test('10,000 interval workers of 1 s: each runs once a second, and one timer is held for all', async () => {
  const { supervisor, clock } = await startedSupervisor({ pool: { size: 0 } })
  const runs = new Uint8Array(10_000)
  for (let n = 0; n < runs.length; n += 1) {
    supervisor.workers.interval({
      name: `w${n}`,
      intervalMs: 1_000,
      handler: () => void (runs[n] as number)++,
    })
  }
  await turns()
  await clock.advance(3_000)
  expect(runs.every((count) => count === 4)).toBe(true)
  expect(clock.pending).toBe(1)
  expect(supervisor.info().workers).toHaveLength(10_000)
  await supervisor.stop({ wait: true })
  expect(clock.pending).toBe(0)
  expect(supervisor.workers.list().every(({ state }) => state === 'stopped')).toBe(true)
}, 60_000)
