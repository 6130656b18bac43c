/** How a queue worker ends: drained or handed back, at every moment; nothing is lost and nobody is left waiting. */
import { describe, expect, test } from 'vitest'
import { condition } from '../../../src/index.ts'
import {
  deferred,
  errorOf,
  heldTask,
  slots,
  startedSupervisor,
  taskOf,
  testSupervisor,
  turns,
} from '../../support/harness.ts'

describe('stop()', () => {
  test("'drain' works off what was accepted and refuses the rest", async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls, inputs } = heldTask<number>()
    const queue = supervisor.workers.queue({ name: 'q', task, capacity: 2 })
    await queue.putMany([1, 2, 3])
    const late = errorOf(queue.put(4))
    const stopped = queue.stop()
    expect(await late).toMatchObject({ code: 'ERR_WORKER_STOPPED', worker: 'q' })
    expect((await errorOf(queue.put(5))).code).toBe('ERR_WORKER_STOPPED')
    expect((await errorOf(queue.run(5))).code).toBe('ERR_WORKER_STOPPED')
    for (let call = 0; call < 3; call += 1) {
      await turns()
      expect(queue.state).toBe('stopping')
      calls[call]?.resolve()
    }
    expect(await stopped).toEqual({ kind: 'stopped', returned: [] })
    expect(inputs()).toEqual([1, 2, 3])
  })

  test("'return' lets the live run end and hands back the rest; run() hears of it", async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls, inputs } = heldTask<number>()
    const queue = supervisor.workers.queue({ name: 'q', task, onStop: 'return' })
    await queue.putMany([1, 2])
    const third = errorOf(queue.run(3))
    await turns()
    const stopped = queue.stop()
    await turns()
    calls[0]?.resolve()
    expect(await stopped).toEqual({ kind: 'stopped', returned: [2, 3] })
    expect(await third).toMatchObject({ code: 'ERR_ITEM_RETURNED', worker: 'q' })
    expect(inputs()).toEqual([1])
  })

  test('each item is handed back once, and the next life begins empty', async () => {
    const { supervisor } = await startedSupervisor()
    const seen: number[] = []
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      onStop: 'return',
      handler: (item) => void seen.push(item),
    })
    queue.pause()
    await queue.putMany([1, 2])
    const [one, two] = await Promise.all([queue.stop(), queue.stop()])
    expect([...one.returned, ...two.returned]).toEqual([1, 2])
    expect((await queue.stop()).returned).toEqual([])
    await queue.start()
    await queue.run(3)
    expect(seen).toEqual([3])
  })

  test.each(['drain', 'return'] as const)("'%s' of a paused worker", async (onStop) => {
    const { supervisor } = await startedSupervisor()
    const seen: number[] = []
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      onStop,
      handler: (item) => void seen.push(item),
    })
    queue.pause()
    await queue.putMany([1, 2])
    const { returned } = await queue.stop()
    expect([seen, returned]).toEqual(onStop === 'drain' ? [[1, 2], []] : [[], [1, 2]])
  })

  test('that backs off: draining does not wait for the backoff', async () => {
    const { supervisor } = await startedSupervisor()
    const seen: number[] = []
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      onFailure: 'backOff',
      handler(item) {
        seen.push(item)
        throw new Error('bad')
      },
    })
    await queue.putMany([1, 2, 3])
    await turns()
    expect(queue.state).toBe('backingOff')
    expect((await queue.stop()).returned).toEqual([])
    expect(seen).toEqual([1, 2, 3])
  })

  test('before the first start hands back what was put', async () => {
    const { supervisor } = testSupervisor()
    const queue = supervisor.workers.queue<number>({ name: 'q', capacity: 1, handler() {} })
    await queue.put(1)
    const waits = errorOf(queue.put(2))
    expect((await queue.stop()).returned).toEqual([1])
    expect((await waits).code).toBe('ERR_WORKER_STOPPED')
    expect((await errorOf(queue.put(3))).code).toBe('ERR_WORKER_STOPPED')
  })

  test('with a bound gives up draining, ends the live run and hands back the rest', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task } = heldTask<number>()
    const queue = supervisor.workers.queue({ name: 'q', task })
    await queue.putMany([1, 2, 3])
    await turns()
    const stopped = queue.stop({ wait: 100 })
    await clock.advance(100)
    expect((await stopped).returned).toEqual([2, 3])
  })

  test('while the worker waits for its restart hands back what is left', async () => {
    const { supervisor } = await startedSupervisor()
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      onFailure: 'fail',
      capacity: 1,
      handler() {
        throw new Error('bad')
      },
    })
    await queue.putMany([1, 2])
    const waits = errorOf(queue.put(3))
    await turns(10)
    expect(queue.state).toBe('failed')
    expect((await queue.stop()).returned).toEqual([2])
    expect((await waits).code).toBe('ERR_WORKER_STOPPED')
  })

  test('the hook beforeStop is under way: nothing begins until it has ended, then it drains', async () => {
    const { supervisor } = await startedSupervisor()
    const hook = deferred<void>()
    const { task, calls, inputs } = heldTask<number>()
    const queue = supervisor.workers.queue({ name: 'q', task, hooks: { beforeStop: () => hook.promise } })
    await queue.putMany([1, 2])
    await turns()
    const stopped = queue.stop()
    calls[0]?.resolve()
    await turns()
    expect(inputs()).toEqual([1])
    hook.resolve()
    await turns()
    expect(inputs()).toEqual([1, 2])
    calls[1]?.resolve()
    expect((await stopped).returned).toEqual([])
  })

  test('restart() keeps nothing back: it drains first', async () => {
    const { supervisor } = await startedSupervisor()
    const seen: number[] = []
    const queue = supervisor.workers.queue<number>({ name: 'q', handler: (item) => void seen.push(item) })
    await queue.putMany([1, 2])
    await queue.restart()
    expect(seen).toEqual([1, 2])
    await queue.run(3)
    expect(seen).toEqual([1, 2, 3])
  })
})

