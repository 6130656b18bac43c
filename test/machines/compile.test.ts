import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import {
  type AnyStateMachine,
  assign,
  cancel,
  createActor,
  createMachine,
  enqueueActions,
  fromPromise,
  type InspectionEvent,
  log,
  raise,
  type Snapshot,
  sendTo,
  setup,
  spawnChild,
  stateIn,
  stopChild,
} from 'xstate'
import { compile } from '../../src/machines/compile.ts'
import { UnsupportedMachineError } from '../../src/machines/compile-refusal.ts'

const ignore = (): void => {}

const lamp = setup({
  types: {} as {
    context: { switched: number }
    events: { type: 'press' } | { type: 'break' } | { type: 'look' }
  },
  actions: { click: ignore, count: assign({ switched: ({ context }) => context.switched + 1 }) },
  guards: { works: ({ context }) => context.switched < 100 },
}).createMachine({
  id: 'lamp',
  context: { switched: 0 },
  initial: 'off',
  on: { look: {} },
  states: {
    off: { tags: 'dark', on: { press: { guard: 'works', target: 'on', actions: ['count', 'click'] } } },
    on: {
      initial: 'dim',
      on: { press: { target: 'off', actions: 'click' }, break: 'broken' },
      states: { dim: { on: { look: 'bright' } }, bright: {} },
    },
    broken: { type: 'final' },
  },
})

const refusal = (config: object, implementations: object = {}): UnsupportedMachineError => {
  const machine = createMachine({ id: 'm', ...config } as never, implementations as never)
  try {
    compile(machine as AnyStateMachine)
  } catch (error) {
    if (error instanceof UnsupportedMachineError) return error
    throw error
  }
  throw new Error('The machine was compiled')
}

const inState = (state: object): object => ({
  initial: 'a',
  states: { a: { initial: 'b', states: { b: state } } },
})
const withAction = (action: unknown): object => inState({ entry: action })
const withGuard = (guard: unknown): object => inState({ on: { go: { guard } } })

describe('what compile refuses', () => {
  it.each<[feature: string, config: object]>([
    ['parallel states', inState({ type: 'parallel', states: { c: {} } })],
    ['history', inState({ initial: 'c', states: { c: {}, h: { type: 'history' } } })],
    ['an invoked actor (invoke)', inState({ invoke: { src: 'job' } })],
    ['delayed transitions (after)', inState({ after: { 10: 'b' } })],
    ['a route', inState({ id: 'there', route: {} })],
    ["the unknown property 'timeout' in its configuration", inState({ timeout: 5 })],
    ["the unknown property 'delay' of a transition", inState({ on: { go: { delay: 5 } } })],
    [
      "the unknown property 'guard' of its initial transition",
      { initial: { target: 'a', guard: 'x' }, states: { a: {} } },
    ],
    ["the unknown property 'speed' in its options", { options: { speed: 3 } }],
    ['maxIterations below 1', { options: { maxIterations: 0 } }],
    ['one id for two states', { states: { a: { id: 'x' }, c: { id: 'x' } }, initial: 'a' }],
    ['a transition with 2 targets', inState({ on: { go: { target: ['#m.a', '#m.a.b'] } } })],
    ["the wildcard 'a.*.c', which is neither '*' nor 'prefix.*'", inState({ on: { 'a.*.c': 'b' } })],
    ["the wildcard 'a*', which is neither '*' nor 'prefix.*'", inState({ on: { 'a*': 'b' } })],
    ["a transition for the reserved event 'xstate.stop'", inState({ on: { 'xstate.stop': 'b' } })],
    ["type 'final' with child states", inState({ type: 'final', states: { c: {} } })],
    ['an output of single mapping functions', { output: { n: () => 1 } }],
    ['the action spawnChild()', withAction(spawnChild('job' as never))],
    ['the action stopChild()', withAction(stopChild('job'))],
    ['the action sendTo()', withAction(sendTo('job', { type: 'x' }))],
    ['the action cancel()', withAction(cancel('job'))],
    ['the action log()', withAction(log('text'))],
    ['the action enqueueActions()', withAction(enqueueActions(ignore))],
    ['raise() with a delay', withAction(raise({ type: 'x' }, { delay: 10 }))],
    ['an action that is neither a function nor a name', withAction({ kind: 'x' })],
    ["the guard 'missing', which has no implementation", withGuard('missing')],
    ["the guard 'loop', which refers to itself", withGuard('loop')],
    ['the guard stateIn() or another built-in guard beside and(), or() and not()', withGuard(stateIn('a'))],
    ['a guard that is neither a function nor a name', withGuard(7)],
  ])('names %s', (feature, config) => {
    const { message, code } = refusal(config, { guards: { loop: 'loop' } })
    const inside = JSON.stringify(config).includes('"b"')
    expect(message).toContain(`uses ${feature}.`)
    expect(message).toMatch(
      inside ? /^Machine 'm' cannot be compiled because state 'a\.b/ : /^Machine 'm' .* its root uses/,
    )
    expect(code).toBe('ERR_MACHINE_UNSUPPORTED')
  })

  it('also refuses what a name stands for', () => {
    const error = refusal(withAction('tell'), { actions: { tell: log('text') } })
    expect(error.message).toContain('the action log()')
  })

  it('throws when an update or the context factory spawns', () => {
    const job = fromPromise(async () => {})
    const update = createMachine({ on: { go: { actions: assign(({ spawn }) => ({ job: spawn(job) })) } } })
    const { initial, step } = compile(update)
    expect(() => step(initial(undefined, ignore), { type: 'go' }, ignore)).toThrow('cannot spawn')
    const factory = compile(createMachine({ context: ({ spawn }) => ({ job: spawn(job) }) }))
    expect(factory.initial(undefined, ignore).error).toMatchObject({ code: 'ERR_MACHINE_UNSUPPORTED' })
  })
})

