/** Walks through machines, and what a real thing is held against them. */
import { describe, expect, test } from 'vitest'
import { assign, createActor, raise, setup } from 'xstate'
import { supervisorMachine } from '../../src/machines/index.ts'
import {
  checkEdges,
  createTestSupervisor,
  recordEvents,
  replay,
  stateOf,
  tourOf,
  transitionTable,
  uncovered,
  walkMachine,
} from '../../src/runtime/testing/index.ts'
import { walkSupervisor } from '../model/supervisor-walk.ts'

type Event =
  | { readonly type: 'insert'; readonly coin: number }
  | { readonly type: 'push' }
  | { readonly type: 'hit' }

/** Takes two coins, turns once, and locks by itself after a while. */
const turnstile = setup({
  types: { context: {} as { paid: number }, events: {} as Event },
  guards: { isEnough: ({ context, event }) => event.type === 'insert' && context.paid + event.coin >= 2 },
  actions: {
    light: () => {},
    pay: assign({ paid: ({ context, event }) => context.paid + ('coin' in event ? event.coin : 0) }),
    forget: assign({ paid: 0 }),
  },
}).createMachine({
  id: 'turnstile',
  context: { paid: 0 },
  initial: 'locked',
  on: { hit: '.broken' },
  states: {
    locked: {
      on: {
        insert: [{ guard: 'isEnough', target: 'open', actions: ['forget', 'light'] }, { actions: 'pay' }],
      },
    },
    open: { on: { push: 'locked' }, after: { 1000: 'locked' } },
    broken: { type: 'final' },
  },
})

const EVENTS: readonly Event[] = [{ type: 'insert', coin: 1 }, { type: 'push' }, { type: 'hit' }]
const edges = walkMachine(turnstile, { events: EVENTS })

describe('a walk', () => {
  test('has an edge for every event in every state, delays included, and none in what has ended', () => {
    expect(
      edges.map(({ source, event, target, taken }) => [source, event.type, target, taken.length]),
    ).toEqual([
      ['locked', 'insert', 'locked', 1],
      ['locked', 'push', 'locked', 0],
      ['locked', 'hit', 'broken', 1],
      ['locked', 'insert', 'open', 1],
      ['locked', 'push', 'locked', 0],
      ['locked', 'hit', 'broken', 1],
      ['open', 'insert', 'open', 0],
      ['open', 'push', 'locked', 1],
      ['open', 'hit', 'broken', 1],
      ['open', 'xstate.after.1000.turnstile.open', 'locked', 1],
    ])
  })

  test('tells what the machine asked for', () => {
    expect(edges.find(({ target }) => target === 'open')?.effects).toEqual([
      { type: 'light', params: undefined },
      expect.objectContaining({ type: 'xstate.raise' }),
    ])
  })

  test('says what the events do not come by', () => {
    expect(uncovered(turnstile, edges)).toEqual({ states: [], transitions: [] })
    const few = walkMachine(turnstile, { events: EVENTS.slice(1) })
    expect(uncovered(turnstile, few)).toEqual({
      states: ['open'],
      transitions: [
        'turnstile.locked insert #0 [isEnough]',
        'turnstile.locked insert #1',
        'turnstile.open push #0',
        'turnstile.open xstate.after.1000.turnstile.open #0',
      ],
    })
  })

  test('can be kept from events that do not come', () => {
    const some = walkMachine(turnstile, { events: EVENTS, accepts: (_, { type }) => type !== 'hit' })
    expect(some.every(({ event }) => event.type !== 'hit')).toBe(true)
  })

  test('throws when something grows without bound, and names it', () => {
    const counter = setup({ types: { context: {} as { n: number } } }).createMachine({
      id: 'counter',
      context: { n: 0 },
      on: { more: { actions: assign({ n: ({ context }) => context.n + 1 }) } },
    })
    const walk = () => walkMachine(counter, { events: [{ type: 'more' }], limit: 50 })
    expect(walk).toThrow(/machine "counter" has more than 50 edges; the last state was: {2}{"n":50}/)
    expect(walkMachine(counter, { events: [{ type: 'more' }], project: () => '' })).toHaveLength(1)
  })

  test('names the states of parallel regions', () => {
    const lamp = setup({}).createMachine({
      id: 'lamp',
      type: 'parallel',
      states: {
        left: { initial: 'off', states: { off: { on: { left: 'on' } }, on: {} } },
        right: { initial: 'off', states: { off: { on: { right: 'on' } }, on: {} } },
      },
    })
    const both = walkMachine(lamp, { events: [{ type: 'left' }, { type: 'right' }] })
    expect(new Set(both.map(({ target }) => target))).toEqual(
      new Set(['left.on|right.off', 'left.off|right.on', 'left.on|right.on']),
    )
    expect(uncovered(lamp, both)).toEqual({ states: [], transitions: [] })
    expect(stateOf({ value: { left: { on: { dim: {} } }, right: 'off' } })).toBe('left.on.dim|right.off')
  })

  test('is a table to be read', () => {
    expect(transitionTable(turnstile, edges)).toBe(
      [
        'locked',
        '  insert                 stays | → open',
        '  hit                    → broken',
        '  ignored: push',
        '',
        'open',
        '  push                   → locked',
        '  hit                    → broken',
        '  xstate.after.1000.turnstile.open → locked',
        '  ignored: insert',
        '',
        'broken',
        '  final',
        '',
      ].join('\n'),
    )
  })
})