describe('remove()', () => {
  test('resolves with what is handed back, also of a worker that is done', async () => {
    const { supervisor } = await startedSupervisor()
    const kept = supervisor.workers.queue<number>({ name: 'kept', onStop: 'return', handler() {} })
    kept.pause()
    await kept.putMany([1, 2])
    expect(await supervisor.workers.remove('kept')).toEqual([1, 2])
    expect(supervisor.workers.get('kept')).toBeUndefined()
    expect((await errorOf(kept.put(3))).code).toBe('ERR_WORKER_STOPPED')
    const done = supervisor.workers.queue<number>({ name: 'done', times: 1, handler() {} })
    await done.putMany([1, 2])
    await done.ended
    expect(await supervisor.workers.remove('done')).toEqual([2])
  })
})

describe('supervisor.stop()', () => {
  test('drains by submitting, within its bound', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const seen: number[] = []
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      async handler(item) {
        const end = deferred<void>()
        clock.setTimeout(() => end.resolve(), 100)
        await end.promise
        seen.push(item)
      },
    })
    await queue.putMany([1, 2, 3])
    const stopped = supervisor.stop()
    await clock.advance(300)
    expect((await stopped).returned).toEqual({})
    expect(seen).toEqual([1, 2, 3])
  })

  test('at the signal instant what is not worked off is handed back, in the report', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task, inputs } = heldTask<number>()
    const queue = supervisor.workers.queue({ name: 'q', task })
    await queue.putMany([1, 2, 3])
    await turns()
    const stopped = supervisor.stop({ wait: 1_000, graceMs: 100 })
    await clock.advance(899)
    expect(queue.state).toBe('stopping')
    await clock.advance(101)
    const report = await stopped
    expect(report.returned).toEqual({ q: [2, 3] })
    expect(inputs()).toEqual([1])
    // The report is where they went.
    expect((await queue.stop()).returned).toEqual([])
  })

  test.each([
    ['now', { wait: false } as const],
    ['with cancelTasks', { cancelTasks: true } as const],
  ])('%s: nothing that had not begun is lost', async (_, options) => {
    const { supervisor, stop } = await startedSupervisor(slots(1))
    const { task } = heldTask<number>()
    const queue = supervisor.workers.queue({ name: 'q', task, concurrency: 3 })
    await queue.putMany([1, 2, 3, 4, 5])
    await turns()
    // One has begun, two wait for a slot, two in the queue.
    const report = supervisor.stop(options)
    await stop(options)
    expect([...(((await report).returned.q ?? []) as number[])].sort()).toEqual([2, 3, 4, 5])
  })

  test('never started, done, and waiting for a restart: all hand back in the report', async () => {
    const { supervisor } = await startedSupervisor()
    const handler = (): void => {}
    const never = supervisor.workers.queue<number>({ name: 'never', start: false, handler })
    await never.put(1)
    const done = supervisor.workers.queue<number>({ name: 'done', times: 1, handler })
    await done.putMany([1, 2])
    await done.ended
    const failing = supervisor.workers.queue<number>({
      name: 'failing',
      onFailure: 'fail',
      handler() {
        throw new Error('bad')
      },
    })
    await failing.putMany([1, 2, 3])
    await turns(10)
    expect((await supervisor.stop()).returned).toEqual({ never: [1], done: [2], failing: [2, 3] })
  })

  test('of one that was never started hands back, too', async () => {
    const { supervisor } = testSupervisor()
    await supervisor.workers.queue<number>({ name: 'q', handler() {} }).putMany([1, 2])
    expect((await supervisor.stop({ wait: false })).returned).toEqual({ q: [1, 2] })
  })

  test('a start after it works on', async () => {
    const { supervisor } = await startedSupervisor()
    const seen: number[] = []
    const queue = supervisor.workers.queue<number>({ name: 'q', handler: (item) => void seen.push(item) })
    await queue.run(1)
    await supervisor.stop()
    expect((await errorOf(queue.put(2))).code).toBe('ERR_WORKER_STOPPED')
    await supervisor.start()
    await queue.run(3)
    expect(seen).toEqual([1, 3])
  })

  test('meets a stop() of the worker: whoever called that has what is handed back, the report has not', async () => {
    const { supervisor, stop } = await startedSupervisor()
    const queue = supervisor.workers.queue({ name: 'q', task: heldTask<number>().task, onStop: 'return' })
    for (const item of [1, 2, 3]) await queue.put(item)
    await turns()
    const exit = queue.stop()
    const report = supervisor.stop({ wait: false })
    await stop()
    expect((await exit).returned).toEqual([2, 3])
    expect((await report).returned).toEqual({})
  })

  test('a killed run of a deaf handler: its item has begun and is not handed back', async () => {
    const { supervisor, stop } = await startedSupervisor()
    const { task } = heldTask<number>({ deaf: true })
    const queue = supervisor.workers.queue({ name: 'q', task })
    const first = errorOf(queue.run(1))
    await queue.put(2)
    await turns()
    const report = supervisor.stop({ wait: false })
    await stop()
    expect((await report).returned).toEqual({ q: [2] })
    expect((await first).code).toBe('ERR_TASK_TERMINATED')
  })
})

