/** Random machines out of everything that `compile` supports, bounded by `maxIterations`. */
import fc from 'fast-check'
import {
  type AnyStateMachine,
  and,
  assign,
  createMachine,
  type EventObject,
  emit,
  not,
  or,
  raise,
} from 'xstate'
import { seen } from './compile-drive.ts'

interface Context {
  readonly n: number
  readonly last?: string
  readonly extra?: unknown
}
type Args = { readonly context: Context; readonly event: EventObject & { v?: number } }

const note =
  (name: string) =>
  ({ context, event }: Args, params?: unknown): void => {
    seen.push([name, params, context, event])
  }

const guards = {
  even: ({ context }: Args) => context.n % 2 === 0,
  odd: ({ context }: Args) => context.n % 2 === 1,
  bigEvent: ({ event }: Args) => (event.v ?? 0) > 2,
  small: ({ context }: Args) => context.n < 6,
  modulo: ({ context }: Args, params: { by: number; is: number }) => context.n % params.by === params.is,
  truthy: () => 'yes',
  falsy: () => 0,
  fails: ({ context }: Args) => {
    if (context.n > 8) throw new RangeError('guard failed')
    return true
  },
  both: and(['even', 'small'] as never),
  alias: 'odd',
}

const actions = {
  one: note('one'),
  two: note('two'),
  fails: ({ context, event }: Args) => {
    note('fails')({ context, event })
    if (context.n > 7) throw new TypeError('action failed')
  },
  inc: assign(({ context }: Args) => ({ n: context.n + 1 })),
  whole: assign(({ context }: Args) => ({ ...context, n: context.n + 2 })),
  same: assign(({ context }: Args) => context),
  nothing: assign(() => undefined as never),
  map: assign({
    n: ({ context }: Args) => context.n + 3,
    last: ({ event }: Args) => event.type,
    fixed: 7,
  } as never),
  add: assign(({ context }: Args, params: { by: number }) => ({ n: context.n + params.by })),
  failing: assign(({ context }: Args) => {
    if (context.n > 9) throw new Error('assign failed')
    return { extra: context.n }
  }),
  emitted: emit(({ context }: Args) => ({ type: 'out', n: context.n })),
  raised: raise(({ context }: Args) => ({ type: context.n % 3 === 0 ? 'r.one' : 'r.two', v: context.n })),
}

const DYNAMIC = {
  type: 'add',
  params: ({ context, event }: Args) => ({ by: (context.n % 2) + (event.v ?? 0) }),
}
const guardOf = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom<unknown>(
      'even',
      'odd',
      'bigEvent',
      'small',
      'truthy',
      'falsy',
      'both',
      'alias',
    ),
  },
  fc.constantFrom<unknown>(
    'fails',
    { type: 'modulo', params: { by: 3, is: 1 } },
    { type: 'modulo', params: ({ context }: Args) => ({ by: 2, is: context.n % 2 }) },
    ({ context }: Args) => context.n > 2,
    not('small' as never),
    or(['bigEvent', and(['even', not('small' as never)] as never)] as never),
    { type: 'both' },
  ),
)
const actionOf = fc
  .oneof(
    {
      weight: 8,
      arbitrary: fc.constantFrom<unknown>('one', 'two', 'inc', 'whole', 'map', 'missing', 'add1'),
    },
    fc.constantFrom<unknown>('fails', 'same', 'nothing', 'failing', 'emitted', DYNAMIC),
    fc.constantFrom<unknown>(
      { type: 'two', params: { deep: [1] } },
      { type: 'one', params: ({ context }: Args) => context.n },
      note('inline'),
      (() => note(''))(),
      raise({ type: 'r.one' }),
      'raised',
      emit({ type: 'out' }),
      assign({ n: 0 }),
    ),
  )
  .map((action) => (action === 'add1' ? { type: 'add', params: { by: 1 } } : action))
const actionsOf = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  actionOf,
  fc.array(actionOf, { maxLength: 3 }),
)

const TYPES = ['a', 'b', 'a.x', 'c', 'r.one', 'r.two']
const DESCRIPTORS = [...TYPES, 'a.*', 'a.x.*', 'r.*', '*', 'xstate.error.actor.*', 'xstate.done.state.*']

