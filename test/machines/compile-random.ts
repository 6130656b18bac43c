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
    old: ({ context }: Args) => context.n,
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
const GUARDS: readonly unknown[] = [
  ...['even', 'odd', 'bigEvent', 'small', 'truthy', 'falsy', 'both', 'alias'],
  ...['even', 'odd', 'bigEvent', 'small', 'both', 'fails'],
  { type: 'modulo', params: { by: 3, is: 1 } },
  { type: 'modulo', params: ({ context }: Args) => ({ by: 2, is: context.n % 2 }) },
  ({ context }: Args) => context.n > 2,
  not('small' as never),
  or(['bigEvent', and(['even', not('small' as never)] as never)] as never),
  { type: 'both' },
]
const ACTIONS: readonly unknown[] = [
  ...['one', 'two', 'inc', 'whole', 'map', 'missing', 'one', 'two', 'inc', 'whole'],
  ...['fails', 'same', 'nothing', 'failing', 'emitted', 'raised'],
  DYNAMIC,
  { type: 'add', params: { by: 1 } },
  { type: 'two', params: { deep: [1] } },
  { type: 'one', params: ({ context }: Args) => context.n },
  note('inline'),
  raise({ type: 'r.one' }),
  emit({ type: 'out' }),
  assign({ n: 0 }),
]

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
  readonly final: boolean
  readonly children: Node[]
}

/** Draws from a seed, so that a seed is all that a failure has to tell. */
class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** An integer below `limit` (mulberry32). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * limit)
  }

  chance(percent: number): boolean {
    return this.below(100) < percent
  }

  one<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }
}

class Maker {
  readonly #dice: Dice
  readonly #nodes: Node[] = []
  readonly #top: Node[]

  constructor(seed: number) {
    this.#dice = new Dice(seed)
    this.#top = this.#grow(0)
  }

  #grow(depth: number): Node[] {
    const dice = this.#dice
    const count = depth === 0 ? 2 + dice.below(2) : dice.below(depth > 1 ? 3 : 4)
    return Array.from({ length: count }, () => {
      const node: Node = {
        key: `s${this.#nodes.length}`,
        final: dice.chance(depth === 0 ? 8 : 20),
        children: [],
      }
      this.#nodes.push(node)
      if (!node.final && depth < 3) node.children.push(...this.#grow(depth + 1))
      return node
    })
  }

  #target(children: readonly Node[], siblings: readonly Node[]): string | undefined {
    const dice = this.#dice
    if (dice.chance(25)) return undefined
    if (dice.chance(20) && children.length > 0) return `.${dice.one(children).key}`
    if (dice.chance(25) && siblings.length > 0) return dice.one(siblings).key
    return dice.chance(5) ? '#root' : `#${dice.one(this.#nodes).key}`
  }

  #actions(): unknown {
    const dice = this.#dice
    if (dice.chance(50)) return undefined
    if (dice.chance(50)) return dice.one(ACTIONS)
    return Array.from({ length: dice.below(4) }, () => dice.one(ACTIONS))
  }

  #transition(guarded: boolean, children: readonly Node[], siblings: readonly Node[]): object {
    const dice = this.#dice
    return {
      target: this.#target(children, siblings),
      ...(guarded || dice.chance(40) ? { guard: dice.one(GUARDS) } : {}),
      actions: this.#actions(),
      ...(dice.chance(20) ? { reenter: dice.chance(80) } : {}),
    }
  }

  #candidates(children: readonly Node[], siblings: readonly Node[]): unknown {
    const dice = this.#dice
    if (dice.chance(10)) return dice.one([undefined, {}, [], [{}]])
    if (dice.chance(20)) return `#${dice.one(this.#nodes).key}`
    const last = this.#transition(false, children, siblings)
    return dice.chance(50) ? last : [this.#transition(true, children, siblings), last]
  }

  config(node: Node | undefined = undefined, siblings: readonly Node[] = []): object {
    const dice = this.#dice
    const children = node?.children ?? this.#top
    const named = DESCRIPTORS.filter((descriptor) => dice.chance(descriptor.startsWith('xstate') ? 5 : 30))
    const on = Object.fromEntries(
      named.map((descriptor) => [descriptor, this.#candidates(children, siblings)]),
    )
    const output = ({ context, event }: Args): unknown => [context.n, event.type]
    return {
      on,
      ...(node === undefined ? {} : { id: node.key }),
      ...(dice.chance(20) ? { tags: [`t${dice.below(3)}`] } : {}),
      ...(dice.chance(20) ? { meta: { of: node?.key ?? 'root' } } : {}),
      ...(dice.chance(50) ? { entry: this.#actions() } : {}),
      ...(dice.chance(50) ? { exit: this.#actions() } : {}),
      ...(dice.chance(12) ? { always: this.#transition(dice.chance(90), children, siblings) } : {}),
      ...(node?.final ? { type: 'final' } : {}),
      ...(dice.chance(40) ? { output: dice.one<unknown>([{ fixed: 1 }, output]) } : {}),
      ...(children.length === 0 ? {} : this.#inner(children, siblings)),
    }
  }

  #inner(children: readonly Node[], siblings: readonly Node[]): object {
    const dice = this.#dice
    const target = dice.one(children).key
    return {
      initial: dice.chance(60) ? target : { target, actions: this.#actions() },
      ...(dice.chance(50) ? { onDone: this.#candidates(children, siblings) } : {}),
      states: Object.fromEntries(children.map((child) => [child.key, this.config(child, children)])),
    }
  }
}

/** The machine of a seed. */
export function randomMachine(seed: number): AnyStateMachine {
  const context = seed % 2 === 0 ? { n: 0 } : ({ input }: { input: number }) => ({ n: input, from: 'input' })
  const config = { ...new Maker(seed).config(), id: 'root', context, options: { maxIterations: 12 } }
  return createMachine(config as never, { guards, actions } as never)
}