describe('a worker that has ended for good', () => {
  const ends = {
    'by a failure, temporary': { restart: 'temporary', onFailure: 'fail', fails: true },
    'by a failure that nobody follows': { restart: 'transient', onFailure: 'fail', fails: true },
    'by false': { restart: 'transient', onFailure: 'continue', fails: false },
    'by false, temporary': { restart: 'temporary', onFailure: 'continue', fails: false },
  } as const

  test.each(Object.entries(ends))('%s: hands back what waits at once, whoever looks', async (how, end) => {
    const { restart, onFailure, fails } = end
    const { supervisor, clock } = await startedSupervisor({ supervision: { intensity: 0 } })
    supervisor.closed.catch(() => {})
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      restart,
      onFailure,
      capacity: 3,
      handler() {
        if (fails) throw new Error('bad')
        return false
      },
    })
    const runs = [1, 2, 3].map((item) => queue.run(item))
    const late = [4, 5].map((item) => errorOf(queue.run(item)))
    const first = runs[0]!.catch((error) => error.code)
    const others = Promise.all(runs.slice(1).map(errorOf))
    expect(await first).toBe(fails ? 'ERR_TASK_THREW' : false)
    const returned =
      restart === 'temporary' || !fails ? ['ERR_ITEM_RETURNED', 'ERR_ITEM_RETURNED'] : undefined
    if (returned !== undefined) expect((await others).map(({ code }) => code)).toEqual(returned)
    await turns()
    supervisor.workers.list()
    supervisor.workers.get('q')
    await clock.advance(0)
    const report = await supervisor.stop({ wait: false })
    expect([how, report.returned]).toEqual([how, { q: [2, 3, 4] }])
    expect((await others).map(({ code }) => code)).toEqual(['ERR_ITEM_RETURNED', 'ERR_ITEM_RETURNED'])
    expect((await Promise.all(late)).map(({ code }) => code)).toEqual([
      'ERR_ITEM_RETURNED',
      'ERR_WORKER_STOPPED',
    ])
    expect(queue.size).toBe(0)
  })

  test('and is not listed any more hands back to whoever stops it, once, or into the report', async () => {
    const { supervisor } = await startedSupervisor()
    const make = () =>
      supervisor.workers.queue<number>({ name: 'q', restart: 'temporary', handler: () => false })
    const first = make()
    await first.putMany([1, 2])
    await first.ended
    const another = make()
    await another.putMany([3, 4])
    await another.ended
    const third = make()
    expect((await first.stop()).returned).toEqual([2])
    expect((await first.stop()).returned).toEqual([])
    expect(third.size).toBe(0)
    expect((await supervisor.stop({ wait: false })).returned).toEqual({ q: [4] })
  })

  test.each(['stop', 'remove'] as const)('by child.%s(): the report has what was left', async (call) => {
    const { supervisor } = await startedSupervisor()
    const queue = supervisor.workers.queue({ name: 'q', task: heldTask<number>().task, onStop: 'return' })
    await queue.put(1)
    const second = errorOf(queue.run(2))
    await turns()
    const ended = supervisor.child('q')?.[call]()
    await turns()
    expect(queue.state).toBe('stopping')
    for (const run of supervisor.list({ state: 'running' })) run.cancel()
    await ended
    expect((await second).code).toBe('ERR_ITEM_RETURNED')
    expect(supervisor.workers.list()).toHaveLength(call === 'stop' ? 1 : 0)
    expect((await supervisor.stop({ wait: false })).returned).toEqual({ q: [2] })
  })

  test('or was stopped before it was started: run() hears of it', async () => {
    const { supervisor } = testSupervisor()
    const queue = supervisor.workers.queue<number>({ name: 'q', handler() {} })
    const run = errorOf(queue.run(1))
    const child = supervisor.child('q')
    const ended = child?.ended
    await child?.stop()
    expect((await run).code).toBe('ERR_ITEM_RETURNED')
    expect(await ended).toEqual({ kind: 'stopped' })
    expect((await queue.stop()).returned).toEqual([1])
  })
})

