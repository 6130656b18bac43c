/** What is stored of a chain, held against plain recursion. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defineTask } from '../../src/index.ts'
import { chain as chainOf } from '../../src/runtime/chain.ts'
import {
  advance,
  type ChainLevel,
  currentLevels,
  type Due,
  enter,
  hasNext,
  percentWithin,
} from '../../src/runtime/durable/chain-levels.ts'
import { fromCallTag, toStoredJson } from '../../src/runtime/durable/stored-json.ts'

/** A step, which may go on with something else, or a chain. */
type Tree =
  | { readonly kind: 'step'; readonly name: string; readonly next: Tree | undefined }
  | { readonly kind: 'chain'; readonly parts: readonly Tree[] }

const step = defineTask({ name: 'step' }, (_: string) => 1)

const { tree } = fc.letrec<{ tree: Tree; step: Tree; chain: Tree }>((tie) => ({
  tree: fc.oneof({ maxDepth: 4 }, tie('step'), tie('chain')),
  step: fc.record({
    kind: fc.constant('step' as const),
    name: fc.string({ maxLength: 3 }),
    next: fc.option(tie('tree'), { nil: undefined, freq: 4 }),
  }),
  chain: fc.record({
    kind: fc.constant('chain' as const),
    parts: fc.array(tie('tree'), { minLength: 1, maxLength: 4 }),
  }),
}))

interface Seen {
  readonly name: string
  readonly percent: number
}

/** `whole` makes of how far this part is how far all is. */
function recurse(node: Tree, whole: (fraction: number) => number, seen: Seen[]): void {
  if (node.kind === 'step') {
    seen.push({ name: node.name, percent: whole(0) * 100 })
    if (node.next !== undefined) recurse(node.next, whole, seen)
    return
  }
  for (const [index, part] of node.parts.entries())
    recurse(part, (fraction) => whole((index + fraction) / node.parts.length), seen)
}

/** Calls whose input is the step with what it goes on with. */
function toCall(node: Tree): {
  readonly definition: never
  readonly input: unknown
  readonly options: undefined
} {
  return (node.kind === 'step' ? step.call(node as never) : chainOf(node.parts.map(toCall))) as never
}

const jsonOf = (node: Tree) => fromCallTag(JSON.parse(toStoredJson('it', toCall(node), 1e9) as string))

/** A row with what stands beside it, through JSON, as from one daemon to the next one. */
class Row {
  due: Due
  /** The next one first. */
  #stand: string[] = []

  constructor(call: Due['call']) {
    this.due = enter([], call)
    this.#stack()
  }

  get levels(): readonly ChainLevel[] {
    return JSON.parse(JSON.stringify(this.due.levels)) as ChainLevel[]
  }

  /** @returns whether there was a next one */
  advance(): boolean {
    if (!hasNext(this.levels)) return false
    this.due = advance(this.levels, JSON.parse(this.#stand.shift() as string))
    this.#stack()
    return true
  }

  goOn(call: Due['call']): void {
    this.due = enter(this.levels, call)
    this.#stack()
  }

  get standing(): number {
    return this.#stand.length
  }

  #stack(): void {
    this.#stand.unshift(...this.due.after.map((call) => JSON.stringify(call)))
  }
}

function walk(node: Tree): { seen: Seen[]; stored: number[] } {
  const seen: Seen[] = []
  const stored: number[] = []
  const row = new Row(jsonOf(node))
  let isThere = true
  while (isThere) {
    const { name, next } = row.due.call.input as Extract<Tree, { kind: 'step' }>
    seen.push({ name, percent: percentWithin(row.due.levels, 0) })
    stored.push(JSON.stringify(row.due.levels).length)
    expect(row.standing).toBe(row.levels.reduce((sum, { left }) => sum + left, 0))
    if (next === undefined) isThere = row.advance()
    else row.goOn(jsonOf(next))
  }
  return { seen, stored }
}

const round = ({ name, percent }: Seen): Seen => ({ name, percent: Math.round(percent * 1e6) / 1e6 })

describe('the levels of a chain', () => {
  test('make the same steps as plain recursion, and count them alike', () => {
    fc.assert(
      fc.property(tree, (node) => {
        const expected: Seen[] = []
        recurse(node, (fraction) => fraction, expected)
        expect(walk(node).seen.map(round)).toEqual(expected.map(round))
      }),
      { numRuns: 300 },
    )
  })

  test('are never behind, and never over', () => {
    const plain = fc
      .array(tree, { minLength: 1, maxLength: 5 })
      .map((parts): Tree => ({ kind: 'chain', parts }))
    fc.assert(
      fc.property(plain, (node) => {
        let last = 0
        for (const { percent } of walk(node).seen) {
          expect(percent).toBeGreaterThanOrEqual(last - 1e-4)
          expect(percent).toBeLessThan(100)
          last = percent
        }
      }),
    )
  })

  test('of a thousand steps stay as short as those of one', () => {
    const leaf: Tree = { kind: 'step', name: 'a', next: undefined }
    const { seen, stored } = walk({ kind: 'chain', parts: Array.from({ length: 1_000 }, () => leaf) })
    expect(seen).toHaveLength(1_000)
    expect(Math.max(...stored)).toBeLessThan(60)
  })

  test('of chains that go on with chains for ever stay as long as they are', () => {
    const call = jsonOf({
      kind: 'chain',
      parts: [1, 2, 3].map(() => ({ kind: 'step', name: 'a', next: undefined })),
    })
    const row = new Row(call)
    let percent = 0
    for (let round = 0; round < 200; round += 1) {
      row.advance()
      row.advance()
      row.goOn(call)
      const now = percentWithin(row.levels, 0)
      expect(now).toBeGreaterThanOrEqual(percent)
      expect(now).toBeLessThan(100)
      percent = now
    }
    expect(row.levels).toHaveLength(1)
    expect([row.standing, JSON.stringify(row.levels).length < 100]).toEqual([2, true])
    expect([row.advance(), row.advance(), row.advance()]).toEqual([true, true, false])
  })

  test('hand the options of a chain to the chains in it, which come first', () => {
    const inner = { ...chainOf([step.call('b')]), options: { graceMs: 2 } }
    const outer = { ...chainOf([inner, step.call('c')]), options: { graceMs: 1, runTimeoutMs: Infinity } }
    const call = fromCallTag(JSON.parse(toStoredJson('it', outer, 1e9) as string))
    const row = new Row(call)
    expect(row.levels.map(({ options }) => options)).toEqual([
      { graceMs: 1, runTimeoutMs: 'Infinity' },
      { graceMs: 2, runTimeoutMs: 'Infinity' },
    ])
    row.advance()
    expect(row.levels.at(-1)?.options).toEqual({ graceMs: 1, runTimeoutMs: 'Infinity' })
  })

  test('of an older version come with the calls that stood in them, those of inner ones first', () => {
    const old = [
      { rest: '["d","e"]', done: 0, total: 3, options: { graceMs: 1 } },
      { rest: '["c"]', done: 2, total: 4 },
    ]
    expect(currentLevels(old)).toEqual({
      levels: [
        { left: 2, done: 0, total: 3, options: { graceMs: 1 } },
        { left: 1, done: 2, total: 4 },
      ],
      after: ['c', 'd', 'e'],
    })
    const levels = [{ left: 1, done: 0, total: 2 }]
    expect(currentLevels(levels)).toEqual({ levels })
  })
})