describe('pure steps', () => {
  const { initial, step, states, indexOf } = compile(lamp)
  const off = initial(undefined, ignore)
  const on = step(off, { type: 'press' }, ignore)

  it('reports effects with the context at that point and runs none', () => {
    const effects: unknown[] = []
    const loud = compile(
      lamp.provide({
        actions: {
          click: () => {
            throw new Error('run')
          },
        },
      }),
    )
    const event = { type: 'press' } as const
    loud.step(loud.initial(undefined, ignore), event, (...effect) => effects.push(effect))
    expect(effects).toEqual([['click', undefined, { switched: 1 }, event]])
  })

  it('return the same snapshot when nothing matches, a guard fails or the event is forbidden', () => {
    expect(step(off, { type: 'break' }, ignore)).toBe(off)
    expect(step(off, { type: 'look' }, ignore)).toBe(off)
    // @ts-expect-error An event that the machine does not declare.
    expect(step(off, { type: 'unheard of' }, ignore)).toBe(off)
    const limit = compile(lamp.provide({ guards: { works: () => false } }))
    const start = limit.initial(undefined, ignore)
    expect(limit.step(start, { type: 'press' }, ignore)).toBe(start)
  })

  it('leave the snapshot they start from as it was', () => {
    expect(off).toMatchObject({ status: 'active', value: 'off', context: { switched: 0 } })
    expect(on).toMatchObject({ status: 'active', value: { on: 'dim' }, context: { switched: 1 } })
  })

  it('share what a state has in common, frozen', () => {
    const again = step(initial(undefined, ignore), { type: 'press' }, ignore)
    expect(again.value).toBe(on.value)
    expect(Object.isFrozen(on.value)).toBe(true)
    expect(() => off.tags.add('bright' as never)).toThrow(TypeError)
    expect(off.hasTag('dark')).toBe(true)
  })

  it('merge what an update returns, part or whole, own properties only', () => {
    const updates = [
      { b: 1 },
      { a: 2, b: 3 },
      { b: 4, a: 5, c: 6 },
      Object.assign(Object.create({ b: 7 }), { a: 8, c: 9 }),
    ]
    const machine = createMachine({
      context: { a: 0, b: 0 },
      on: { next: { actions: assign(({ event }) => event.update as object) } },
    })
    const compiled = compile(machine)
    let merged = compiled.initial(undefined, ignore)
    const contexts = updates.map((update) => {
      merged = compiled.step(merged, { type: 'next', update }, ignore)
      expect(merged.context).not.toBe(update)
      return merged.context
    })
    expect(contexts).toEqual([
      { a: 0, b: 1 },
      { a: 2, b: 3 },
      { a: 5, b: 4, c: 6 },
      { a: 8, b: 4, c: 9 },
    ])
  })

  it('number the atomic states', () => {
    expect(states).toEqual(['off', 'on.dim', 'on.bright', 'broken'])
    expect([off, on, step(on, { type: 'look' }, ignore)].map(indexOf)).toEqual([0, 1, 2])
  })

  it('refuse the snapshot of another machine', () => {
    const twin = compile(lamp.provide({}))
    expect(() => twin.step(off, { type: 'press' }, ignore)).toThrow("not one of the compiled machine 'lamp'")
    expect(() => step(createActor(lamp).getSnapshot(), { type: 'press' }, ignore)).toThrow(TypeError)
  })

  it('remember nothing per unknown event type', () => {
    const wild = compile(
      createMachine({ on: { 'known.*': { guard: () => false } }, initial: 'a', states: { a: {} } }),
    )
    let snapshot = wild.initial(undefined, ignore)
    const sendMany = (round: number): void => {
      for (let i = 0; i < 100_000; i++) {
        snapshot = wild.step(snapshot, { type: `known.${round}.${i}` }, ignore)
        snapshot.can({ type: `unknown.${round}.${i}` } as never)
      }
    }
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    sendMany(0)
    collect()
    const before = process.memoryUsage().heapUsed
    sendMany(1)
    collect()
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(4_000_000)
  })
})

