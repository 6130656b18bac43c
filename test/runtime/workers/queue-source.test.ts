/** Sources of queue workers: pulled only while there is room, closed at a stop, kept over a failure. */
import { describe, expect, test } from 'vitest'
import { deferred, errorOf, heldTask, startedSupervisor, turns } from '../../support/harness.ts'

/** An async source that notes what it was asked for, and whether it was closed. */
function spring(count: number) {
  const seen = { asked: 0, closed: 0, opened: 0 }
  const iterable: AsyncIterable<number> = {
    [Symbol.asyncIterator]() {
      seen.opened += 1
      let next = 0
      return {
        async next() {
          seen.asked += 1
          next += 1
          return next <= count ? { done: false, value: next } : { done: true, value: undefined }
        },
        async return() {
          seen.closed += 1
          return { done: true, value: undefined }
        },
      }
    },
  }
  return { seen, iterable }
}

describe('a source', () => {
  test.each(['sync', 'async'])('%s: every item runs, in order; its end ends the worker', async (kind) => {
    const { supervisor } = await startedSupervisor()
    const seen: number[] = []
    const items = [1, 2, 3, 4, 5]
    const source =
      kind === 'sync'
        ? items
        : (async function* () {
            yield* items
          })()
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      source,
      handler: (item) => void seen.push(item),
    })
    expect(await queue.ended).toEqual({ kind: 'done', output: undefined })
    expect(seen).toEqual(items)
    expect((await errorOf(queue.put(6))).code).toBe('ERR_WORKER_STOPPED')
  })

  test('is pulled only when there is room: one item per place is held ready', async () => {
    const { supervisor } = await startedSupervisor()
    const { seen, iterable } = spring(100)
    const { task, calls, inputs } = heldTask<number>()
    const queue = supervisor.workers.queue({ name: 'q', task, source: iterable, concurrency: 2 })
    await turns(20)
    expect([inputs(), queue.size, seen.asked]).toEqual([[1, 2], 2, 4])
    calls[0]?.resolve()
    await turns(20)
    expect([inputs(), queue.size, seen.asked]).toEqual([[1, 2, 3], 2, 5])
  })

  test('an endless synchronous one is no endless loop', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls } = heldTask<number>()
    const source = {
      *[Symbol.iterator]() {
        for (let item = 0; ; item += 1) yield item
      },
    }
    const queue = supervisor.workers.queue({ name: 'q', task, source, capacity: 5 })
    await turns()
    expect([calls.length, queue.size]).toEqual([1, 5])
  })

  test('is closed by a stop; what it gave is drained or handed back', async () => {
    const { supervisor } = await startedSupervisor()
    const { seen, iterable } = spring(100)
    const { task, calls } = heldTask<number>()
    const queue = supervisor.workers.queue({
      name: 'q',
      task,
      source: iterable,
      capacity: 3,
      onStop: 'return',
    })
    await turns(20)
    const stopped = queue.stop()
    await turns()
    calls[0]?.resolve()
    expect((await stopped).returned).toEqual([2, 3, 4])
    expect(seen).toEqual({ asked: 4, closed: 1, opened: 1 })
    await queue.start()
    await turns(20)
    expect(seen.opened).toBe(2)
  })

  test('an item that comes after the stop is not lost: the next stop hands it back', async () => {
    const { supervisor } = await startedSupervisor()
    const late = deferred<number>()
    const source = (async function* () {
      yield await late.promise
    })()
    const queue = supervisor.workers.queue<number>({ name: 'q', source, handler() {} })
    await turns()
    expect((await queue.stop()).returned).toEqual([])
    late.resolve(7)
    await turns(10)
    expect(queue.size).toBe(1)
    expect((await queue.stop()).returned).toEqual([7])
  })

  test('that throws fails the worker; items are kept, and the next life opens it anew', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const seen: number[] = []
    let opened = 0
    const source = {
      *[Symbol.iterator]() {
        opened += 1
        yield opened * 10
        yield opened * 10 + 1
        if (opened === 1) throw new Error('dry')
      },
    }
    const ends: string[] = []
    supervisor.on('worker.failed', ({ error }) => ends.push(String(error)))
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      source,
      capacity: 10,
      handler: (item) => void seen.push(item),
    })
    await clock.advance(1_000)
    await turns(10)
    expect([seen, ends, queue.state]).toEqual([[10, 11, 20, 21], ['Error: dry'], 'stopped'])
    expect(opened).toBe(2)
  })

  test('keeps its place over a failure of a run', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { seen: asked, iterable } = spring(4)
    const seen: number[] = []
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      source: iterable,
      onFailure: 'fail',
      handler(item) {
        seen.push(item)
        if (item === 2) throw new Error('two')
      },
    })
    await turns(20)
    await clock.advance(1_000)
    await turns(20)
    expect([seen, queue.state, asked.opened, asked.closed]).toEqual([[1, 2, 3, 4], 'stopped', 1, 0])
  })

  test('that has ended before the worker failed is not begun again', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const seen: number[] = []
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      source: [1, 2, 3],
      capacity: 10,
      onFailure: 'fail',
      handler(item) {
        seen.push(item)
        if (item === 1) throw new Error('one')
      },
    })
    await turns(20)
    await clock.advance(1_000)
    await turns(20)
    expect([seen, queue.state]).toEqual([[1, 2, 3], 'stopped'])
  })

  test('put and source share one queue', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls, inputs } = heldTask<number>()
    const more = deferred<number>()
    const source = (async function* () {
      yield 1
      yield await more.promise
    })()
    const queue = supervisor.workers.queue<number, unknown>({ name: 'q', task, source, capacity: 1 })
    await turns(10)
    await queue.put(50)
    expect(queue.tryPut(51)).toBe(false)
    // It was asked for when there was room, and comes when there is none: it is kept all the same.
    more.resolve(2)
    await turns(10)
    expect([queue.size, inputs()]).toEqual([2, [1]])
    for (let call = 0; call < 3; call += 1) {
      calls[call]?.resolve()
      await turns()
    }
    expect(inputs()).toEqual([1, 50, 2])
    await queue.ended
  })

  test('that ends while the worker is paused ends it when the last item has run', async () => {
    const { supervisor } = await startedSupervisor()
    const seen: number[] = []
    const gate = deferred<void>()
    const source = (async function* () {
      await gate.promise
      yield 1
    })()
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      source,
      handler: (item) => void seen.push(item),
    })
    queue.pause()
    gate.resolve()
    await turns(10)
    expect([queue.state, queue.size]).toEqual(['paused', 1])
    queue.resume()
    expect(await queue.ended).toMatchObject({ kind: 'done' })
    expect(seen).toEqual([1])
  })

  test('whose return() throws is reported, no more', async () => {
    const { supervisor, lines } = await startedSupervisor()
    const source: Iterable<number> = {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: 1 }),
        return() {
          throw new Error('cannot close')
        },
      }),
    }
    const queue = supervisor.workers.queue<number>({ name: 'q', source, handler: () => {} })
    queue.pause()
    await queue.stop({ wait: false })
    expect(lines.filter(({ msg }) => msg === 'a hook of a worker threw')).toHaveLength(1)
  })
})