/** Events to send: known, unknown, wildcard-only and reserved ones. */
export const eventsOf = fc.array(
  fc.record({
    type: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(...TYPES) },
      fc.constantFrom(
        'a.x.y',
        'zzz',
        'ab',
        'xstate.init',
        'xstate.error.actor.child',
        'xstate.done.state.s1',
      ),
    ),
    v: fc.integer({ min: 0, max: 5 }),
  }),
  { minLength: 2, maxLength: 14 },
)

interface Node {
  readonly key: string
  readonly id: string
  readonly final: boolean
  readonly children: readonly Node[]
}
interface Tree {
  readonly nodes: Node[]
  readonly children: readonly Node[]
}
type Draw = <T>(arbitrary: fc.Arbitrary<T>) => T

function plant(draw: Draw): Tree {
  const nodes: Node[] = []
  const grow = (depth: number): Node[] => {
    const count = draw(fc.integer({ min: depth === 0 ? 2 : 0, max: depth > 1 ? 2 : 3 }))
    return Array.from({ length: count }, () => {
      const key = `s${nodes.length}`
      const final = draw(fc.integer({ min: 0, max: depth === 0 ? 11 : 4 })) === 0
      const node = { key, id: key, final, children: [] as Node[] }
      nodes.push(node)
      if (!final && depth < 3) node.children.push(...grow(depth + 1))
      return node
    })
  }
  const children = grow(0)
  return { nodes, children }
}

function config(draw: Draw, tree: Tree, node: Node | undefined, siblings: readonly Node[]): object {
  const children = node?.children ?? tree.children
  const chance = (percent: number): boolean => draw(fc.integer({ min: 0, max: 99 })) < percent
  const one = <T>(items: readonly T[]): T => items[draw(fc.nat({ max: items.length - 1 }))]!
  const target = (): string | undefined => {
    if (chance(25)) return undefined
    if (chance(20) && children.length > 0) return `.${one(children).key}`
    if (chance(25) && siblings.length > 0) return one(siblings).key
    return chance(5) ? '#root' : `#${one(tree.nodes).id}`
  }
  const transition = (guarded: boolean): object => ({
    target: target(),
    ...(guarded || chance(40) ? { guard: draw(guardOf) } : {}),
    actions: draw(actionsOf),
    ...(chance(20) ? { reenter: chance(80) } : {}),
  })
  const candidates = (): unknown => {
    if (chance(10)) return one([undefined, {}, [], [{}]])
    if (chance(20)) return `#${one(tree.nodes).id}`
    return chance(50) ? transition(false) : [transition(true), transition(false)]
  }
  const on = Object.fromEntries(
    DESCRIPTORS.filter((descriptor) => chance(descriptor.startsWith('xstate') ? 5 : 30)).map((key) => [
      key,
      candidates(),
    ]),
  )
  const start = children.length > 0 ? one(children).key : undefined
  return {
    on,
    ...(node === undefined ? {} : { id: node.id }),
    ...(chance(20) ? { tags: [`t${draw(fc.nat({ max: 2 }))}`] } : {}),
    ...(chance(20) ? { meta: { of: node?.key ?? 'root' } } : {}),
    ...(chance(50) ? { entry: draw(actionsOf) } : {}),
    ...(chance(50) ? { exit: draw(actionsOf) } : {}),
    ...(chance(15) ? { always: [transition(true)] } : {}),
    ...(node?.final ? { type: 'final' } : {}),
    ...(chance(40)
      ? { output: one<unknown>([{ fixed: 1 }, ({ context, event }: Args) => [context.n, event.type]]) }
      : {}),
    ...(children.length === 0
      ? {}
      : {
          initial: chance(60) ? start : { target: start, actions: draw(actionsOf) },
          ...(chance(50) ? { onDone: candidates() } : {}),
          states: Object.fromEntries(
            children.map((child) => [child.key, config(draw, tree, child, children)]),
          ),
        }),
  }
}

/** A random machine. */
export const machineOf: fc.Arbitrary<AnyStateMachine> = fc.gen().map((g) => {
  const draw: Draw = (arbitrary) => g(() => arbitrary)
  const tree = plant(draw)
  const context = draw(fc.boolean())
    ? { n: 0 }
    : ({ input }: { input: number }) => ({ n: input, from: 'input' })
  return createMachine(
    {
      ...config(draw, tree, undefined, []),
      id: 'root',
      context,
      options: { maxIterations: 12 },
    } as never,
    { guards, actions } as never,
  )
})
