/** One worker is stopped, within a bound of its own: its handler climbs the same ladder as in a supervisor's stop. */
import { describe, expect, test } from 'vitest'
import type { HandlerContext, IntervalWorker, PlainWorker, Supervisor } from '../../../src/index.ts'
import { heldTask, startedSupervisor, turns } from '../../support/harness.ts'

const GRACE_MS = 100
const shortGrace = { defaults: { graceMs: GRACE_MS } }

/** A worker whose handler goes when it is told to, and counts its copies. */
function polite(supervisor: Supervisor, options: { shutdownMs?: number } = {}) {
  const seen = { live: 0, most: 0, told: 0 }
  const worker: IntervalWorker = supervisor.workers.interval({
    name: 'w',
    intervalMs: 10_000,
    ...options,
    handler: (_: unknown, ctx: HandlerContext) => {
      seen.live += 1
      seen.most = Math.max(seen.most, seen.live)
      return new Promise<void>((resolve) => {
        ctx.signal.addEventListener('abort', () => {
          seen.told += 1
          seen.live -= 1
          resolve()
        })
      })
    },
  })
  return { seen, worker }
}

describe('a handler that stops its own worker', () => {
  test('waits for its own end if it awaits the call, until a bound comes', async () => {
    const { supervisor, clock } = await startedSupervisor(shortGrace)
    const story: unknown[] = []
    const worker: PlainWorker = supervisor.workers.plain({
      name: 'w',
      handler: async () => story.push(await worker.stop({ wait: 500 })),
    })
    await clock.advance(499)
    expect([worker.state, story]).toEqual(['stopping', []])
    await clock.advance(1)
    expect([worker.state, story]).toEqual(['stopped', [{ kind: 'stopped' }]])
  })

  test('ends well if it does not', async () => {
    const { supervisor, of } = await startedSupervisor(shortGrace)
    const worker: PlainWorker = supervisor.workers.plain({
      name: 'w',
      handler: () => {
        void worker.stop()
      },
    })
    await expect(worker.ended).resolves.toEqual({ kind: 'stopped' })
    expect([worker.info().runs, of('task.abandoned')]).toEqual([1, []])
  })
})

describe('a polite handler is told to end, and no copy runs beside it', () => {
  test.each([
    ['stop({ wait: ms })', {}, (worker: IntervalWorker) => worker.stop({ wait: 500 })],
    ['stop({ wait: less than its grace })', {}, (worker: IntervalWorker) => worker.stop({ wait: 50 })],
    ['stop({ wait: false })', {}, (worker: IntervalWorker) => worker.stop({ wait: false })],
    ['stop() with shutdownMs', { shutdownMs: 300 }, (worker: IntervalWorker) => worker.stop()],
    ['stop() with shutdownMs 0', { shutdownMs: 0 }, (worker: IntervalWorker) => worker.stop()],
  ])('%s', async (_, options, stop) => {
    const { supervisor, clock, of } = await startedSupervisor(shortGrace)
    const { seen, worker } = polite(supervisor, options)
    await turns()
    const stopped = stop(worker)
    await clock.advance(400)
    expect(await stopped).toEqual({ kind: 'stopped' })
    expect([seen, of('task.abandoned')]).toEqual([{ live: 0, most: 1, told: 1 }, []])
    expect(of('child.stopped')).toMatchObject([{ child: 'w', step: 'signal' }])
    await worker.start()
    await turns()
    expect(seen).toEqual({ live: 1, most: 1, told: 1 })
  })

  test.each([0, 300])('restart() and remove() with shutdownMs %d', async (shutdownMs) => {
    const { supervisor, clock, of } = await startedSupervisor(shortGrace)
    const { seen, worker } = polite(supervisor, { shutdownMs })
    await turns()
    const restarted = worker.restart()
    await clock.advance(300)
    await restarted
    await turns()
    expect(seen).toEqual({ live: 1, most: 1, told: 1 })
    const removed = supervisor.workers.remove('w')
    await clock.advance(300)
    await removed
    expect(seen).toEqual({ live: 0, most: 1, told: 2 })
    expect(of('child.stopped').map(({ step }) => step)).toEqual(['signal', 'signal'])
    expect([of('task.abandoned'), supervisor.info().abandoned, clock.pending]).toEqual([[], 0, 0])
  })
})

test('the signal comes a grace before the bound, the kill at the bound', async () => {
  const { supervisor, clock, of } = await startedSupervisor(shortGrace)
  const { task, calls } = heldTask({ deaf: true, graceMs: 10_000 })
  const worker = supervisor.workers.interval({ name: 'w', task, intervalMs: 10_000, run: { graceMs: 100 } })
  await turns()
  const stopped = worker.stop({ wait: 1_000 })
  await clock.advance(899)
  expect([worker.state, calls[0]?.ctx.aborted]).toEqual(['stopping', false])
  await clock.advance(1)
  expect([worker.state, calls[0]?.ctx.aborted]).toEqual(['stopping', true])
  await clock.advance(100)
  await stopped
  expect(of('task.abandoned')).toHaveLength(1)
  expect(supervisor.info().abandoned).toBe(1)
  calls[0]?.resolve()
  await turns()
  expect([supervisor.info().abandoned, clock.pending]).toEqual([0, 0])
})

test('a second stop with a sooner bound escalates the first, one with a later bound does not hold it up', async () => {
  const { supervisor, clock, of } = await startedSupervisor(shortGrace)
  const { task, calls } = heldTask({ deaf: true })
  const worker = supervisor.workers.interval({ name: 'w', task, intervalMs: 10_000 })
  await turns()
  const stops = [worker.stop(), worker.stop({ wait: 1_000 }), worker.stop({ wait: 5_000 })]
  await clock.advance(500)
  expect(calls[0]?.ctx.aborted).toBe(false)
  stops.push(worker.stop({ wait: 50 }))
  await turns()
  expect([calls[0]?.ctx.aborted, worker.state]).toEqual([true, 'stopping'])
  await clock.advance(50)
  expect(await Promise.all(stops)).toHaveLength(4)
  expect(of('child.stopped')).toMatchObject([{ step: 'kill', ms: 550 }])
  calls[0]?.resolve()
  await turns()
})

test('a deaf handler is signalled and given up within a turn when there is no time at all', async () => {
  const { supervisor, clock, of } = await startedSupervisor()
  const { task, calls } = heldTask({ deaf: true })
  const worker = supervisor.workers.interval({ name: 'w', task, intervalMs: 10_000 })
  await turns()
  await worker.stop({ wait: false })
  expect([calls[0]?.ctx.aborted, of('task.abandoned').length, clock.pending]).toEqual([true, 1, 0])
  expect(of('child.stopped')).toMatchObject([{ step: 'kill' }])
  calls[0]?.resolve()
  await turns()
  expect(supervisor.info().abandoned).toBe(0)
})
