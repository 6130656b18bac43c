/** What a daemon forgets, and that it keeps up with what ends. Time is moved by hand. */
import { expect, onTestFinished, test } from 'vitest'
import { ManualClock } from '../../src/runtime/testing/index.ts'
import { taskOf } from '../support/harness.ts'
import { until } from '../support/until.ts'
import { openPlace, placeAround, startedDaemon } from './daemon-kit.ts'

const ENDED = 6_000
const KEPT = 100
const TOOK_MS = 10

interface Pruned {
  readonly from: number
  readonly to: number
}

test('while there is more to forget it goes on, and leaves three quarters of the time to others', async () => {
  const echo = taskOf<number, number>((n) => n)
  const { file, queue, store } = await openPlace()
  const queued = await queue.enqueueMany(Array.from({ length: ENDED }, (_, n) => echo.call(n)))
  const cancelled = await store.do({
    type: 'cancel',
    at: store.now(),
    by: 'test',
    ids: queued.map(({ id }) => id),
    reason: null,
  })
  expect(cancelled.items).toHaveLength(ENDED)

  const clock = new ManualClock()
  const pruned: Pruned[] = []
  let underWay = 0
  const place = await placeAround(
    (commit) => async (operations) => {
      const from = clock.monotonic()
      underWay += 1
      const answers = await commit(operations).finally(() => (underWay -= 1))
      if (!operations.some(({ type }) => type === 'prune')) return answers
      await clock.advance(TOOK_MS)
      pruned.push({ from, to: clock.monotonic() })
      return answers
    },
    file,
    clock,
  )
  const { supervisor } = await startedDaemon([echo], {
    place,
    supervisor: { clock },
    daemon: { keep: { cancelled: { count: KEPT } } },
  })
  onTestFinished(async () => {
    const over = supervisor.stop({ wait: 0 })
    await clock.advance(1_000)
    await over
  })
  // How long the database really takes is not what is looked at.
  await until(async () => {
    if (underWay === 0) await clock.advance(100)
    return pruned.length > 0
  }, 60_000)
  const begunMono = clock.monotonic()
  await until(async () => {
    if (underWay === 0) await clock.advance(5)
    return (await queue.counts()).cancelled === KEPT
  }, 60_000)
  // At half a second for each 500 it were six seconds.
  expect(clock.monotonic() - begunMono).toBeLessThan(1_000)
  expect(pruned.length).toBeGreaterThan(3)
  for (const [index, { from }] of pruned.entries()) {
    const before = pruned[index - 1]
    if (before !== undefined) expect(from - before.to).toBeGreaterThanOrEqual(3 * (before.to - before.from))
  }
}, 120_000)
