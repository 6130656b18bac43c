/** Queue workers: items in order, back-pressure, what becomes of an item, other sizes, failures. */
import { describe, expect, test } from 'vitest'
import { after as afterTask, type QueueWorker } from '../../../src/index.ts'
import {
  deferred,
  errorOf,
  freshName,
  heldTask,
  slots,
  startedSupervisor,
  taskOf,
  testSupervisor,
  thrownBy,
  turns,
} from '../../support/harness.ts'

const settled = (promise: Promise<unknown>): { state: string } => {
  const seen = { state: 'pending' }
  promise.then(
    () => {
      seen.state = 'resolved'
    },
    () => {
      seen.state = 'rejected'
    },
  )
  return seen
}

describe('items', () => {
  test('run one at a time, in the order of put; each put resolves when it was accepted', async () => {
    const { supervisor, of } = await startedSupervisor()
    const { task, calls, inputs } = heldTask<string>()
    const queue = supervisor.workers.queue({ name: 'q', task })
    await queue.put('a')
    expect(await queue.putMany(['b', 'c'])).toBe(2)
    await turns()
    expect(inputs()).toEqual(['a'])
    expect([queue.size, queue.state]).toEqual([2, 'active'])
    calls[0]?.resolve()
    await turns()
    calls[1]?.resolve()
    await turns()
    expect(inputs()).toEqual(['a', 'b', 'c'])
    calls[2]?.resolve()
    await turns()
    expect([queue.size, queue.state, queue.info().runs]).toEqual([0, 'idle', 3])
    expect(of('worker.triggered').map(({ worker, kind, by }) => [worker, kind, by])).toEqual(
      Array(3).fill(['q', 'queue', 'item']),
    )
    expect(supervisor.list().map((run) => run.worker)).toEqual(['q', 'q', 'q'])
  })

  test('never overlap in the sequence short, long, short', async () => {
    const { supervisor, clock } = await startedSupervisor()
    let live = 0
    let most = 0
    const ended: number[] = []
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      async handler(ms) {
        live += 1
        most = Math.max(most, live)
        const end = deferred()
        clock.setTimeout(() => end.resolve(undefined), ms)
        await end.promise
        live -= 1
        ended.push(ms)
      },
    })
    for (const ms of [1, 100, 1, 50, 2]) await queue.put(ms)
    await clock.advance(1_000)
    expect([most, ended]).toEqual([1, [1, 100, 1, 50, 2]])
  })

  test('run concurrency at a time, begun in order', async () => {
    const { supervisor } = await startedSupervisor(slots(10))
    const { task, calls, inputs } = heldTask<number>()
    const queue = supervisor.workers.queue({ name: 'q', task, concurrency: 3 })
    await queue.putMany([1, 2, 3, 4, 5])
    await turns()
    expect(inputs()).toEqual([1, 2, 3])
    calls[1]?.resolve()
    await turns()
    expect(inputs()).toEqual([1, 2, 3, 4])
    expect(queue.info()).toMatchObject({ live: 3, size: 1, waiting: 0, concurrency: 3, capacity: Infinity })
  })

  test('run() gives the result of its item, or its error', async () => {
    const { supervisor } = await startedSupervisor()
    const queue = supervisor.workers.queue<number, number>({
      name: 'q',
      handler(item) {
        if (item === 2) throw new RangeError('two')
        return item * 10
      },
    })
    const results = [1, 2, 3].map((item) => queue.run(item))
    expect(await results[0]).toBe(10)
    expect(await errorOf(results[1] as Promise<number>)).toMatchObject({
      code: 'ERR_TASK_THREW',
      cause: new RangeError('two'),
    })
    // The failure of an item is no failure of the worker.
    expect(await results[2]).toBe(30)
    expect([queue.state, queue.info().failures]).toEqual(['idle', 1])
  })

  test('put before the start are accepted, and run when it starts', async () => {
    const { supervisor } = testSupervisor()
    const seen: string[] = []
    const queue = supervisor.workers.queue<string>({
      name: 'q',
      capacity: 2,
      handler: (item) => void seen.push(item),
    })
    await queue.put('a')
    await queue.put('b')
    expect(queue.tryPut('c')).toBe(false)
    const third = settled(queue.put('d'))
    await turns()
    expect([seen, third.state, queue.waiting]).toEqual([[], 'pending', 1])
    await supervisor.start()
    await turns(10)
    expect([seen, third.state]).toEqual([['a', 'b', 'd'], 'resolved'])
  })

  test('of a worker that waits for its own start are kept until then', async () => {
    const { supervisor } = await startedSupervisor()
    const seen: string[] = []
    const queue = supervisor.workers.queue<string>({
      name: 'q',
      start: false,
      handler: (item) => void seen.push(item),
    })
    await queue.put('a')
    await turns()
    expect([seen, queue.size]).toEqual([[], 1])
    await queue.start()
    await turns()
    expect(seen).toEqual(['a'])
  })

  test('are kept by a pause, and accepted meanwhile', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls, inputs } = heldTask<string>()
    const queue = supervisor.workers.queue({ name: 'q', task })
    await queue.putMany(['a', 'b'])
    await turns()
    queue.pause()
    calls[0]?.resolve()
    await queue.put('c')
    await turns()
    expect([inputs(), queue.size, queue.state]).toEqual([['a'], 2, 'paused'])
    queue.resume()
    await turns()
    expect([inputs(), queue.state]).toEqual([['a', 'b'], 'active'])
  })

  test('a value false ends the worker; what waits is out of it at once, and stop() tells of it', async () => {
    const { supervisor } = await startedSupervisor()
    const queue = supervisor.workers.queue<number, boolean>({ name: 'q', handler: (item) => item !== 2 })
    await queue.putMany([1, 2, 3, 4])
    expect(await queue.ended).toEqual({ kind: 'done', output: undefined })
    expect(queue.size).toBe(0)
    expect(await errorOf(queue.put(5))).toMatchObject({ code: 'ERR_WORKER_STOPPED', worker: 'q' })
    expect((await queue.stop()).returned).toEqual([3, 4])
    expect((await queue.stop()).returned).toEqual([])
  })

  test('times: that many items, then it is done', async () => {
    const { supervisor } = await startedSupervisor()
    const seen: number[] = []
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      times: 2,
      concurrency: 3,
      handler: (item) => void seen.push(item),
    })
    await queue.putMany([1, 2, 3])
    await queue.ended
    expect([seen, (await queue.stop()).returned]).toEqual([[1, 2], [3]])
  })

  test('hooks are told of the item, before and after its run', async () => {
    const { supervisor } = await startedSupervisor()
    const told: unknown[] = []
    const queue = supervisor.workers.queue<string, string>({
      name: 'q',
      handler: (item) => item.toUpperCase(),
      hooks: {
        beforeRun: ({ input, by }) => void told.push(['before', input, by]),
        afterRun: ({ input, run }) => void told.push(['after', input, run?.state]),
      },
      afterResult: (value) => void told.push(['result', value]),
    })
    await queue.run('a')
    await turns()
    expect(told).toEqual([
      ['before', 'a', 'item'],
      ['result', 'A'],
      ['after', 'a', 'finished'],
    ])
  })
})