test('storm: whatever is put is run once or handed back, whoever waits hears', async () => {
  for (let round = 0; round < 50; round += 1) {
    const { supervisor } = await startedSupervisor(slots(2))
    const seen: number[] = []
    const task = taskOf<number>(async (item) => {
      seen.push(item)
      await Promise.resolve()
      if (item % 7 === 0) throw new Error('seven')
    })
    const queue = supervisor.workers.queue({
      name: 'q',
      task,
      capacity: 1 + (round % 5),
      concurrency: 1 + (round % 3),
      onStop: round % 2 === 0 ? 'drain' : 'return',
      onFailure: round % 3 === 0 ? 'fail' : 'continue',
    })
    const accepted: number[] = []
    const refused: number[] = []
    const returned: number[] = []
    const sides = Array.from({ length: 10 }, async (_, side) => {
      for (let i = 0; i < 10; i += 1) {
        const item = side * 10 + i
        await queue.put(item).then(
          () => void accepted.push(item),
          () => void refused.push(item),
        )
        if ((item + round) % 23 === 0) returned.push(...(await queue.stop({ wait: false })).returned)
        if ((item + round) % 11 === 0) await queue.start()
      }
    })
    for (let turn = 0; turn < 60; turn += 1) {
      await turns(5)
      if (queue.state === 'failed') await queue.start()
    }
    const report = await supervisor.stop({ wait: false })
    await Promise.all(sides)
    returned.push(...((report.returned.q ?? []) as number[]), ...(await queue.stop()).returned)
    expect(accepted.length + refused.length).toBe(100)
    expect([...seen, ...returned].sort((a, b) => a - b)).toEqual(accepted.sort((a, b) => a - b))
  }
})

