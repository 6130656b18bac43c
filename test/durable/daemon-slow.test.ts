/** A store that takes longer for each claim than a lease allows for. */
import { expect, test } from 'vitest'
import { type Clock, systemClock } from '../../src/actors/clock.ts'
import { taskOf } from '../support/harness.ts'
import { enqueue, placeAround, records, startedDaemon } from './daemon-kit.ts'

test('a daemon whose claims come too late asks for longer leases until tasks begin', async () => {
  let tookMs = 0
  const clock: Clock = {
    ...systemClock,
    now: () => systemClock.now() + tookMs,
    monotonic: () => systemClock.monotonic() + tookMs,
  }
  const asked: number[] = []
  const slow = (commit: Parameters<Parameters<typeof placeAround>[0]>[0]): typeof commit => {
    return async (operations) => {
      const answers = await commit(operations)
      const claim = operations.find(({ type }) => type === 'claim')
      if (claim?.type !== 'claim') return answers
      asked.push(claim.leaseUntil - claim.at)
      tookMs += 6_500
      return answers
    }
  }
  const place = await placeAround(slow, undefined, clock)
  const task = taskOf<number, number>((input) => input)
  // More than one claim has room for: what goes back must not wait for a wake.
  const ids = await enqueue(place.queue, ...Array.from({ length: 100 }, (_, input) => task.call(input)))
  await startedDaemon([task], { place, supervisor: { clock } })
  const ended = await records(place.store, ids)
  expect(ended.map(({ state, attempt }) => [state, attempt])).toEqual(ids.map(() => ['finished', 1]))
  expect([asked[0], Math.max(...asked) >= 20_000]).toEqual([10_000, true])
})