describe('what is taken without an event', () => {
  const route = (isVip: boolean, initial: 'a' | 'route' = 'a') =>
    setup({
      types: { context: {} as { vip: boolean } },
      guards: { vip: ({ context }) => context.vip },
    }).createMachine({
      id: 'al',
      context: { vip: isVip },
      initial,
      states: {
        a: { on: { go: 'route' } },
        route: { always: [{ guard: 'vip', target: 'fast' }, { target: 'slow' }] },
        fast: {},
        slow: {},
      },
    })

  test('is counted, branch by branch, and what is passed through was there', () => {
    const machine = route(false)
    const walk = walkMachine(machine, { events: [{ type: 'go' }] })
    expect(walk[0]).toMatchObject({
      source: 'a',
      target: 'slow',
      taken: ['al.a go #0', 'al.route always #1'],
      passed: ['route', 'slow', 'a'],
    })
    expect(uncovered(machine, walk)).toEqual({ states: ['fast'], transitions: ['al.route always #0 [vip]'] })
    const both = [...walk, ...walkMachine(route(true), { events: [{ type: 'go' }] })]
    expect(uncovered(machine, both)).toEqual({ states: [], transitions: [] })
  })

  test('also before the first event', () => {
    const machine = route(false, 'route')
    const walk = walkMachine(machine, { events: [{ type: 'go' }] })
    expect(uncovered(machine, walk)).toEqual({
      states: ['a', 'fast'],
      transitions: ['al.a go #0', 'al.route always #0 [vip]'],
    })
  })

  test('raised events are taken with it, and a history is no state to be reached', () => {
    const machine = setup({}).createMachine({
      id: 'h',
      initial: 'work',
      states: {
        work: {
          initial: 'one',
          states: {
            one: { on: { go: { actions: raise({ type: 'next' }) }, next: 'two' } },
            two: {},
            back: { type: 'history' },
          },
          on: { pause: 'paused' },
        },
        paused: { on: { resume: 'work.back' } },
      },
    })
    const walk = walkMachine(machine, { events: [{ type: 'go' }, { type: 'pause' }, { type: 'resume' }] })
    expect(uncovered(machine, walk)).toEqual({ states: [], transitions: [] })
  })
})

describe('a state with a history', () => {
  const region = (history: 'shallow' | 'deep') => ({
    type: 'parallel' as const,
    states: {
      left: { initial: 'off', states: { off: { on: { left: 'on' } }, on: {} } },
      right: { initial: 'off', states: { off: { on: { right: 'on' } }, on: {} } },
      back: { type: 'history' as const, history },
    },
    on: { pause: 'paused' },
  })
  const machine = (history: 'shallow' | 'deep') =>
    setup({}).createMachine({
      id: 'h',
      initial: 'work',
      states: { work: region(history), paused: { on: { resume: 'work.back' } } },
    })
  const events = ['left', 'right', 'pause', 'resume'].map((type) => ({ type }))

  test('is one for each that it would bring back', async () => {
    const walk = walkMachine(machine('deep'), { events })
    const back = walk.filter(({ source, event }) => source === 'paused' && event.type === 'resume')
    expect(back.map(({ target }) => target).sort()).toEqual([
      'work.left.off|work.right.off',
      'work.left.off|work.right.on',
      'work.left.on|work.right.off',
      'work.left.on|work.right.on',
    ])
  })

  test.each(['shallow', 'deep'] as const)('%s: a machine does what its own walk says', async (history) => {
    const walk = walkMachine(machine(history), { events })
    const report = await replay(walk, {
      begin: () => createActor(machine(history)).start(),
      act: (actor, { event }) => actor.send(event),
      check: (actor, { to }) => expect(actor.getSnapshot().value).toEqual(to.value),
    })
    expect(report.edges).toBe(walk.length)
  })
})

