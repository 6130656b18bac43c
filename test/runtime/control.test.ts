/** `ctx.supervisor.put`, `trigger` and `stop`: on this loop, in a thread, in a process. */
import { describe, expect, test } from 'vitest'
import type { Execution } from '../../src/index.ts'
import { errs, produces, stops, triggers } from '../fixtures/queue/tasks.ts'
import { deferred, errorOf, startedSupervisor, turns } from '../support/harness.ts'

const EXECUTIONS: readonly Execution[] = ['async', 'main', 'thread', 'process']

describe.each(EXECUTIONS)('from a handler in %s', (execution) => {
  test('put resolves when the item was accepted: the queue holds the handler back', async () => {
    const { supervisor } = await startedSupervisor({ pool: { size: 4 } })
    const seen: unknown[] = []
    const gate = deferred<void>()
    const first = deferred<void>()
    const queue = supervisor.workers.queue<unknown>({
      name: 'q',
      capacity: 2,
      async handler(item) {
        seen.push(item)
        first.resolve()
        await gate.promise
      },
    })
    const items = [1, { deep: [new Date(0)] }, 'three', 4, 5, 6]
    const run = supervisor.submit(produces, { worker: 'q', items }, { execution })
    if (execution === 'main') {
      // A main task has the loop to itself: what makes room runs on its slot.
      gate.resolve()
    } else {
      await first.promise
      while (queue.waiting === 0) await turns()
      expect([seen.length, queue.size, run.state]).toEqual([1, 2, 'running'])
      gate.resolve()
    }
    expect(await run.result).toBe(6)
    await supervisor.workers.get('q')?.stop()
    expect(seen).toEqual(items)
  })

  test('trigger triggers', async () => {
    const { supervisor } = await startedSupervisor()
    const ran = deferred<void>()
    supervisor.workers.event({ name: 'e', handler: () => ran.resolve() })
    await supervisor.submit(triggers, { worker: 'e' }, { execution }).result
    await ran.promise
  })

  test('stop is taken at once, and the caller ends in its own way', async () => {
    const { supervisor, stop } = await startedSupervisor()
    const run = supervisor.submit(stops, undefined, { execution })
    expect(await run.result).toBe('its own outcome')
    expect(run.state).toBe('finished')
    await stop({ wait: 30_000 })
    expect(supervisor.state).toBe('stopped')
  })

  test('wrong calls reject with their class and code', async () => {
    const { supervisor } = await startedSupervisor()
    supervisor.workers.queue({ name: 'q', handler() {} })
    await supervisor.workers.queue({ name: 'stopped', handler() {} }).stop()
    supervisor.workers.event({ name: 'plain', handler() {} })
    const names = { worker: 'q', stopped: 'stopped', plain: 'plain' }
    expect(await supervisor.submit(errs, names, { execution }).result).toEqual([
      ['WorkerError', 'ERR_WORKER_UNKNOWN'],
      ['WorkerError', 'ERR_WORKER_UNKNOWN'],
      ['WorkerError', 'ERR_WORKER_STOPPED'],
      ['OptionError', 'ERR_OPTION_INVALID'],
      ['OptionError', 'ERR_OPTION_INVALID'],
      ['OptionError', 'ERR_OPTION_UNKNOWN'],
      ['OptionError', 'ERR_OPTION_INVALID'],
    ])
  })

  test('a put that waits when the worker is stopped is told', async () => {
    const { supervisor } = await startedSupervisor({ pool: { size: 4 } })
    const queue = supervisor.workers.queue<unknown>({ name: 'q', capacity: 1, start: false, handler() {} })
    const run = supervisor.submit(produces, { worker: 'q', items: [1, 2] }, { execution })
    const failed = errorOf(run.result)
    while (queue.waiting === 0) await turns()
    expect((await queue.stop()).returned).toEqual([1])
    expect((await failed).cause).toMatchObject({ code: 'ERR_WORKER_STOPPED', worker: 'q' })
    await turns()
  })
})

test('ten handlers in two threads put at once: nothing is lost, each keeps its order', async () => {
  const { supervisor } = await startedSupervisor({ pool: { size: 10, maxThreads: 2 } })
  const seen: number[] = []
  const queue = supervisor.workers.queue<number>({
    name: 'q',
    capacity: 3,
    handler: (item) => void seen.push(item),
  })
  const runs = Array.from({ length: 10 }, (_, side) => {
    const items = Array.from({ length: 20 }, (__, i) => side * 100 + i)
    return supervisor.submit(produces, { worker: 'q', items }, { execution: 'thread' }).result
  })
  await Promise.all(runs)
  await queue.stop()
  expect(seen).toHaveLength(200)
  for (let side = 0; side < 10; side += 1) {
    const own = seen.filter((item) => Math.floor(item / 100) === side)
    expect(own).toEqual(own.toSorted((a, b) => a - b))
  }
})
