/** Event workers: what a trigger means while they are idle, triggered and busy. */
import { describe, expect, test } from 'vitest'
import type { EventWorkerOptions } from '../../../src/index.ts'
import { heldTask, slots, startedSupervisor, thrownBy, turns } from '../../support/harness.ts'

async function triggered(options: Partial<EventWorkerOptions<void, unknown>> = {}) {
  const test = await startedSupervisor(slots(2))
  const held = heldTask({ ...(options.run === undefined ? {} : {}) })
  const worker = test.supervisor.workers.event({
    name: 'bell',
    task: held.task,
    ...options,
  } as EventWorkerOptions<void>)
  const skips = (): string[] => test.of('worker.skipped').map(({ reason, count }) => `${reason} ${count}`)
  const end = async (call: number, value?: unknown): Promise<void> => {
    held.calls[call]!.resolve(value)
    await turns()
  }
  return { ...test, worker, calls: held.calls, skips, end }
}

describe('an event worker', () => {
  test('waits idle until it is triggered, and triggers before its handler has begun mean one run', async () => {
    const { worker, calls, end, skips } = await triggered()
    await turns()
    expect([worker.state, calls.length]).toEqual(['idle', 0])
    worker.trigger()
    worker.trigger()
    worker.trigger()
    await turns()
    expect([worker.state, calls.length, skips()]).toEqual(['active', 1, ['coalesced 1', 'coalesced 1']])
    await end(0)
    expect([worker.state, calls.length]).toEqual(['idle', 1])
  })

  test('coalesces also while its run waits for a slot', async () => {
    const { supervisor, worker, calls } = await triggered()
    const others = heldTask()
    const runs = [0, 1].map(() => supervisor.submit(others.task))
    await turns()
    worker.trigger()
    await turns()
    worker.trigger()
    expect([worker.state, calls.length, supervisor.info().pool.waiting.normal]).toEqual(['active', 0, 1])
    for (const run of runs) run.cancel()
    await turns()
    expect(calls).toHaveLength(1)
    calls[0]!.resolve()
    await turns()
    expect(calls).toHaveLength(1)
  })

  test.each([
    ['drop', 1, ['busy 1', 'busy 1', 'busy 1']],
    ['once', 2, ['coalesced 1', 'coalesced 1']],
    ['all', 4, []],
  ] as const)('while busy: %s', async (whileBusy, runs, skipped) => {
    const { worker, calls, end, skips, of } = await triggered({ whileBusy })
    worker.trigger()
    await turns()
    for (let more = 0; more < 3; more += 1) worker.trigger()
    for (let call = 0; call < runs; call += 1) {
      expect(worker.info().live).toBe(1)
      await end(call)
    }
    expect([calls.length, worker.state, skips()]).toEqual([runs, 'idle', skipped])
    expect(of('worker.triggered')).toHaveLength(runs)
  })

  test('force means one more run, also with whileBusy: drop', async () => {
    const { worker, calls, end } = await triggered({ whileBusy: 'drop' })
    worker.trigger()
    await turns()
    worker.trigger({ force: true })
    worker.trigger({ force: true })
    await end(0)
    await end(1)
    expect(calls).toHaveLength(2)
  })

  test('short, long, short: never two at once', async () => {
    const { worker, calls, end } = await triggered({ whileBusy: 'once' })
    for (let round = 0; round < 3; round += 1) {
      worker.trigger()
      await turns()
      worker.trigger({ force: true })
      expect(worker.info().live).toBe(1)
      await end(2 * round)
      expect(worker.info().live).toBe(1)
      await end(2 * round + 1)
    }
    expect([calls.length, worker.info().live]).toEqual([6, 0])
  })

  test('backs off after failures, and keeps what is triggered meanwhile', async () => {
    const backoff = { kind: 'fixed', initialMs: 100, jitter: 'none' } as const
    const { clock, worker, calls, skips } = await triggered({ onFailure: 'backOff', backoff })
    worker.trigger()
    await turns()
    calls[0]!.reject(new Error('x'))
    await turns()
    expect(worker.state).toBe('backingOff')
    worker.trigger()
    worker.trigger()
    await clock.advance(99)
    expect(calls).toHaveLength(1)
    await clock.advance(1)
    expect([calls.length, skips()]).toEqual([2, ['coalesced 1']])
    calls[1]!.resolve()
    await turns()
  })

  test('refuses to let occurrences go by: it has none', async () => {
    const { worker } = await triggered()
    expect(thrownBy(() => worker.trigger({ skip: true } as never))).toMatchObject({
      code: 'ERR_OPTION_UNKNOWN',
    })
  })
})