describe('back-pressure', () => {
  test('put waits for room, in order; nobody overtakes', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls, inputs } = heldTask<number>()
    const queue = supervisor.workers.queue({ name: 'q', task, capacity: 2 })
    const puts = [1, 2, 3, 4, 5].map((item) => settled(queue.put(item)))
    await turns()
    const states = () => puts.map(({ state }) => state === 'resolved')
    expect([states(), queue.size, queue.waiting]).toEqual([[true, true, true, false, false], 2, 2])
    expect(queue.tryPut(6)).toBe(false)
    calls[0]?.resolve()
    await turns()
    expect([states(), queue.size, queue.waiting]).toEqual([[true, true, true, true, false], 2, 1])
    for (let call = 1; call < 5; call += 1) {
      calls[call]?.resolve()
      await turns()
    }
    expect(inputs()).toEqual([1, 2, 3, 4, 5])
  })

  test('putMany takes no further item before there is room', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls } = heldTask<number>()
    const queue = supervisor.workers.queue({ name: 'q', task, capacity: 1 })
    let taken = 0
    const items = (function* () {
      for (let item = 0; item < 10; item += 1) {
        taken += 1
        yield item
      }
    })()
    const all = queue.putMany(items)
    await turns(20)
    expect(taken).toBe(3)
    calls[0]?.resolve()
    await turns(20)
    expect(taken).toBe(4)
    void queue.stop({ wait: false })
    expect(await errorOf(all)).toMatchObject({ code: 'ERR_WORKER_STOPPED', accepted: 3 })
  })

  test('a signal gives up waiting: the item is not accepted', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls, inputs } = heldTask<string>()
    const queue = supervisor.workers.queue({ name: 'q', task, capacity: 1 })
    await queue.putMany(['a', 'b'])
    const controller = new AbortController()
    const given = errorOf(queue.put('c', { signal: controller.signal }))
    const kept = settled(queue.put('d'))
    await turns()
    controller.abort(new Error('no time'))
    expect((await given).message).toBe('no time')
    expect(queue.waiting).toBe(1)
    for (let call = 0; call < 3; call += 1) {
      calls[call]?.resolve()
      await turns()
    }
    expect([inputs(), kept.state]).toEqual([['a', 'b', 'd'], 'resolved'])
    expect((await errorOf(queue.put('e', { signal: controller.signal }))).message).toBe('no time')
  })

  test('resize: more at a time begin at once, more room lets the waiting in, less takes nothing away', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls, inputs } = heldTask<number>()
    const queue = supervisor.workers.queue({ name: 'q', task, capacity: 1 })
    const puts = [1, 2, 3, 4, 5].map((item) => settled(queue.put(item)))
    await turns()
    queue.resize({ concurrency: 2, capacity: 2 })
    await turns()
    expect([inputs(), queue.size, queue.waiting]).toEqual([[1, 2], 2, 1])
    queue.resize({ concurrency: 1, capacity: 1 })
    expect([queue.size, queue.waiting, queue.info().live]).toEqual([2, 1, 2])
    calls[0]?.resolve()
    await turns()
    expect(inputs()).toEqual([1, 2])
    calls[1]?.resolve()
    await turns()
    expect([inputs(), puts[4]?.state]).toEqual([[1, 2, 3], 'pending'])
    expect(thrownBy(() => queue.resize({ concurrency: 0 })).code).toBe('ERR_OPTION_INVALID')
  })

  test('a handler that waits for room lends its slot to what makes room', async () => {
    const { supervisor } = await startedSupervisor(slots(1))
    const seen: number[] = []
    supervisor.workers.queue<number>({ name: 'q', capacity: 1, handler: (item) => void seen.push(item) })
    const producer = taskOf<void>(async (_, ctx) => {
      for (let item = 0; item < 10; item += 1) await ctx.supervisor.put('q', item)
    })
    await supervisor.submit(producer).result
    await turns(20)
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('a run of the queue, or its child, puts without waiting for itself', async () => {
    const { supervisor } = await startedSupervisor()
    const seen: number[] = []
    const child = taskOf<number>((item, ctx) => ctx.supervisor.put('q', item))
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      capacity: 1,
      async handler(item, ctx) {
        seen.push(item)
        if (item > 0) return
        for (const more of [1, 2, 3]) await ctx.supervisor.put('q', more)
        await ctx.submit(child, 4).result
      },
    })
    await queue.run(0)
    await turns(20)
    expect(seen).toEqual([0, 1, 2, 3, 4])
  })
})