describe('as the logic of an actor', () => {
  it('shows its actions to an inspector and runs provided implementations', () => {
    const inspected: unknown[] = []
    const clicks: unknown[] = []
    const machine = lamp.provide({ actions: { click: ({ context }) => void clicks.push(context.switched) } })
    const inspect = (event: InspectionEvent): void => {
      if (event.type === '@xstate.action') inspected.push(event.action)
    }
    const actor = createActor(compile(machine), { inspect }).start()
    actor.send({ type: 'press' })
    actor.send({ type: 'press' })
    expect(inspected).toEqual([
      { type: 'click', params: undefined },
      { type: 'click', params: undefined },
    ])
    expect(clicks).toEqual([1, 1])
  })

  const failing = (where: 'guards' | 'actions', fails: unknown): AnyStateMachine => {
    const name = where === 'guards' ? 'works' : 'click'
    return lamp.provide({ [where]: { [name]: fails } } as never)
  }
  const boom = (): never => {
    throw new RangeError('boom')
  }

  it.each<[string, AnyStateMachine, message: string]>([
    [
      'a guard',
      failing('guards', boom),
      "Unable to evaluate guard 'works' in transition for event 'press' in state node 'lamp.off':\nboom",
    ],
    ['an update', failing('actions', assign(boom)), 'boom'],
    ['an action', failing('actions', boom), 'boom'],
  ])('fails with what %s throws, and its snapshot stays whole', (_, machine, message) => {
    const reported: unknown[] = []
    const actor = createActor(compile(machine)).start()
    actor.subscribe({ error: (error) => reported.push(error) })
    actor.send({ type: 'press' })
    const snapshot = actor.getSnapshot()
    expect(snapshot).toMatchObject({ status: 'error', value: 'off', error: { message } })
    expect(snapshot.matches('off')).toBe(true)
    expect(snapshot.hasTag('dark')).toBe(true)
    expect(actor.getPersistedSnapshot()).toMatchObject({ status: 'error', value: 'off' })
    expect(reported).toEqual([snapshot.error])
  })

  it('fails with what an initial action throws at the start', () => {
    const actor = createActor(compile(createMachine({ initial: 'a', entry: boom, states: { a: {} } })))
    actor.subscribe({ error: ignore })
    actor.start()
    expect(actor.getSnapshot()).toMatchObject({ status: 'error', value: 'a', error: { message: 'boom' } })
    expect(actor.getSnapshot().matches('a')).toBe(true)
  })

  it('restores what the interpreter persisted, and the other way round', () => {
    const compiled = compile(lamp)
    const interpreted = createActor(lamp).start()
    interpreted.send({ type: 'press' })
    const restored = createActor(compiled, { snapshot: interpreted.getPersistedSnapshot() }).start()
    restored.send({ type: 'look' })
    expect(restored.getSnapshot().value).toEqual({ on: 'bright' })
    const back = createActor(lamp, { snapshot: restored.getPersistedSnapshot() }).start()
    back.send({ type: 'break' })
    expect(back.getSnapshot()).toMatchObject({ status: 'done', value: 'broken', context: { switched: 1 } })
  })

  it.each<[string, object]>([
    ["State 'renamed' does not exist on 'lamp'", { value: 'renamed' }],
    ["Child state 'renamed' does not exist on 'lamp'", { value: { renamed: 'x' } }],
    ['is not one state', { value: { on: 'dim', off: {} } }],
    ['has children or history', { value: 'off', children: { job: {} } }],
    ['has children or history', { value: 'off', historyValue: { on: [] } }],
  ])('fails loudly on restoring a snapshot that does not fit: %s', (message, part) => {
    const snapshot = { status: 'active', context: { switched: 0 }, children: {}, historyValue: {}, ...part }
    const actor = createActor(compile(lamp), { snapshot: snapshot as unknown as Snapshot<unknown> })
    const errors: unknown[] = []
    actor.subscribe({ error: (error) => errors.push(error) })
    actor.start()
    expect(actor.getSnapshot().status).toBe('error')
    expect(String(errors[0])).toContain(message)
  })

  it('stops', () => {
    const actor = createActor(compile(lamp)).start()
    actor.stop()
    expect(actor.getSnapshot()).toMatchObject({ status: 'stopped', value: 'off' })
  })
})

it('goes on from a state that its owner kept elsewhere', () => {
  const { resume, step, states, indexOf } = compile(lamp)
  const off = resume('off', { switched: 7 })
  expect(states[indexOf(off)]).toBe('off')
  const on = step(off, { type: 'press' }, ignore)
  expect(on.value).toEqual({ on: 'dim' })
  expect(on.context).toEqual({ switched: 8 })
  for (const state of ['nowhere', 'on', 'broken']) {
    expect(() => resume(state, { switched: 0 })).toThrow(RangeError)
  }
})
