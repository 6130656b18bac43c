/** What a step of a chain costs, counted: what goes to the store and comes back, and what is written. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { StoreOperation } from '../../src/actors/store/operations.ts'
import type { Store } from '../../src/actors/store/store.ts'
import { chain } from '../../src/index.ts'
import { temporaryFolder } from '../store/store-kit.ts'
import { taskOf } from '../support/harness.ts'
import { placeAround, startedDaemon } from './daemon-kit.ts'
import { engineInUse } from './engine.ts'

/** In memory where there is such a place: eleven thousand commits to a busy disk take a minute. */
async function quickFile(): Promise<string | undefined> {
  if (engineInUse() !== 'sqlite') return undefined
  return join(await temporaryFolder(existsSync('/dev/shm') ? '/dev/shm' : undefined), 'tasks.db')
}

test('a step of a chain costs the same, however long the chain is', async () => {
  let settled = 0
  let claimed = 0
  let written = 0
  const place = await placeAround(
    (commit) => async (operations) => {
      settled += bytesOf(operations.filter(({ type }) => type === 'settle'))
      const answers = await commit(operations)
      claimed += bytesOf(answers.filter(({ type }) => type === 'claim'))
      written += operations.reduce((sum, operation) => sum + writtenBy(operation), 0)
      return answers
    },
    await quickFile(),
  )
  let calls = 0
  const count = taskOf<number>(() => {
    calls += 1
  })
  const { queue } = await startedDaemon([count], { place })
  const costOf = async (length: number): Promise<readonly number[]> => {
    calls = settled = claimed = written = 0
    const { id } = await queue.enqueue(chain(Array.from({ length }, () => count.call(1_000_000))))
    await queue.wait(id)
    expect([calls, (await queue.get(id))?.step]).toEqual([length, length - 1])
    // To and from the store, and the calls that it writes down: each of them once, at the beginning.
    return [settled / length, claimed / length, written]
  }
  const [few, many] = engineInUse() === 'sqlite' ? [1_000, 10_000] : [50, 500]
  const [short, long] = [await costOf(few), await costOf(many)]
  for (const [index, bytes] of long.slice(0, 2).entries()) {
    expect(bytes).toBeLessThan((short[index] as number) * 1.05)
  }
  expect([short[2], long[2]]).toEqual([few - 1, many - 1])
}, 90_000)

test('a step costs one commit, of the daemon that has ended the one before, and none of others', async () => {
  let claims = 0
  const counting = (commit: Store['commit']) => (operations: readonly StoreOperation[]) => {
    claims += operations.filter(({ type }) => type === 'claim').length
    return commit(operations)
  }
  const count = taskOf<number>(() => {})
  const file = await quickFile()
  const one = await placeAround(counting, file)
  const other = await placeAround(counting, one.file)
  for (const place of [one, other])
    await startedDaemon([count], { place, daemon: { name: place === one ? 'one' : 'other' } })
  claims = 0
  const length = 100
  const { id } = await one.queue.enqueue(chain(Array.from({ length }, () => count.call(1))))
  await one.queue.wait(id)
  // Besides: whoever is woken by the first step, and by the end.
  expect(claims).toBeLessThan(length * 1.2)
}, 60_000)

const bytesOf = (value: unknown): number => JSON.stringify(value).length

/** How many calls that come after a step it stores. */
function writtenBy(operation: StoreOperation): number {
  if (operation.type === 'enqueue')
    return operation.tasks.reduce((sum, { after = [] }) => sum + after.length, 0)
  if (operation.type !== 'settle') return 0
  return operation.settlements.reduce(
    (sum, { verdict }) => sum + ('call' in verdict ? (verdict.call.after?.length ?? 0) : 0),
    0,
  )
}
