import { describe, expect, test } from 'vitest'
import { assign, createActor, createMachine, setup } from 'xstate'
import { type DriverEffects, MachineDriver } from '../../src/actors/machine-driver.ts'
import { compile } from '../../src/machines/compile.ts'

type LampEvent = { type: 'lamp.press'; by?: string } | { type: 'lamp.break' } | { type: 'lamp.look' }

const machine = setup({
  types: { context: {} as { presses: number }, events: {} as LampEvent },
  guards: { isBroken: ({ event }) => event.type === 'lamp.look' && explode() },
  actions: {
    shine: () => {},
    dim: () => {},
    fail: () => {},
    note: assign({ presses: ({ context }) => context.presses + 1 }),
  },
}).createMachine({
  id: 'lamp',
  context: { presses: 0 },
  initial: 'off',
  states: {
    off: {
      on: {
        'lamp.press': { target: 'on', actions: 'note' },
        'lamp.look': { guard: 'isBroken', target: 'on' },
      },
    },
    on: {
      entry: { type: 'shine' },
      exit: 'dim',
      on: { 'lamp.press': { target: 'off', actions: 'note' }, 'lamp.break': { actions: ['fail', 'dim'] } },
    },
  },
})

function explode(): boolean {
  throw new Error('guard')
}

class Lamp {
  readonly story: string[] = []
  readonly errors: unknown[] = []
  onShine: () => void = () => {}
  readonly driver: MachineDriver<Lamp, typeof machine>

  constructor(onStep?: (event: LampEvent) => void) {
    this.driver = new MachineDriver<Lamp, typeof machine>(this, {
      logic: compile(machine),
      input: undefined,
      effects,
      onError: (error) => this.errors.push(error),
      ...(onStep === undefined ? {} : { onStep }),
    })
  }
}

const effects: DriverEffects<Lamp, typeof machine> = {
  shine(lamp) {
    lamp.story.push(`shine ${lamp.driver.state}`)
    lamp.onShine()
    lamp.story.push('shone')
  },
  dim: (lamp) => void lamp.story.push(`dim ${lamp.driver.state}`),
  fail() {
    throw new Error('effect')
  },
}

const rootActor = () => createActor(createMachine({})).start()

describe.each([
  ['by itself', (_: Lamp) => {}],
  ['as an actor', (lamp: Lamp) => void lamp.driver.actorOf(rootActor(), 'lamp', 'lamp')],
])('a driven machine, %s', (_, prepare) => {
  test('has its new state before its effects, which may send the next event', () => {
    const lamp = new Lamp()
    prepare(lamp)
    lamp.onShine = () => lamp.driver.send({ type: 'lamp.press' })
    lamp.driver.send({ type: 'lamp.press' })
    expect(lamp.story).toEqual(['shine on', 'shone', 'dim off'])
    expect(lamp.driver.state).toBe('off')
    expect(lamp.driver.snapshot.context).toEqual({ presses: 2 })
  })

  test('takes what an effect raises before what waits', () => {
    const seen: string[] = []
    const lamp = new Lamp((event) => seen.push('by' in event ? String(event.by) : event.type))
    prepare(lamp)
    lamp.onShine = () => {
      lamp.onShine = () => {}
      lamp.driver.send({ type: 'lamp.press', by: 'sent' })
      lamp.driver.raise({ type: 'lamp.press', by: 'raised' })
    }
    lamp.driver.raise({ type: 'lamp.press', by: 'first' })
    expect(seen).toEqual(['first', 'raised', 'sent'])
  })

  test('reports an effect and a guard that throw, and goes on', () => {
    const lamp = new Lamp()
    prepare(lamp)
    lamp.driver.send({ type: 'lamp.look' })
    expect(lamp.driver.state).toBe('off')
    lamp.driver.send({ type: 'lamp.press' })
    lamp.driver.send({ type: 'lamp.break' })
    expect(lamp.story).toEqual(['shine on', 'shone', 'dim on'])
    expect(lamp.errors).toMatchObject([{ message: expect.stringContaining('guard') }, { message: 'effect' }])
  })

  test('tells whoever follows it of every step', () => {
    const seen: string[] = []
    const lamp = new Lamp((event) => seen.push(event.type))
    prepare(lamp)
    lamp.driver.send({ type: 'lamp.press' })
    lamp.driver.send({ type: 'lamp.press' })
    expect(seen).toEqual(['lamp.press', 'lamp.press'])
  })
})

describe('the actor of a driven machine', () => {
  test('is made once, starts from the state that was reached, and shows what follows', () => {
    const lamp = new Lamp()
    lamp.driver.send({ type: 'lamp.press' })
    expect(lamp.driver.actor).toBeUndefined()
    const parent = rootActor()
    const actor = lamp.driver.actorOf(parent, 'lamp', 'lamp')
    expect(lamp.driver.actorOf(parent, 'other', 'lamp')).toBe(actor)
    expect(actor.getSnapshot()).toMatchObject({ value: 'on', context: { presses: 1 } })
    const values: unknown[] = []
    actor.subscribe((snapshot) => values.push(snapshot.value))
    lamp.driver.send({ type: 'lamp.press' })
    expect(values).toEqual(['off'])
  })

  test('takes events from outside; what their effects send waits for all effects', () => {
    const lamp = new Lamp()
    const actor = lamp.driver.actorOf(rootActor(), 'lamp', 'lamp')
    lamp.onShine = () => lamp.driver.send({ type: 'lamp.press' })
    actor.send({ type: 'lamp.press' })
    expect(lamp.story).toEqual(['shine on', 'shone', 'dim off'])
    expect(lamp.driver.state).toBe('off')
  })

  test('that is made by an effect takes over after the events under way', () => {
    const lamp = new Lamp()
    const parent = rootActor()
    lamp.onShine = () => {
      lamp.driver.send({ type: 'lamp.press' })
      lamp.driver
        .actorOf(parent, 'lamp', 'lamp')
        .subscribe(({ value }) => void lamp.story.push(`seen ${value}`))
    }
    lamp.driver.send({ type: 'lamp.press' })
    expect(lamp.story).toEqual(['shine on', 'shone', 'dim off', 'seen off'])
  })

  test('may be stopped by its parent: the machine goes on', () => {
    const lamp = new Lamp()
    const actor = lamp.driver.actorOf(rootActor(), 'lamp', 'lamp')
    ;(actor as unknown as { _stop(): void })._stop()
    expect(lamp.driver.actor).toBeUndefined()
    lamp.driver.send({ type: 'lamp.press' })
    expect(lamp.driver.state).toBe('on')
  })
})