test('a machine that cannot begin is no walk of nothing', () => {
  const machine = setup({
    types: { context: {} as { n: number }, input: {} as { n: number } },
  }).createMachine({ context: ({ input }) => ({ n: input.n }), initial: 'a', states: { a: {} } })
  expect(() => walkMachine(machine, { events: [{ type: 'go' }] } as never)).toThrow(/reading 'n'/)
})

describe('the context of a walk', () => {
  /** Two states of one name, which only differ in a value. */
  const between = (one: unknown, other: unknown) =>
    setup({ types: { context: {} as { value: unknown } } }).createMachine({
      id: 'keys',
      context: { value: one },
      on: { flip: { actions: assign({ value: () => other }) } },
    })
  const edgesOf = (one: unknown, other: unknown) =>
    walkMachine(between(one, other), { events: [{ type: 'flip' }] })

  const [here, there] = [() => 1, () => 1]
  const different: [string, unknown, unknown][] = [
    ['maps', new Map([['a', 1]]), new Map([['a', 2]])],
    ['sets', new Set([1]), new Set([2])],
    ['a map and an object', new Map(), {}],
    ['NaN and null', Number.NaN, null],
    ['null and undefined', null, undefined],
    ['undefined and nothing', { a: undefined }, {}],
    ['infinities', Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    ['0 and -0', 0, -0],
    ['1n and 1', 1n, 1],
    ['a text and a number', '1', 1],
    ['dates', new Date(1), new Date(2)],
    ['regular expressions', /a/, /a/g],
    ['bytes', new Uint8Array([1]), new Uint8Array([2])],
    ['bytes and words', new Uint8Array(2), new Uint16Array(1)],
    ['functions', here, there],
    ['errors', new Error('a'), new Error('b')],
    ['a hole and undefined', Object.assign(Array(2), { 1: 1 }), [undefined, 1]],
  ]
  test.each(different)('tells %s apart', (_what, one, other) => {
    expect(edgesOf(one, other)).toHaveLength(2)
  })

  const alike: [string, unknown, unknown][] = [
    ['objects, in any order', { a: 1, b: [2] }, { b: [2], a: 1 }],
    ['maps', new Map([[{ k: 1 }, new Set([1])]]), new Map([[{ k: 1 }, new Set([1])]])],
    ['dates', new Date(1), new Date(1)],
    ['bigints', 5n, 5n],
  ]
  test.each(alike)('takes %s for one another when they are alike', (_what, one, other) => {
    expect(edgesOf(one, other)).toHaveLength(1)
  })

  test('may hold itself', () => {
    const loop: { self?: unknown } = {}
    loop.self = loop
    expect(edgesOf(loop, loop)).toHaveLength(1)
  })

  class Sealed {
    readonly #n = 1
    get n(): number {
      return this.#n
    }
  }
  test.each([new WeakMap(), Promise.resolve(), new Sealed(), Symbol('x')])(
    'asks for a project where it cannot tell',
    (value) => {
      expect(() => edgesOf([value], 1)).toThrow(
        expect.objectContaining({
          code: 'ERR_OPTION_INVALID',
          message: expect.stringMatching(/context\.value\[0\].*project/),
        }),
      )
      expect(walkMachine(between(value, 1), { events: [{ type: 'flip' }], project: () => '' })).toHaveLength(
        1,
      )
    },
  )
})

test('wrong calls are refused with a code and a name', async () => {
  const wrong: [() => unknown, RegExp][] = [
    [() => walkMachine(turnstile, undefined as never), /walkMachine\(\)/],
    [() => walkMachine(turnstile, {} as never), /walkMachine\(\)\.events/],
    [() => walkMachine(turnstile, { events: [{}] as never }), /events\[0\]\.type/],
    [() => walkMachine(turnstile, { events: EVENTS, limits: 5 } as never), /Did you mean "limit"/],
    [() => recordEvents({} as never), /recordEvents\(\)/],
    [() => createTestSupervisor({ dea: true } as never), /createTestSupervisor\(\).*Did you mean "deaf"/],
    [() => checkEdges(edges, (async () => {}) as never), /replay\(\)/],
  ]
  for (const [call, message] of wrong)
    expect(call).toThrow(
      expect.objectContaining({
        code: expect.stringMatching(/^ERR_OPTION_/),
        message: expect.stringMatching(message),
      }),
    )
  await expect(replay(edges, {} as never)).rejects.toMatchObject({ code: 'ERR_OPTION_INVALID' })
})

describe('checkEdges', () => {
  test('shows the events that lead to the edge on which an invariant breaks', () => {
    const check = () =>
      checkEdges(edges, ({ source, target }) => {
        if (source === 'open' && target === 'broken') throw new Error('an open one was hit')
      })
    expect(check).toThrow(
      [
        'After 3 event(s): an open one was hit',
        '  locked + {"type":"insert","coin":1} → locked',
        '  locked + {"type":"insert","coin":1} → open',
        '  open + {"type":"hit"} → broken',
        'The machine asked for: xstate.cancel',
      ].join('\n'),
    )
  })
})

describe('a tour', () => {
  test('takes every edge, in paths without a gap from where the walk begins', () => {
    for (const walk of [edges, walkSupervisor()]) {
      const paths = tourOf<(typeof walk)[number]>(walk as never)
      expect(new Set(paths.flat()).size).toBe(walk.length)
      for (const path of paths) {
        expect(path[0]?.fromKey).toBe(walk[0]?.fromKey)
        for (const [index, edge] of path.slice(1).entries()) expect(edge.fromKey).toBe(path[index]?.toKey)
      }
    }
  })

  test('is not much longer than the walk', () => {
    const walk = walkSupervisor()
    expect(uncovered(supervisorMachine, walk).states).toEqual([])
    expect(tourOf(walk).flat().length).toBeLessThan(6 * walk.length)
  })

  test('of nothing is nothing', () => {
    expect(tourOf([])).toEqual([])
  })
})

/** By hand what the machine says, with a fault that can be put in. */
class Turnstile {
  state = 'locked'
  paid = 0
  readonly #price: number

  constructor(price = 2) {
    this.#price = price
  }

  act(event: { readonly type: string; readonly coin?: number }): void {
    if (event.type === 'hit') this.state = 'broken'
    else if (event.type === 'insert' && this.state === 'locked') {
      this.paid += event.coin ?? 0
      if (this.paid < this.#price) return
      this.paid = 0
      this.state = 'open'
    } else if (event.type !== 'insert' && this.state === 'open') this.state = 'locked'
  }
}

describe('a replay', () => {
  const against = (price: number, ended: Turnstile[] = []) =>
    replay(edges, {
      begin: () => new Turnstile(price),
      act: (system, { event }) => system.act(event),
      check: (system, { target }) => expect(system.state).toBe(target),
      end: (system) => void ended.push(system),
    })

  test('takes a system over every edge', async () => {
    const ended: Turnstile[] = []
    const report = await against(2, ended)
    expect(report.edges).toBe(edges.length)
    expect(report.steps).toBeGreaterThanOrEqual(edges.length)
    expect(ended).toHaveLength(report.paths)
  })

  test('finds what is wrong, says after which events, and ends the system all the same', async () => {
    const ended: Turnstile[] = []
    const failure = await against(3, ended).then(
      () => undefined,
      (error: Error) => error,
    )
    expect(failure?.message).toMatch(/After \d+ event\(s\): expected 'locked' to be 'open'/)
    expect(failure?.message).toContain('locked + {"type":"insert","coin":1} → open')
    expect(failure?.cause).toBeInstanceOf(Error)
    expect(ended.length).toBeGreaterThan(0)
  })

  test('tells what went wrong first, though the end of the system fails, too', async () => {
    const [edge] = walkMachine(turnstile, { events: [{ type: 'push' }] })
    const broken = (act: () => void) =>
      replay([edge as NonNullable<typeof edge>], {
        begin: () => ({}),
        act,
        check: () => {},
        end: () => Promise.reject(new Error('no end')),
      })
    const failing = broken(() => {
      throw new Error('no act')
    })
    await expect(failing).rejects.toThrow(/After 1 event.*no act/)
    await expect(broken(() => {})).rejects.toThrow('no end')
  })
})
