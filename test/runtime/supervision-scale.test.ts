/** Many children, many starts and stops at once. */
import { describe, expect, test } from 'vitest'
import { setup } from 'xstate'
import { createSupervisor } from '../../src/index.ts'
import { cpuTime } from '../support/cpu-time.ts'
import { errorOf, memoryLogger, startedSupervisor, testSupervisor, turns } from '../support/harness.ts'
import { puppet } from '../support/puppet.ts'

/** A machine with a timer of its own, as most long-lived ones have. */
const beating = setup({}).createMachine({
  initial: 'up',
  states: {
    up: {
      after: { 60000: { target: 'up', reenter: true } },
      on: { 'child.stop': 'over', 'child.fail': 'bad' },
    },
    bad: {
      entry: () => {
        throw new Error('bad')
      },
    },
    over: { type: 'final' },
  },
})

const timed = async (act: () => unknown): Promise<number> => {
  const begun = cpuTime()
  await act()
  return cpuTime() - begun
}

describe('10,000 children that use after', () => {
  test('are spawned, listed, restarted, stopped, started again and killed, in time that grows with their number', async () => {
    const cycle = async (count: number): Promise<number> => {
      const { supervisor, stop, clock } = await startedSupervisor({
        supervision: { intensity: count, periodMs: 60_000 },
        random: () => 0,
      })
      const took = await timed(async () => {
        const children = Array.from({ length: count }, (_, i) => supervisor.spawn(beating, { id: `c${i}` }))
        expect(supervisor.count()).toEqual({ specs: count, active: count, kinds: { actor: count } })
        for (const child of children) child.actor!.send({ type: 'child.fail' })
        expect(supervisor.count().active).toBe(0)
        await clock.advance(50)
        expect(supervisor.which().every(({ state, restarts }) => state === 'running' && restarts === 1)).toBe(
          true,
        )
        await stop({ wait: true })
        await supervisor.start()
        expect(supervisor.count().active).toBe(count)
        await stop({ wait: false })
      })
      expect(clock.pending).toBe(0)
      return took / count
    }
    await cycle(500)
    const few = await cycle(500)
    // With XState's own bookkeeping it is a hundred times as much per child.
    expect(await cycle(10_000)).toBeLessThan(few * 8)
  }, 60_000)

  test('one group of them recovers in one sweep', async () => {
    const { supervisor, clock } = await startedSupervisor({ random: () => 0 })
    const group = supervisor.group('all', { strategy: 'one-for-all' })
    const children = Array.from({ length: 10_000 }, (_, i) => group.spawn(beating, { id: `c${i}` }))
    children[5_000]!.actor!.send({ type: 'child.fail' })
    expect(group.count()).toMatchObject({ specs: 10_000, active: 0 })
    await clock.advance(50)
    expect(group.count()).toMatchObject({ active: 10_000 })
  }, 60_000)
})

describe('a storm', () => {
  test('of 50 rounds of starts and stops from 10 sides at once leaves nothing, and every call settles', async () => {
    await using supervisor = createSupervisor({
      daemon: true,
      logger: memoryLogger([]),
      supervision: { intensity: 1_000 },
    })
    const story: string[] = []
    for (const id of ['a', 'b']) supervisor.spawn(puppet({ name: id, story }).machine, { id })
    const group = supervisor.group('g', { strategy: 'one-for-all', intensity: 1_000 })
    for (const id of ['c', 'd']) group.spawn(puppet({ name: id, story }).machine, { id })
    const REFUSED = ['ERR_SUPERVISOR_STOPPED', 'ERR_SUPERVISOR_STATE', 'ERR_CHILD_START_FAILED']
    for (let round = 0; round < 50; round += 1) {
      const sides = Array.from({ length: 10 }, async (_, side) => {
        for (let wait = 0; wait < (side * 7 + round) % 5; wait += 1) await turns(1)
        const child = supervisor.child(['a', 'b', 'g', 'g/c'][(side + round) % 4] as string)!
        const calls = [
          () => supervisor.start(),
          () => supervisor.stop({ wait: side % 3 === 0 ? false : 50 }),
          () => child.restart(),
          () => child.start(),
          () => child.stop(),
          async () => child.actor?.send({ type: 'crash' } as never),
        ]
        await calls[(side + round * 3) % calls.length]!().catch((error: { code: string }) => {
          expect(REFUSED).toContain(error.code)
        })
      })
      // A child that was stopped before its supervisor is started waits for that start.
      const starter = (async () => {
        for (let i = 0; i < 3; i += 1) {
          await turns(3)
          await supervisor.start().catch(() => {})
        }
      })()
      await Promise.all([...sides, starter])
    }
    await supervisor.stop({ wait: false })
    expect([supervisor.state, supervisor.count().active]).toEqual(['stopped', 0])
    const lives = new Map<string, number>()
    for (const step of story) {
      const change = step.startsWith('+') ? 1 : -1
      const alive = (lives.get(step.slice(1)) ?? 0) + change
      lives.set(step.slice(1), alive)
      // Never two lives of one child. (A life that is killed writes nothing.)
      expect(alive).toBeLessThanOrEqual(50)
    }
    expect(story.length).toBeGreaterThan(50)
  })

  test('of crashes in every moment of a stop ends all the same', async () => {
    for (let moment = 0; moment < 12; moment += 1) {
      const { supervisor, clock, stop } = testSupervisor({ supervision: { strategy: 'rest-for-one' } })
      const children = ['a', 'b', 'c'].map((id) =>
        supervisor.spawn(puppet({ manner: 'deaf' }).machine, { id, shutdownMs: 30 }),
      )
      await supervisor.start()
      const stopped = supervisor.stop({ wait: 1_000 })
      for (let i = 0; i < moment; i += 1) await clock.advance(10)
      for (const child of children) child.actor?.send({ type: 'crash' } as never)
      await clock.advance(200)
      await stopped
      expect(supervisor.count().active).toBe(0)
      await stop()
    }
  })

  test('of failing starts leaves the supervisor startable', async () => {
    const { supervisor } = testSupervisor()
    const bad = puppet()
    supervisor.spawn(puppet().machine, { id: 'good' })
    supervisor.spawn(bad.machine, { id: 'bad' })
    for (let i = 0; i < 20; i += 1) {
      bad.failing = 1
      const errors = await Promise.all([errorOf(supervisor.start()), errorOf(supervisor.start())])
      expect(errors.map(({ code }) => code)).toEqual(Array(2).fill('ERR_SUPERVISOR_START_FAILED'))
      expect(supervisor.count().active).toBe(0)
    }
    await supervisor.start()
    expect(supervisor.count().active).toBe(2)
  })
})
