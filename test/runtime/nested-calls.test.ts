/** Calls of tasks inside of inputs, across the borders to threads and processes, in process and in a durable queue. */
import { describe, expect, test } from 'vitest'
import { chain } from '../../src/index.ts'
import { all } from '../../src/task.ts'
import { startedDaemon } from '../durable/daemon-kit.ts'
import * as tasks from '../fixtures/durable/fork-tasks.ts'
import { errorOf, startedSupervisor, taskOf } from '../support/harness.ts'

const { say, hand, handThread, handProcess, makeThread, makeProcess, insideThread, insideProcess } = tasks
const MADE = { joined: ['W', 'Y'] }

describe.each([
  ['a thread', handThread, makeThread, insideThread],
  ['a process', handProcess, makeProcess, insideProcess],
] as const)('a handler in %s', (_, handOver, make, inside) => {
  test('gets calls, goes on with them, submits them, runs one as a part of itself', async () => {
    const { supervisor } = await startedSupervisor()
    const call = chain([say.call('a'), hand.call(say.call('b'))])
    expect(await supervisor.submit(handOver, call as never).result).toBe('B')
    expect(await supervisor.submit(inside, { deep: { at: [say.call('c')] } }).result).toEqual(['C', 'C'])
    // A second time it is known there.
    expect(await supervisor.submit(handOver, all([call, say.call('d')]) as never).result).toEqual(['B', 'D'])
  })

  test('makes chains and forks that go on elsewhere', async () => {
    const { supervisor } = await startedSupervisor()
    expect(await supervisor.submit(make, 'w').result).toEqual(MADE)
  })

  test('does so in a durable queue', async () => {
    const { queue } = await startedDaemon([tasks])
    const call = chain([say.call('a'), hand.call(say.call('b'))])
    expect(await queue.wait(await queue.enqueue(handOver, call as never))).toBe('B')
    expect(await queue.wait(await queue.enqueue(make, 'w'))).toEqual(MADE)
    const given = { deep: { at: [say.call('c')] } } as never
    expect(await queue.wait(await queue.enqueue(inside, given))).toEqual(['C', 'C'])
  })
})

test('a call that only this event loop knows is passed on by name, and refused where it would have to be found', async () => {
  const { supervisor } = await startedSupervisor()
  const local = taskOf<string, string>((word) => `local ${word}`)
  expect(await supervisor.submit(local, 'x').result).toBe('local x')
  expect(await supervisor.submit(handThread, local.call('y') as never).result).toBe('local y')
  const error = await errorOf(
    supervisor.submit(insideThread, { deep: { at: [local.call('z')] } } as never).result,
  )
  expect(error).toMatchObject({ cause: { message: expect.stringContaining('has no module') } })
})
