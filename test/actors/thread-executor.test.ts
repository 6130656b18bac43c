import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ThreadExecutor, type ThreadExecutorOptions } from '../../src/actors/thread-executor.ts'
import { errorOf, resultOf, run } from '../fixtures/executors/harness.ts'
import { once } from '../support/once.ts'

function open(options: Partial<ThreadExecutorOptions> = {}): ThreadExecutor {
  const executor = new ThreadExecutor({ min: 0, max: 2, idleTimeoutMs: 60_000, logLevel: 'info', ...options })
  onTestFinished(() => executor.close())
  return executor
}

describe('stopping', () => {
  it('a synchronous loop sees the stop through ctx.aborted, and the signal with it', async () => {
    const heard = run(open(), 'spins')
    await heard.progressed
    heard.handle.signal(new Error('enough'))
    expect(await heard.settled).toEqual({ type: 'returned', value: 'enough' })
  })

  it('terminate is kill', async () => {
    const heard = run(open(), 'endless')
    await heard.progressed
    heard.handle.terminate()
    expect(await heard.settled).toMatchObject({ type: 'crashed', error: { code: 'ERR_THREAD_EXITED' } })
  })
})

describe('deaths', () => {
  it('a thread out of memory is a crash', async () => {
    const executor = open({ resourceLimits: { maxOldGenerationSizeMb: 24 } })
    const error = await errorOf(executor, 'crashed', 'eatsMemory')
    expect(error.cause).toMatchObject({ code: 'ERR_WORKER_OUT_OF_MEMORY' })
  })

  it('a thread that cannot start fails its job and warm, and is not tried again by itself', async () => {
    const executor = open({
      min: 1,
      resourceLimits: { maxOldGenerationSizeMb: 4 },
    })
    expect(await errorOf(executor, 'crashed', 'add')).toMatchObject({ code: 'ERR_THREAD_START_FAILED' })
    await expect(executor.warm()).rejects.toMatchObject({ code: 'ERR_THREAD_START_FAILED' })
    expect(executor.live).toBe(0)
  })
})

describe('size', () => {
  it('uses a thread again', async () => {
    const executor = open()
    const first = await resultOf(executor, 'where')
    expect(await resultOf(executor, 'where')).toEqual(first)
    expect([executor.live, executor.idle]).toEqual([1, 1])
  })

  it('gives a job to a thread that has its module', async () => {
    const executor = open({ max: 2 })
    const holder = run(executor, 'waits')
    await holder.started
    const module = new URL('../fixtures/executors/loading-module.ts', import.meta.url).href
    await resultOf(executor, 'loading', undefined, { module })
    const loaded = await resultOf(executor, 'where')
    holder.handle.signal(new Error('end'))
    await holder.settled
    // The holder's thread worked last, but only the other one has loaded `where`.
    expect(await resultOf(executor, 'where')).toEqual(loaded)
  })

  it('retires what is idle for too long, down to min', async () => {
    const executor = open({ min: 1, max: 3, idleTimeoutMs: 1 })
    await Promise.all([run(executor, 'where').settled, run(executor, 'where').settled])
    await expect.poll(() => executor.live).toBe(1)
    expect(await resultOf(executor, 'add', { a: 1, b: 1 })).toBe(2)
  })

  it('shrinks also what is just starting', async () => {
    const executor = open({ min: 3, max: 3 })
    const warm = executor.warm()
    expect(executor.live).toBe(3)
    executor.resize({ min: 1, max: 1 })
    await warm
    await expect.poll(() => executor.live).toBe(1)
  })

  it('warms min, grows and shrinks', async () => {
    const executor = open({ min: 2, max: 2 })
    await executor.warm()
    expect([executor.live, executor.idle]).toEqual([2, 2])
    executor.resize({ min: 4, max: 4 })
    await executor.warm()
    expect([executor.live, executor.idle]).toEqual([4, 4])
    const busy = run(executor, 'waits')
    await busy.started
    executor.resize({ min: 0, max: 1 })
    await expect.poll(() => executor.live).toBe(1)
    busy.handle.signal(new Error('end'))
    expect(await busy.settled).toMatchObject({ type: 'returned' })
    expect(executor.live).toBe(1)
  })

  it('a busy thread beyond a shrunk max ends with its job', async () => {
    const executor = open({ max: 2 })
    const busy = [run(executor, 'waits'), run(executor, 'waits')]
    await Promise.all(busy.map((it) => it.started))
    executor.resize({ min: 0, max: 1 })
    expect(executor.live).toBe(2)
    for (const it of busy) it.handle.signal(new Error('end'))
    for (const it of busy) expect(await it.settled).toMatchObject({ type: 'returned' })
    await expect.poll(() => executor.live).toBe(1)
  })

  it('starts as many threads as jobs wait, and no more', async () => {
    const executor = open({ max: 16 })
    const busy = Array.from({ length: 3 }, () => run(executor, 'waits'))
    await Promise.all(busy.map((it) => it.started))
    expect(executor.live).toBe(3)
    for (const it of busy) it.handle.signal(new Error('end'))
    await Promise.all(busy.map((it) => it.settled))
    expect([executor.live, executor.idle]).toEqual([3, 3])
  })

  it('a job that waits for a thread that is coming down gets the next', async () => {
    const executor = open({ max: 1 })
    const heard = run(executor, 'endless')
    await heard.progressed
    heard.handle.kill()
    expect(await resultOf(executor, 'add', { a: 1, b: 1 })).toBe(2)
    expect(executor.live).toBe(1)
  })
})

it('idle threads do not keep the process alive', async () => {
  const file = fileURLToPath(new URL('../fixtures/executors/parent.ts', import.meta.url))
  const parent = spawn(process.execPath, [file, 'thread', 'idle'], { stdio: ['ignore', 'ignore', 'inherit'] })
  expect(await once(parent, 'close')).toBe(0)
})