describe('a failing run', () => {
  test('backOff: what waits is kept and goes on after the backoff', async () => {
    const { supervisor, clock } = await startedSupervisor({ random: () => 0 })
    const seen: number[] = []
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      onFailure: 'backOff',
      backoff: { kind: 'fixed', initialMs: 1_000, jitter: 'none' },
      handler(item) {
        seen.push(item)
        if (item === 1) throw new Error('one')
      },
    })
    await queue.putMany([1, 2])
    await turns()
    expect([seen, queue.state, queue.size]).toEqual([[1], 'backingOff', 1])
    await clock.advance(999)
    expect(seen).toEqual([1])
    await clock.advance(1)
    expect([seen, queue.state]).toEqual([[1, 2], 'idle'])
  })

  test('fail: the worker is restarted, and its items and putters wait for that', async () => {
    const { supervisor, clock, of } = await startedSupervisor()
    const seen: number[] = []
    const queue: QueueWorker<number, unknown> = supervisor.workers.queue<number>({
      name: 'q',
      capacity: 2,
      onFailure: 'fail',
      handler(item) {
        seen.push(item)
        if (item === 1) throw new Error('one')
      },
    })
    const puts = [1, 2, 3, 4].map((item) => settled(queue.put(item)))
    await turns(10)
    expect([seen, queue.state, queue.size, queue.waiting]).toEqual([[1], 'failed', 2, 1])
    const more = settled(queue.put(5))
    await clock.advance(1_000)
    expect(seen).toEqual([1, 2, 3, 4, 5])
    expect([...puts, more].map(({ state }) => state)).toEqual(Array(5).fill('resolved'))
    expect(of('worker.restarted')).toHaveLength(1)
  })

  test('fail of a temporary worker: putters are told, and stop() hands back what is left', async () => {
    const { supervisor } = await startedSupervisor()
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      capacity: 1,
      onFailure: 'fail',
      restart: 'temporary',
      handler() {
        throw new Error('bad')
      },
    })
    const puts = [1, 2, 3].map((item) => queue.put(item))
    expect(await errorOf(puts[2] as Promise<void>)).toMatchObject({ code: 'ERR_WORKER_STOPPED' })
    expect((await queue.stop()).returned).toEqual([2])
  })

  test('an item that the schema refuses fails alone, and onError hears of it', async () => {
    const { supervisor } = await startedSupervisor()
    const told: unknown[] = []
    const schema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) =>
          value === 2 ? { issues: [{ message: 'no twos' }] } : { value: value as number },
      },
    } as const
    const seen: number[] = []
    const queue = supervisor.workers.queue<number, unknown>({
      name: 'q',
      task: taskOf<number>((item) => void seen.push(item), { schema }) as never,
      onError: (error) => void told.push((error as { code: string }).code),
    })
    const results = [1, 2, 3].map((item) => queue.run(item))
    expect((await errorOf(results[1] as Promise<unknown>)).code).toBe('ERR_INPUT_INVALID')
    await results[2]
    expect([seen, told]).toEqual([[1, 3], ['ERR_INPUT_INVALID']])
  })

  test('onError that throws fails the worker; the other items stay', async () => {
    const { supervisor } = await startedSupervisor()
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      restart: 'temporary',
      handler() {
        throw new Error('bad')
      },
      onError() {
        throw new Error('worse')
      },
    })
    await queue.putMany([1, 2, 3])
    expect(await queue.ended).toMatchObject({ kind: 'failed', error: new Error('worse') })
    expect((await queue.stop()).returned).toEqual([2, 3])
  })
})

