/** What is stored of a chain, held against plain recursion. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defineTask } from '../../src/index.ts'
import { chain as chainOf } from '../../src/runtime/chain.ts'
import {
  advance,
  type ChainLevel,
  type Due,
  enter,
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

function walk(node: Tree): { seen: Seen[]; stored: number[] } {
  const seen: Seen[] = []
  const stored: number[] = []
  let due: Due | undefined = enter([], jsonOf(node))
  while (due !== undefined) {
    const { name, next } = due.call.input as Extract<Tree, { kind: 'step' }>
    seen.push({ name, percent: percentWithin(due.levels, 0) })
    stored.push(JSON.stringify(due.levels).length)
    // Through JSON, as from one daemon to the next one.
    const levels = JSON.parse(JSON.stringify(due.levels)) as ChainLevel[]
    due = next === undefined ? advance(levels) : enter(levels, jsonOf(next))
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

  test('of a thousand steps only get shorter', () => {
    const leaf: Tree = { kind: 'step', name: 'a', next: undefined }
    const { seen, stored } = walk({ kind: 'chain', parts: Array.from({ length: 1_000 }, () => leaf) })
    expect(seen).toHaveLength(1_000)
    for (const [index, bytes] of stored.entries()) {
      if (index > 0) expect(bytes).toBeLessThan((stored[index - 1] as number) + 3)
    }
    expect(stored.at(-1)).toBeLessThan(100)
  })

  test('of chains that go on with chains for ever stay as long as they are', () => {
    const call = jsonOf({
      kind: 'chain',
      parts: [1, 2, 3].map(() => ({ kind: 'step', name: 'a', next: undefined })),
    })
    let due: Due = enter([], call)
    let percent = 0
    for (let round = 0; round < 200; round += 1) {
      due = advance(due.levels) as Due
      due = advance(due.levels) as Due
      due = enter(due.levels, call)
      const now = percentWithin(due.levels, 0)
      expect(now).toBeGreaterThanOrEqual(percent)
      expect(now).toBeLessThan(100)
      percent = now
    }
    expect(due.levels).toHaveLength(1)
    expect(JSON.stringify(due.levels).length).toBeLessThan(300)
    due = advance(advance(due.levels)?.levels as ChainLevel[]) as Due
    expect(advance(due.levels)).toBeUndefined()
  })

  test('hand the options of a chain to the chains in it, which come first', () => {
    const inner = { ...chainOf([step.call('b')]), options: { graceMs: 2 } }
    const outer = { ...chainOf([inner, step.call('c')]), options: { graceMs: 1, runTimeoutMs: Infinity } }
    const call = fromCallTag(JSON.parse(toStoredJson('it', outer, 1e9) as string))
    const due = enter([], call)
    expect(due.levels.map(({ options }) => options)).toEqual([
      { graceMs: 1, runTimeoutMs: 'Infinity' },
      { graceMs: 2, runTimeoutMs: 'Infinity' },
    ])
    expect(advance(due.levels)?.levels.at(-1)?.options).toEqual({ graceMs: 1, runTimeoutMs: 'Infinity' })
  })
})
