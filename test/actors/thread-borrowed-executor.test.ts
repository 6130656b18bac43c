import { Piscina } from 'piscina'
import { describe, expect, it, onTestFinished } from 'vitest'
import { BorrowedThreadExecutor } from '../../src/actors/thread-borrowed-executor.ts'
import { describeExecutor } from '../fixtures/executors/contract.ts'
import { resultOf, run } from '../fixtures/executors/harness.ts'

function openPool(options: { maxThreads?: number; concurrentTasksPerWorker?: number } = {}): Piscina {
  const pool = new Piscina({
    minThreads: 0,
    maxThreads: 2,
    idleTimeout: Number.POSITIVE_INFINITY,
    ...options,
  })
  onTestFinished(() => pool.destroy())
  return pool
}

describeExecutor(
  'borrowed threads',
  ({ max = 2 } = {}) => new BorrowedThreadExecutor({ pool: openPool({ maxThreads: max }), logLevel: 'info' }),
)

describe('a pool of the user', () => {
  it('is left alone by close', async () => {
    const pool = openPool()
    const executor = new BorrowedThreadExecutor({ pool, logLevel: 'info' })
    expect(await resultOf(executor, 'add', { a: 1, b: 2 })).toBe(3)
    await executor.close()
    expect(pool.threads).toHaveLength(1)
    expect(executor.live).toBe(1)
  })

  it('may serve two executors', async () => {
    const pool = openPool({ maxThreads: 1 })
    const one = new BorrowedThreadExecutor({ pool, logLevel: 'info' })
    expect(await resultOf(one, 'returns', 'large')).toBeDefined()
    const two = new BorrowedThreadExecutor({ pool, logLevel: 'info' })
    const heard = run(two, 'waits')
    await heard.started
    heard.handle.signal(new Error('seen'))
    expect(await heard.settled).toMatchObject({ value: { message: 'seen' } })
  })

  it('with several jobs per thread, a kill ends only its own', async () => {
    const pool = openPool({ maxThreads: 2, concurrentTasksPerWorker: 4 })
    const executor = new BorrowedThreadExecutor({ pool, logLevel: 'info' })
    const [victim, neighbour] = [run(executor, 'endless'), run(executor, 'waits')]
    await Promise.all([victim.progressed, neighbour.started])
    victim.handle.kill()
    expect(await victim.settled).toMatchObject({ type: 'crashed' })
    neighbour.handle.signal(new Error('end'))
    expect(await neighbour.settled).toMatchObject({ type: 'returned' })
  })
})
