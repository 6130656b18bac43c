/** What a page has in view: frames, put together by the page, are what the server sees. Over random trees and wishes. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ActorList, ActorRow } from '../../src/runtime/inspector/messages.ts'
import {
  type ActorTree,
  difference,
  firstWish,
  look,
  NO_FILTER,
  NOTHING,
  toWish,
  type View,
  type Wish,
} from '../../src/runtime/inspector/tree.ts'

interface Node {
  readonly id: string
  readonly parent: string | null
  state: string
  percent: number | null
}

/** A tree that can change; the parent of every node is there. */
class ModelTree implements ActorTree {
  readonly nodes = new Map<string, Node>()

  add(id: string, parent: string | null): void {
    if (parent === null || this.nodes.has(parent))
      this.nodes.set(id, { id, parent, state: 'new', percent: null })
  }

  remove(id: string): void {
    for (const child of this.#below(id)) this.remove(child.id)
    this.nodes.delete(id)
  }

  roots(): string[] {
    return this.#below(null).map(({ id }) => id)
  }

  row(id: string): ActorRow | undefined {
    const node = this.nodes.get(id)
    if (node === undefined) return undefined
    const { parent, state, percent } = node
    return {
      id,
      parent,
      kind: 'actor',
      name: `name of ${id}`,
      chart: null,
      state,
      startedAt: null,
      children: this.#below(id).length,
      event: null,
      eventAt: null,
      from: null,
      task: {
        runId: id,
        priority: 'normal',
        execution: 'async',
        attempt: 1,
        percent,
        note: null,
        owner: null,
      },
    }
  }

  list(parent: string, offset: number, limit: number): ActorList | undefined {
    const ids = this.#below(parent).map(({ id }) => id)
    if (ids.length === 0) return undefined
    return { offset, total: ids.length, ids: ids.slice(offset, offset + limit) }
  }

  #below(parent: string | null): Node[] {
    return [...this.nodes.values()].filter((node) => node.parent === parent)
  }
}

/** What a page does with a frame. */
function apply(rows: Map<string, ActorRow>, lists: Map<string, ActorList>, before: View, after: View): void {
  const {
    added = [],
    changed = [],
    gone = [],
    lists: other = {},
  } = JSON.parse(JSON.stringify(difference(before, after))) as ReturnType<typeof difference>
  for (const row of added) {
    expect(rows.has(row.id)).toBe(false)
    rows.set(row.id, row)
  }
  for (const change of changed) {
    expect(rows.has(change.id)).toBe(true)
    rows.set(change.id, { ...(rows.get(change.id) as ActorRow), ...change })
  }
  for (const id of gone) expect(rows.delete(id)).toBe(true)
  for (const [id, list] of Object.entries(other)) lists.set(id, list)
}

const id = fc.integer({ min: 0, max: 12 }).map((number) => `n${number}`)
const window = fc.record({ offset: fc.nat(3), limit: fc.nat(5) })
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('add' as const), id, parent: fc.option(id) }) },
  fc.record({ do: fc.constant('remove' as const), id }),
  fc.record({ do: fc.constant('state' as const), id, state: fc.constantFrom('a', 'b') }),
  fc.record({ do: fc.constant('percent' as const), id, percent: fc.nat(100) }),
  fc.record({
    do: fc.constant('watch' as const),
    expanded: fc.dictionary(id, window, { maxKeys: 5 }),
    ids: fc.array(id, { maxLength: 2 }),
  }),
)

describe('the view of a page', () => {
  test('is the same on both sides after every frame', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const tree = new ModelTree()
        let wish: Wish = firstWish(tree)
        let view = NOTHING
        const rows = new Map<string, ActorRow>()
        const lists = new Map<string, ActorList>()
        for (const one of steps) {
          if (one.do === 'add' && !tree.nodes.has(one.id)) tree.add(one.id, one.parent)
          else if (one.do === 'remove') tree.remove(one.id)
          else if (one.do === 'watch') wish = toWish({ type: 'watch', expanded: one.expanded, ids: one.ids })
          else if (one.do !== 'add') Object.assign(tree.nodes.get(one.id) ?? {}, one)
          const next = look(tree, wish)
          apply(rows, lists, view, next)
          view = next
          expect(rows).toEqual(new Map(view.rows))
          for (const [parent, list] of view.lists) {
            expect(lists.get(parent)).toEqual(list)
            for (const child of list.ids) expect(rows.has(child)).toBe(true)
          }
          const order = [...view.rows.keys()]
          for (const [place, child] of order.entries()) {
            const parent = view.rows.get(child)?.parent ?? null
            if (parent !== null && view.rows.has(parent) && !wish.ids.includes(child))
              expect(order.indexOf(parent)).toBeLessThan(place)
          }
        }
      }),
    )
  })

  test('that has not changed makes an empty frame', () => {
    const tree = new ModelTree()
    tree.add('a', null)
    tree.add('b', 'a')
    const wish = firstWish(tree)
    expect(difference(look(tree, wish), look(tree, wish))).toEqual({})
    expect(Object.keys(difference(NOTHING, look(tree, wish)))).toEqual(['added', 'lists'])
  })

  test('is bounded, whatever a page asks for', () => {
    const tree = new ModelTree()
    tree.add('a', null)
    for (let number = 0; number < 3_000; number += 1) tree.add(`b${number}`, 'a')
    const { rows, lists } = look(tree, {
      expanded: new Map([['a', { offset: 500, limit: 1e9 }]]),
      filter: NO_FILTER,
      ids: [],
    })
    expect(rows.size).toBe(2_000)
    expect(lists.get('a')).toMatchObject({ offset: 500, total: 3_000 })
    expect(lists.get('a')?.ids).toHaveLength(1_999)
  })
})
