/**
 * The compiled form of a machine against the interpreter: same snapshots, same effects, same errors, after
 * every event, as actors and as pure functions.
 */
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { demandSameBehaviour } from './compile-drive.ts'
import { specimens } from './compile-machines.ts'
import { eventsOf, randomMachine } from './compile-random.ts'

describe('compile against the interpreter', () => {
  it.each(specimens)('behaves the same for the machine $name', ({ machine, input, events }) => {
    const sent = fc.array(fc.constantFrom(...events), { minLength: 1, maxLength: 25 })
    fc.assert(
      fc.property(sent, (sequence) => demandSameBehaviour(machine, input, sequence)),
      { numRuns: 150 },
    )
  })

  it('behaves the same for random machines', () => {
    const seeds = fc.integer({ min: 0, max: 2 ** 31 })
    fc.assert(
      fc.property(seeds, fc.nat({ max: 9 }), eventsOf, (seed, input, events) =>
        demandSameBehaviour(randomMachine(seed), input, events),
      ),
      { numRuns: 800 },
    )
    // About 7 s when nothing else runs.
  }, 60_000)
})
