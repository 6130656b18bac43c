/** Plain workers: again and again, in one slot. */
import { describe, expect, test } from 'vitest'
import { heldTask, startedSupervisor, turns } from '../../support/harness.ts'

describe('a plain worker', () => {
  test('runs again and again, one run at a time, until it says that it was the last one', async () => {
    const { supervisor, of } = await startedSupervisor()
    let runs = 0
    const worker = supervisor.workers.plain({
      name: 'loop',
      handler: () => {
        runs += 1
        return runs < 5
      },
    })
    await expect(worker.ended).resolves.toEqual({ kind: 'done', output: undefined })
    expect([runs, worker.state]).toEqual([5, 'stopped'])
    expect(of('worker.triggered').map(({ by }) => by)).toEqual(Array(5).fill('loop'))
  })

  test('holds one slot, and yields the event loop between its runs', async () => {
    const { supervisor } = await startedSupervisor({ pool: { size: 2, reserveNormal: 0, reserveHigh: 0 } })
    let runs = 0
    const worker = supervisor.workers.plain({ name: 'loop', handler: () => void runs++ })
    const { task, calls } = heldTask()
    const run = supervisor.submit(task)
    await turns()
    await turns()
    expect([calls.length, runs > 1, supervisor.info().pool.active <= 2]).toEqual([1, true, true])
    calls[0]!.resolve()
    await run.result
    await worker.stop()
    const then = runs
    await turns()
    expect([runs, worker.state]).toEqual([then, 'stopped'])
  })

  test('backs off from failure to failure, and a success begins anew', async () => {
    const { supervisor, clock } = await startedSupervisor({ random: () => 0 })
    const { task, calls } = heldTask()
    const worker = supervisor.workers.plain({
      name: 'loop',
      task,
      backoff: { initialMs: 100, jitter: 'none' },
    })
    await turns()
    for (const [call, waitMs] of [100, 200, 400].entries()) {
      calls[call]!.reject(new Error('x'))
      await turns()
      expect(worker.state).toBe('backingOff')
      await clock.advance(waitMs - 1)
      expect(calls).toHaveLength(call + 1)
      await clock.advance(1)
      await turns()
      expect(calls).toHaveLength(call + 2)
    }
    calls[3]!.resolve()
    await turns()
    await turns()
    calls[4]!.reject(new Error('x'))
    await turns()
    await clock.advance(100)
    await turns()
    expect(calls).toHaveLength(6)
    expect(worker.info()).toMatchObject({ runs: 5, failures: 4 })
  })

  test('pauses between its runs', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls } = heldTask()
    const worker = supervisor.workers.plain({ name: 'loop', task })
    await turns()
    worker.pause()
    calls[0]!.resolve()
    await turns()
    expect([worker.state, worker.info().live, calls.length]).toEqual(['paused', 0, 1])
    worker.resume()
    await turns()
    expect(calls).toHaveLength(2)
  })

  test('ends after its times', async () => {
    const { supervisor } = await startedSupervisor()
    let runs = 0
    const worker = supervisor.workers.plain({ name: 'loop', times: 3, handler: () => void runs++ })
    await worker.ended
    expect(runs).toBe(3)
  })
})