describe('a condition', () => {
  test('items wait until it turns true, and begin while it holds', async () => {
    const { supervisor } = await startedSupervisor()
    const gate = taskOf(() => {})
    const seen: number[] = []
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      when: afterTask(gate),
      handler: (item) => void seen.push(item),
    })
    await queue.putMany([1, 2])
    await turns()
    expect([seen, queue.size, queue.state]).toEqual([[], 2, 'idle'])
    await supervisor.submit(gate).result
    await turns(5)
    expect(queue.state).toBe('idle')
    expect([...seen, ...(await queue.stop()).returned]).toEqual([1, 2])
    expect(seen.length).toBeGreaterThan(0)
  })

  test('that never turns true: a stop hands everything back', async () => {
    const { supervisor } = await startedSupervisor()
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      when: afterTask(taskOf(() => {})),
      handler() {},
    })
    await queue.putMany([1, 2])
    await turns()
    expect((await queue.stop()).returned).toEqual([1, 2])
    // Another life asks anew.
    await queue.start()
    await queue.put(3)
    await turns()
    expect((await supervisor.stop()).returned).toEqual({ q: [3] })
  })

  test('a function is asked before each item', async () => {
    const { supervisor, clock } = await startedSupervisor()
    let open = true
    const seen: number[] = []
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      when: () => open,
      handler(item) {
        seen.push(item)
        if (item === 2) open = false
      },
    })
    await queue.putMany([1, 2, 3])
    await turns(5)
    expect([seen, queue.size]).toEqual([[1, 2], 1])
    open = true
    await clock.advance(60_000)
    await turns(5)
    expect([seen, queue.size]).toEqual([[1, 2, 3], 0])
  })
})

describe('bad options', () => {
  const handler = (): void => {}
  test.each([
    [{ concurrency: 0 }, 'concurrency'],
    [{ concurrency: 1.5 }, 'concurrency'],
    [{ capacity: -1 }, 'capacity'],
    [{ onStop: 'drop' }, 'onStop'],
    [{ source: 7 }, 'source'],
    [{ source: 'text' }, 'source'],
    [{ input: 1 }, 'The items are the inputs'],
    [{ intervalMs: 5 }, 'intervalMs'],
  ])('%o', async (options, word) => {
    const { supervisor } = testSupervisor()
    const error = thrownBy(() => supervisor.workers.queue({ name: 'q', handler, ...(options as object) }))
    expect(error.code).toMatch(/^ERR_OPTION_/)
    expect(error.message).toContain(word)
    expect(supervisor.workers.list()).toEqual([])
  })

  test('a task whose runs may be skipped would lose items', () => {
    const { supervisor } = testSupervisor()
    const task = taskOf(handler, { multilaunch: false, onConflict: 'skip' })
    expect(thrownBy(() => supervisor.workers.queue({ name: 'q', task })).message).toContain('skip')
  })

  test('a name is taken once', () => {
    const { supervisor } = testSupervisor()
    const name = freshName()
    supervisor.workers.queue({ name, handler })
    expect(thrownBy(() => supervisor.workers.queue({ name, handler })).code).toBe('ERR_WORKER_NAME_TAKEN')
  })

  test('putMany of something else, put options that do not exist', async () => {
    const { supervisor } = testSupervisor()
    const queue = supervisor.workers.queue({ name: 'q', handler })
    expect((await errorOf(queue.putMany(7 as never))).code).toBe('ERR_OPTION_INVALID')
    expect((await errorOf(queue.put(7, { timeout: 1 } as never))).code).toBe('ERR_OPTION_UNKNOWN')
  })
})
