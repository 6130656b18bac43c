/** Tasks that are refused before they begin, more than one claim brings: what is behind them must not wait for a wake. */
import { describe, expect, test } from 'vitest'
import { taskOf } from '../support/harness.ts'
import { enqueue, records, startedDaemon } from './daemon-kit.ts'

describe.each([1, 4, 12])('a pool of %i', (size) => {
  test.each([11, 30, 300])('a daemon goes on behind %i tasks that it does not know', async (count) => {
    const gone = taskOf(() => 'never')
    const known = taskOf(() => 'here')
    const { queue, store } = await startedDaemon([known], { supervisor: { pool: { size } } })
    // One commit, so that there is one wake.
    const calls = [...Array.from({ length: count }, () => gone.call()), known.call()]
    const ids = await enqueue(queue, ...calls)
    const ended = await records(store, ids)
    expect(ended.map(({ state }) => state)).toEqual([
      ...Array.from({ length: count }, () => 'failed'),
      'finished',
    ])
    expect(ended[0]?.reason).toBe('unknownTask')
  })
})
