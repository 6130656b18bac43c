/** Stops of supervisors with children of any manners: all have ended by the bound, and the report tells of each. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSupervisor } from '../../src/runtime/supervisor.ts'
import { supervisorLogic } from '../../src/runtime/supervisor-logic.ts'
import { ManualClock } from '../../src/runtime/testing/manual-clock.ts'
import { heldTask, memoryLogger, slots } from '../support/harness.ts'
import { puppet } from '../support/puppet.ts'
import { turns } from '../support/turns.ts'

const MARGIN_MS = 250

const child = fc.record({
  manner: fc.constantFrom('graceful', 'deaf', 'rude', 'supervisor' as const),
  shutdownMs: fc.constantFrom(0, 50, 1_000, Number.POSITIVE_INFINITY),
  crashes: fc.boolean(),
  grouped: fc.boolean(),
})
const plan = fc.record({
  wait: fc.integer({ min: 0, max: 3_000 }),
  graceMs: fc.integer({ min: 0, max: 3_000 }),
  cancelTasks: fc.boolean(),
  strategy: fc.constantFrom('one-for-one', 'one-for-all', 'rest-for-one' as const),
  /** One of them has the slot, the others are queued. */
  runs: fc.nat(3),
  /** When it is asked for, in ms after the last crash. */
  at: fc.nat(150),
})

test('everything has ended by the bound and a margin, and each child that lived is in the report', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(child, { maxLength: 6 }),
      plan,
      async (children, { strategy, runs, at, ...options }) => {
        const clock = new ManualClock()
        const shared = { clock, daemon: true, logger: memoryLogger([]) }
        const supervisor = createSupervisor({
          ...shared,
          ...slots(1),
          supervision: { strategy },
          random: () => 0,
        })
        await supervisor.start()
        const group = supervisor.group('g', { strategy })
        const spawned = children.map(({ manner, grouped, shutdownMs }, index) => {
          const logic =
            manner === 'supervisor'
              ? supervisorLogic(() => createSupervisor({ ...shared, id: `inner-${index}` }))
              : puppet({ manner }).machine
          return (grouped ? group : supervisor).spawn(logic, { id: `c${index}`, shutdownMs })
        })
        await turns(4)
        const { task } = heldTask({ deaf: true })
        for (let i = 0; i < runs; i += 1) supervisor.submit(task)
        for (const [index, { crashes, manner }] of children.entries()) {
          if (crashes && manner !== 'supervisor') spawned[index]!.actor?.send({ type: 'crash' } as never)
        }
        await clock.advance(at)
        await turns(4)
        const lived = supervisor
          .which()
          .filter(({ state }) => state === 'running' || state === 'starting' || state === 'stopping')
        let over = false
        const stopping = supervisor.stop(options).finally(() => {
          over = true
        })
        await clock.advance(options.wait + MARGIN_MS)
        await turns(6)
        expect([over, supervisor.count().active, clock.pending]).toEqual([true, 0, 0])
        const report = await stopping
        const reported = report.children.map(({ id }) => id)
        expect(new Set(reported).size).toBe(reported.length)
        for (const { path } of lived) expect(reported).toContain(path)
        for (const { ms } of report.children) expect(ms).toBeLessThanOrEqual(at + options.wait + MARGIN_MS)
        const { ended, ...steps } = report.tasks
        expect(ended + Object.values(steps).reduce((sum, count) => sum + count, 0)).toBe(runs)
      },
    ),
    { numRuns: 120 },
  )
})
