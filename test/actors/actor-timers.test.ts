/** What ActorTimers leans on in XState, and that delayed events mean the same under it. */
import { describe, expect, test } from 'vitest'
import { type AnyActorRef, assign, cancel, createActor, createMachine, raise, sendTo, setup } from 'xstate'
import { ActorTimers } from '../../src/actors/actor-timers.ts'
import { TimerQueue } from '../../src/actors/timer-queue.ts'
import { ManualClock } from '../../src/runtime/testing/manual-clock.ts'
import { cpuTime } from '../support/cpu-time.ts'

function rooted(machine: Parameters<typeof createActor>[0], installed = true) {
  const clock = new ManualClock()
  const actor = createActor(machine, { clock })
  const queue = new TimerQueue(clock)
  if (installed) new ActorTimers(actor, queue, () => clock.monotonic())
  actor.start()
  return { actor, clock, queue }
}

const lamp = setup({}).createMachine({
  initial: 'off',
  states: {
    off: { after: { 100: 'on' }, on: { hold: 'held' } },
    on: { after: { 50: 'off' } },
    held: {},
  },
})

describe.each([
  ["XState's own", false],
  ['ours', true],
])('with %s scheduler', (_, installed) => {
  test('after fires in time, again and again, and not once its state was left', async () => {
    const { actor, clock } = rooted(lamp, installed)
    const values: unknown[] = []
    actor.subscribe((snapshot) => values.push([(snapshot as { value?: unknown }).value, clock.monotonic()]))
    await clock.advance(160)
    actor.send({ type: 'hold' } as never)
    await clock.advance(1_000)
    expect(values).toEqual([
      ['on', 100],
      ['off', 150],
      ['held', 160],
    ])
    actor.stop()
    expect(clock.pending).toBe(0)
  })

  test('a delayed event can be cancelled by its id, and one of that id replaces nothing else', async () => {
    const machine = setup({ types: { context: {} as { got: string[] } } }).createMachine({
      context: { got: [] },
      on: {
        go: {
          actions: [
            raise({ type: 'a' }, { delay: 10, id: 'x' }),
            raise({ type: 'b' }, { delay: 10, id: 'y' }),
          ],
        },
        undo: { actions: cancel('x') },
        '*': { actions: assign({ got: ({ context, event }) => [...context.got, event.type] }) },
      },
    })
    const { actor, clock } = rooted(machine, installed)
    actor.send({ type: 'go' } as never)
    actor.send({ type: 'undo' } as never)
    await clock.advance(10)
    expect((actor.getSnapshot() as { context?: unknown }).context).toEqual({ got: ['b'] })
    actor.stop()
  })

  test('a delayed event to another actor comes, unless its sender has ended', async () => {
    const got: string[] = []
    const child = createMachine({ on: { hello: { actions: () => void got.push('hello') } } })
    const machine = setup({ actors: { child } }).createMachine({
      invoke: { src: 'child', id: 'child' },
      on: { go: { actions: sendTo('child', { type: 'hello' }, { delay: 10 }) } },
    })
    const { actor, clock } = rooted(machine, installed)
    actor.send({ type: 'go' } as never)
    await clock.advance(10)
    actor.send({ type: 'go' } as never)
    actor.stop()
    await clock.advance(10)
    expect([got, clock.pending]).toEqual([['hello'], 0])
  })
})

test('a delay beyond 2^31 ms is kept, and an infinite one never comes', async () => {
  const machine = createMachine({
    initial: 'a',
    states: {
      a: { after: { [2 ** 32]: 'b' } },
      b: { entry: raise({ type: 'never' }, { delay: Number.POSITIVE_INFINITY }), on: { never: 'c' } },
      c: {},
    },
  })
  const { actor, clock } = rooted(machine)
  await clock.advance(2 ** 32 - 1)
  expect(actor.getSnapshot()).toMatchObject({ value: 'a' })
  await clock.advance(1)
  await clock.advance(2 ** 32)
  expect(actor.getSnapshot()).toMatchObject({ value: 'b' })
  actor.stop()
  expect(clock.pending).toBe(0)
})

test('the end of an actor costs what it had armed, however many others wait', () => {
  const parent = createActor(createMachine({}))
  const clock = new ManualClock()
  const queue = new TimerQueue(clock)
  new ActorTimers(parent, queue, () => clock.monotonic())
  parent.start()
  const endAll = (count: number): number => {
    const actors = Array.from({ length: count }, (_, i) =>
      createActor(lamp, { parent: parent as AnyActorRef, id: `lamp-${i}` }).start(),
    )
    expect(queue.size).toBe(count)
    const begun = cpuTime()
    for (const actor of actors) (actor as unknown as { _stop(): void })._stop()
    const took = cpuTime() - begun
    expect(queue.size).toBe(0)
    return took
  }
  endAll(500)
  // As many on both sides: the system may count the time of a thread in ticks of some ms.
  const few = Array.from({ length: 20 }, () => endAll(500)).reduce((sum, took) => sum + took)
  // With a scan over all of them it is twenty times as much.
  expect(endAll(10_000)).toBeLessThan(few * 6)
})
