import { describe, expect, test } from 'vitest'
import { waitAll } from '../../src/index.ts'
import {
  echoTask,
  errorOf,
  heldTask,
  startedSupervisor,
  taskOf,
  testSupervisor,
  turns,
} from '../support/harness.ts'

describe('run.result', () => {
  test('is handled already: a failure that nobody awaits is no unhandled rejection', async () => {
    const { supervisor, of } = await startedSupervisor()
    const ignored = supervisor.submit(taskOf(() => Promise.reject(new Error('ignored'))))
    const touched = supervisor.submit(taskOf(() => Promise.reject(new Error('touched'))))
    void touched.result
    // The leak check reports unhandled rejections.
    await turns(5)
    expect([ignored.state, touched.state, of('task.failed').length]).toEqual(['failed', 'failed', 2])
  })

  test('is one promise, and may be read first when the run has ended long ago', async () => {
    const { supervisor } = await startedSupervisor()
    const run = supervisor.submit(echoTask<number>(), 1)
    await turns(2)
    expect(run.state).toBe('finished')
    expect(run.result).toBe(run.result)
    await expect(run.result).resolves.toBe(1)
    await expect(supervisor.get(run.id)!.result).resolves.toBe(1)
  })

  test('resolves with whatever the handler returns, undefined and functions included', async () => {
    const { supervisor } = await startedSupervisor()
    const fn = (): number => 1
    expect(await supervisor.submit(taskOf(() => undefined)).result).toBeUndefined()
    expect(await supervisor.submit(taskOf<void, unknown>(() => fn)).result).toBe(fn)
    expect(await supervisor.submit(taskOf(async () => null)).result).toBeNull()
  })
})

describe('run.wait', () => {
  test('0 looks now: rejects for a live run, gives the result of an ended one', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls } = heldTask()
    const run = supervisor.submit(task)
    expect(await errorOf(run.wait(0))).toMatchObject({
      name: 'WaitTimeoutError',
      code: 'ERR_WAIT_TIMED_OUT',
      runId: run.id,
    })
    await turns()
    calls[0]!.resolve('v')
    await turns()
    await expect(run.wait(0)).resolves.toBe('v')
    const failed = supervisor.submit(taskOf(() => Promise.reject(new Error('x'))))
    await turns(2)
    expect(await errorOf(failed.wait(0))).toMatchObject({ code: 'ERR_TASK_THREW' })
  })

  test('rejects after its bound, the run goes on, and no timer is left', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const { task, calls } = heldTask()
    const run = supervisor.submit(task)
    const bounded = errorOf(run.wait(100))
    const longer = run.wait(1_000)
    await clock.advance(100)
    expect(await bounded).toMatchObject({ code: 'ERR_WAIT_TIMED_OUT' })
    expect(run.state).toBe('running')
    calls[0]!.resolve('v')
    await expect(longer).resolves.toBe('v')
    await expect(run.wait()).resolves.toBe('v')
    await turns()
    expect(clock.pending).toBe(0)
  })

  test.each([[-1], [Number.NaN], ['5']])('refuses %j', async (timeoutMs) => {
    const { supervisor } = testSupervisor()
    const run = supervisor.submit(echoTask())
    expect(await errorOf(Promise.resolve().then(() => run.wait(timeoutMs as number)))).toMatchObject({
      code: 'ERR_OPTION_INVALID',
    })
  })
})

describe('waitAll', () => {
  test('gives all results in order, or the first error, or its timeout', async () => {
    const { supervisor, clock } = await startedSupervisor()
    const task = echoTask<number>()
    await expect(waitAll([1, 2, 3].map((input) => supervisor.submit(task, input)))).resolves.toEqual([
      1, 2, 3,
    ])
    const held = supervisor.submit(heldTask().task)
    const bad = supervisor.submit(taskOf(() => Promise.reject(new Error('x'))))
    expect(await errorOf(waitAll([held, bad]))).toMatchObject({ code: 'ERR_TASK_THREW' })
    expect(await errorOf(waitAll([held], 0))).toMatchObject({ code: 'ERR_WAIT_TIMED_OUT' })
    const late = errorOf(waitAll([held, held], 50))
    await clock.advance(50)
    expect(await late).toMatchObject({ code: 'ERR_WAIT_TIMED_OUT' })
    expect(held.state).toBe('running')
    await expect(waitAll([])).resolves.toEqual([])
    expect(await errorOf(waitAll([], -1))).toMatchObject({ code: 'ERR_OPTION_INVALID' })
  })
})

describe('progress', () => {
  test('is clamped to 0..100, the latest value stays on the run', async () => {
    const { supervisor, of } = await startedSupervisor()
    const { task, calls } = heldTask()
    const run = supervisor.submit(task)
    await turns()
    const { ctx } = calls[0]!
    for (const percent of [-5, 50, 1_000, Number.NaN, Infinity]) ctx.progress(percent)
    ctx.progress('33' as never, 'a third')
    expect(of('task.progress').map(({ percent }) => percent)).toEqual([0, 50, 100, 0, 100, 33])
    expect(of('task.progress').at(-1)).toMatchObject({ runId: run.id, note: 'a third', attempt: 1 })
    expect(run.progressed).toEqual({ percent: 33, note: 'a third' })
  })

  test('iterates: a slow reader gets the latest, several readers get all, and it ends with the run', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls } = heldTask()
    const run = supervisor.submit(task)
    const slow = run.progress()
    const read: number[] = []
    const reading = (async () => {
      for await (const { percent } of run.progress()) read.push(percent)
    })()
    await turns()
    calls[0]!.ctx.progress(10)
    await turns()
    calls[0]!.ctx.progress(20)
    await turns()
    expect((await slow.next()).value).toEqual({ percent: 20, note: undefined })
    const pending = slow.next()
    calls[0]!.resolve()
    expect(await pending).toEqual({ value: undefined, done: true })
    await reading
    expect(read).toEqual([10, 20])
    expect(await run.progress().next()).toMatchObject({ done: true })
  })

  test('ends for a reader that leaves', async () => {
    const { supervisor } = await startedSupervisor()
    const { task, calls } = heldTask()
    const run = supervisor.submit(task)
    await turns()
    const stream = run.progress()
    const waiting = stream.next()
    await stream.return?.()
    expect(await waiting).toMatchObject({ done: true })
    calls[0]!.ctx.progress(10)
    expect(await stream.next()).toMatchObject({ done: true })
  })
})