test('a supervisor that gives up hands back what its queues had not begun, whatever was live', async () => {
  for (const live of [true, false]) {
    for (const onStop of ['drain', 'return'] as const) {
      const { supervisor, clock } = await startedSupervisor({
        ...slots(4),
        supervision: { intensity: 0 },
        defaults: { graceMs: 50 },
      })
      const closed = supervisor.closed.catch(() => 'failed')
      const { task, calls } = heldTask<number>()
      const mails = supervisor.workers.queue<number>({ name: 'mails', task, onStop })
      if (!live) mails.pause()
      await mails.putMany([1, 2, 3, 4, 5])
      await turns()
      expect(calls.length).toBe(Number(live))
      supervisor.workers.plain({
        name: 'bad',
        restart: 'permanent',
        onFailure: 'fail',
        handler() {
          throw new Error('bad')
        },
      })
      await clock.advance(30_000)
      expect([await closed, supervisor.state]).toEqual(['failed', 'failed'])
      const waiting = live ? [2, 3, 4, 5] : [1, 2, 3, 4, 5]
      expect((await supervisor.stop({ wait: false })).returned).toEqual({ mails: waiting })
      expect(mails.size).toBe(0)
      expect(await supervisor.workers.remove('mails')).toEqual([])
    }
  }
})

test('a disabled definition is run for no item: they wait, and a stop hands them back', async () => {
  for (const onStop of ['drain', 'return'] as const) {
    const { supervisor, of } = await startedSupervisor()
    const { task, calls } = heldTask<number>({ disabled: true })
    const queue = supervisor.workers.queue<number>({ name: 'q', task, onStop, when: condition(() => true) })
    await queue.putMany([1, 2])
    const third = errorOf(queue.run(3))
    await turns()
    expect([calls.length, queue.size, queue.state]).toEqual([0, 3, 'idle'])
    expect(of('worker.skipped')).toMatchObject([{ reason: 'disabled' }])
    // By hand it runs.
    const run = supervisor.submit(task, 4)
    await turns()
    calls[0]?.resolve()
    await run.result
    expect(await queue.stop()).toEqual({ kind: 'stopped', returned: [1, 2, 3] })
    expect(await third).toMatchObject({ code: 'ERR_ITEM_RETURNED' })
    expect(calls).toHaveLength(1)
  }
})

test('a disabled definition takes from a source no more than there is room for', async () => {
  const { supervisor } = await startedSupervisor()
  const { task, calls } = heldTask<number>({ disabled: true })
  let given = 0
  function* endless(): Generator<number> {
    while (given < 100) yield ++given
  }
  const queue = supervisor.workers.queue<number>({ name: 'q', task, source: endless(), capacity: 3 })
  await turns()
  expect([calls.length, queue.size, given]).toEqual([0, 3, 3])
  expect((await queue.stop()).returned).toEqual([1, 2, 3])
})

test.each([1, 2, 3])(
  'a condition that stops the whole the %d. time it is asked is asked no more',
  async (at) => {
    const { supervisor } = await startedSupervisor()
    let asked = 0
    const done: number[] = []
    const queue = supervisor.workers.queue<number>({
      name: 'q',
      handler: (item) => void done.push(item),
      when() {
        asked += 1
        if (asked === at) void supervisor.stop({ wait: false })
        return asked < 1_000
      },
    })
    await queue.putMany([1, 2, 3, 4, 5]).catch(() => {})
    await turns(2)
    const { returned } = await supervisor.stop({ wait: false })
    expect([asked, done.length, supervisor.state]).toEqual([at, at - 1, 'stopped'])
    expect(returned.q).toEqual(at === 1 ? [1] : [1, 2, 3, 4, 5].slice(at - 1))
  },
)
