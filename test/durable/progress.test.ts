/** How far a stored task is. */
import { describe, expect, test } from 'vitest'
import { defineTask } from '../../src/index.ts'
import { deferred, errorOf } from '../support/harness.ts'
import { records, startedDaemon } from './daemon-kit.ts'

describe('progress of a stored task', () => {
  test('is what percent() says of its input, from the moment it begins', async () => {
    const gate = deferred<void>()
    const countdown = defineTask(
      { name: 'countdown', percent: ({ left, of }: { left: number; of: number }) => (1 - left / of) * 100 },
      async ({ left, of }, ctx): Promise<unknown> => {
        if (left > 1) return ctx.next(countdown.call({ left: left - 1, of }))
        await gate.promise
        return 'done'
      },
    )
    const { queue, store } = await startedDaemon([countdown])
    const { id } = await queue.enqueue(countdown, { left: 4, of: 4 })
    // Three of four are made, the last one is under way: not one step behind.
    await records(store, [id], ({ step, state }) => step === 3 && state === 'running')
    expect(await queue.get(id)).toMatchObject({ progress: { percent: 75 } })
    gate.resolve()
    expect(await queue.wait(id)).toBe('done')
  })

  test('is clamped, with a note, and a percent() that throws harms nothing', async () => {
    const gate = deferred<void>()
    const wild = defineTask(
      { name: 'wild', percent: (percent: number) => percent },
      async (_percent: number, ctx) => {
        ctx.progress(250, 'bey\0nd')
        await gate.promise
      },
    )
    const broken = defineTask(
      {
        name: 'broken',
        percent: () => {
          throw new Error('no percent')
        },
      },
      () => 'well',
    )
    const { queue, store, lines } = await startedDaemon([wild, broken])
    const { id } = await queue.enqueue(wild, -20)
    await records(store, [id], ({ percent }) => percent === 100)
    expect(await queue.get(id)).toMatchObject({ progress: { percent: 100, note: 'bey\ufffdnd' } })
    gate.resolve()
    await queue.wait(id)
    expect(await queue.wait(await queue.enqueue(broken))).toBe('well')
    expect(lines.map(({ msg }) => msg)).toContain('percent() threw')
  })

  test('is 100 when it has finished, and stays where it was when it ends otherwise', async () => {
    const half = defineTask({ name: 'half', percent: () => 50 }, (isBroken: boolean) => {
      if (isBroken) throw new Error('half done')
    })
    const { queue } = await startedDaemon([half])
    const [good, bad] = await queue.enqueueMany([half.call(false), half.call(true)])
    await queue.wait(good as never)
    await errorOf(queue.wait(bad as never))
    expect((await queue.get(good as never))?.progress).toMatchObject({ percent: 100 })
    expect((await queue.get(bad as never))?.progress).toMatchObject({ percent: 50 })
  })
})
