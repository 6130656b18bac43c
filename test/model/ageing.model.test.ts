/** Ageing with the clock in hand: a band at a time, never above high, in order, and nobody starves. */
import fc from 'fast-check'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { Priority } from '../../src/machines/model.ts'
import type { Run } from '../../src/runtime/run.ts'
import { createSupervisor, type Supervisor } from '../../src/runtime/supervisor.ts'
import { ManualClock } from '../../src/runtime/testing/manual-clock.ts'
import { turns } from '../support/turns.ts'
import { HeldWork } from './held-work.ts'

const AGE_MS = 100
const GENTLE = { stubborn: false }

class Bench {
  readonly clock: ManualClock = new ManualClock()
  readonly work: HeldWork = new HeldWork()
  readonly supervisor: Supervisor
  /** In order of admission. */
  readonly admitted: string[] = []

  constructor(ageAfterMs: number = AGE_MS) {
    this.supervisor = createSupervisor({
      pool: { size: 1, reserveNormal: 0, reserveHigh: 0 },
      clock: this.clock,
      logger: pino({ level: 'silent' }),
      defaults: { ageAfterMs },
    })
    this.supervisor.on('task.admitted', ({ runId }) => void this.admitted.push(runId))
  }

  submit(id: string, priority: Priority): Run {
    return this.supervisor.submit(this.work.task, GENTLE, { runId: id, priority })
  }

  /** Ends what runs; whoever is next begins. */
  async next(): Promise<void> {
    for (const id of this.work.ids) this.work.say(id, 'ok')
    await turns(2)
  }

  async close(): Promise<void> {
    const stopped = this.supervisor.stop({ wait: 1_000, cancelTasks: true })
    await this.next()
    await stopped
  }
}

async function withBench(use: (bench: Bench) => Promise<void>, ageAfterMs?: number): Promise<void> {
  const bench = new Bench(ageAfterMs)
  await bench.supervisor.start()
  try {
    await use(bench)
  } finally {
    await bench.close()
  }
}

test('a waiting task moves up a band each time it has waited long enough, never above high', () =>
  withBench(async (bench) => {
    bench.submit('running', 'critical')
    const low = bench.submit('low', 'low')
    const bands: Priority[] = []
    for (const ms of [AGE_MS - 1, 1, AGE_MS - 1, 1, 10 * AGE_MS]) {
      await bench.clock.advance(ms)
      bands.push(low.priority)
    }
    expect(bands).toEqual(['low', 'normal', 'normal', 'high', 'high'])
    expect(bench.supervisor.info().pool.waiting).toEqual({ critical: 0, high: 1, normal: 0, low: 0 })
  }))

test('without ageAfterMs nobody moves', () =>
  withBench(async (bench) => {
    bench.submit('running', 'critical')
    const low = bench.submit('low', 'low')
    await bench.clock.advance(1_000_000)
    expect(low.priority).toBe('low')
  }, Number.POSITIVE_INFINITY))

test('whoever comes up queues behind those that are in the band, and among themselves keep their order', () =>
  withBench(async (bench) => {
    bench.submit('running', 'critical')
    bench.submit('low 1', 'low')
    bench.submit('low 2', 'low')
    await bench.clock.advance(AGE_MS - 1)
    bench.submit('normal', 'normal')
    await bench.clock.advance(1)
    bench.submit('later', 'normal')
    for (let i = 0; i < 5; i += 1) await bench.next()
    expect(bench.admitted).toEqual(['running', 'normal', 'low 1', 'low 2', 'later'])
  }))

test('the wait in the new band counts from the day it came up, and a return to the queue starts low again', () =>
  withBench(async (bench) => {
    bench.submit('running', 'critical')
    const low = bench.submit('low', 'low')
    await bench.clock.advance(AGE_MS + 10)
    expect(low.priority).toBe('normal')
    await bench.clock.advance(AGE_MS - 11)
    expect(low.priority).toBe('normal')
    await bench.clock.advance(1)
    expect(low.priority).toBe('high')
  }))

test('a stream of urgent tasks cannot starve a low one', async () => {
  const stream = fc.array(
    fc.record({ priority: fc.constantFrom('normal' as const, 'high' as const), ms: fc.nat(40) }),
    { minLength: 12, maxLength: 30 },
  )
  await fc.assert(
    fc.asyncProperty(stream, (commands) =>
      withBench(async (bench) => {
        bench.submit('first', 'high')
        bench.submit('second', 'high')
        const low = bench.submit('low', 'low')
        let waited = 0
        for (const { priority, ms } of commands) {
          // There is always somebody waiting whose band is higher than its own was.
          bench.submit(`urgent ${waited} ${bench.admitted.length}`, priority)
          await bench.clock.advance(ms)
          waited += ms
          await bench.next()
          if (low.state !== 'queued') return
        }
        // Two bands up it is in line with the others, and those that were there before it are few.
        const ahead = bench.supervisor.list({ state: 'queued' }).length
        if (waited > 2 * AGE_MS) for (let i = 0; i < ahead; i += 1) await bench.next()
        expect(waited <= 2 * AGE_MS || low.state !== 'queued').toBe(true)
      }),
    ),
    { numRuns: 60 },
  )
})
