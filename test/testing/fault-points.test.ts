/** Faults between the statements of a durable queue, on both engines. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { defineTask } from '../../src/index.ts'
import { openQueue } from '../../src/runtime/durable/index.ts'
import { type FaultPoint, FaultPoints } from '../../src/runtime/testing/index.ts'
import { freshUrl, useEngine } from '../durable/engine.ts'

const echo = defineTask<number, number>({ name: 'echo', module: 'test:echo' }, (input) => input)

describe.each(['sqlite', 'postgres'] as const)('%s', (engine) => {
  beforeEach(() => useEngine(engine))

  const stored: readonly (readonly [FaultPoint, boolean])[] = [
    ['begun', false],
    ['operation', false],
    ['committing', false],
    ['committed', true],
  ]

  test.each(stored)('an enqueue that fails at "%s" is rejected, and stored: %s', async (point, isStored) => {
    const faults = new FaultPoints()
    await using queue = await openQueue({ url: await freshUrl(), faults })
    // An operation that fails is tried once more, apart from its neighbours.
    faults.fail(point, { times: point === 'operation' ? 2 : 1, error: new Error('pulled the plug') })
    await expect(queue.enqueue(echo, 1, { runId: 'one' })).rejects.toThrow('pulled the plug')
    expect((await queue.get('one')) !== undefined).toBe(isStored)
    faults.clear()
    // Asked again, it is there once, whatever came of the first one.
    await queue.enqueue(echo, 1, { runId: 'one' }).catch(() => {})
    expect((await queue.list()).tasks).toHaveLength(1)
  })

  test('happens so many times, after so many that are spared', async () => {
    const faults = new FaultPoints()
    await using queue = await openQueue({ url: await freshUrl(), faults })
    const before = faults.passed('committing')
    faults.fail('committing', { skip: 1, times: 2 })
    const ends = []
    for (let n = 0; n < 4; n += 1)
      ends.push(
        await queue.enqueue(echo, n).then(
          () => 'stored',
          () => 'failed',
        ),
      )
    expect(ends).toEqual(['stored', 'failed', 'failed', 'stored'])
    expect(faults.passed('committing') - before).toBe(4)
    faults.fail('committing')
    faults.clear()
    await queue.enqueue(echo, 5)
  })
})

test('ends the process', async () => {
  const file = join(import.meta.dirname, '../fixtures/killed-at-point.ts')
  useEngine('sqlite')
  const child = fork(file, [await freshUrl()])
  const [code, signal] = await once(child, 'exit')
  expect([code, signal]).toEqual([null, 'SIGKILL'])
})

test('refuses points that there are not', () => {
  const faults = new FaultPoints()
  expect(() => faults.fail('rolledBack' as never)).toThrow(/point to be one of/)
  expect(() => faults.fail('begun', { skip: -1 })).toThrow(/skip/)
})
