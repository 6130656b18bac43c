/** The rows of the tree against a tree that is simply written out. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Picture } from '../../src/page/model/picture.ts'
import { STRETCH, stretchFor, TreeRows } from '../../src/page/model/tree-rows.ts'
import { treeStep } from '../../src/page/view/tree-keys.ts'
import type { ActorRow } from '../../src/runtime/inspector/messages.ts'

interface Node {
  readonly children: readonly Node[]
  readonly open: boolean
  /** Which of the children are known. */
  readonly offset: number
  readonly limit: number
}

const { forest } = fc.letrec<{ node: Node; forest: Node[] }>((tie) => ({
  node: fc.record({
    children: fc.oneof({ depthSize: 'small' }, fc.constant([]), tie('forest')),
    open: fc.boolean(),
    offset: fc.nat(3),
    limit: fc.nat(4),
  }),
  forest: fc.array(tie('node'), { maxLength: 5, depthIdentifier: 'tree' }),
}))

/** The picture of the forest, what is open in it, and the rows as they must be: an id, or `-` for what is not known. */
function lay(roots: readonly Node[]): { picture: Picture; open: Set<string>; rows: string[] } {
  const picture = new Picture()
  const open = new Set<string>()
  const rows: string[] = []
  const add = (
    { children, open: isOpen, offset, limit }: Node,
    id: string,
    parent: string | null,
    shown: boolean,
  ): void => {
    picture.actors.set(id, actor(id, parent, children.length))
    if (parent === null) picture.roots = [...picture.roots, id]
    if (shown) rows.push(id)
    if (isOpen) open.add(id)
    const ids = children.map((_, index) => `${id}.${index}`)
    picture.lists.set(id, { offset, total: children.length, ids: ids.slice(offset, offset + limit) })
    for (const [index, child] of children.entries()) {
      const known = index >= offset && index < offset + limit
      if (known) add(child, `${id}.${index}`, id, shown && isOpen)
      else if (shown && isOpen) rows.push('-')
    }
    if (children.length === 0) picture.lists.delete(id)
  }
  for (const [index, root] of roots.entries()) add(root, `${index}`, null, true)
  return { picture, open, rows }
}

function actor(id: string, parent: string | null, children: number): ActorRow {
  return {
    id,
    parent,
    kind: 'actor',
    name: id,
    chart: null,
    state: 'running',
    startedAt: null,
    children,
    event: null,
    eventAt: null,
    from: null,
  }
}

const shownAs = (rows: TreeRows, start = 0, end = rows.size): string[] =>
  rows.slice(start, end).map((row) => (row.kind === 'actor' ? row.actor.id : '-'))

describe('rows', () => {
  test('are those of the tree, with gaps for what is not known', () => {
    fc.assert(
      fc.property(forest, (roots) => {
        const { picture, open, rows } = lay(roots)
        const made = new TreeRows(picture, open)
        expect(made.size).toBe(rows.length)
        expect(shownAs(made)).toEqual(rows)
      }),
    )
  })

  test('any stretch of them is that of all', () => {
    fc.assert(
      fc.property(forest, fc.nat(30), fc.nat(12), (roots, start, length) => {
        const { picture, open, rows } = lay(roots)
        const made = new TreeRows(picture, open)
        expect(shownAs(made, start, start + length)).toEqual(rows.slice(start, start + length))
      }),
    )
  })

  test('an actor is found where it is shown', () => {
    fc.assert(
      fc.property(forest, (roots) => {
        const { picture, open, rows } = lay(roots)
        const made = new TreeRows(picture, open)
        for (const id of picture.actors.keys()) expect(made.indexOf(id)).toBe(rows.indexOf(id))
      }),
    )
  })
})

test('what is asked for holds what is in sight and some more, in whole stretches', () => {
  fc.assert(
    fc.property(fc.nat(100_000), fc.nat(80), (first, length) => {
      const { offset, limit } = stretchFor(first, first + length)
      expect(offset).toBeLessThanOrEqual(first)
      expect(offset + limit).toBeGreaterThan(first + length)
      expect(offset % (STRETCH / 2)).toBe(0)
    }),
  )
})

describe('keys', () => {
  const leaf: Node = { children: [], open: false, offset: 0, limit: 0 }
  const roots: Node[] = [
    {
      children: [leaf, { children: [leaf], open: false, offset: 0, limit: 1 }],
      open: true,
      offset: 0,
      limit: 2,
    },
    leaf,
  ]
  const { picture, open } = lay(roots)
  const rows = new TreeRows(picture, open)
  const press = (key: string, at: string | undefined) => treeStep(key, rows, at, 56, 28)

  test.each([
    ['ArrowDown', undefined, { select: '0', index: 0 }],
    ['ArrowDown', '0', { select: '0.0', index: 1 }],
    ['ArrowDown', '1', { select: '1', index: 3 }],
    ['ArrowUp', '0', { select: '0', index: 0 }],
    ['ArrowUp', '1', { select: '0.1', index: 2 }],
    ['ArrowRight', '0', { select: '0.0', index: 1 }],
    ['ArrowRight', '0.1', { toggle: '0.1', open: true }],
    ['ArrowRight', '0.0', undefined],
    ['ArrowLeft', '0.1', { select: '0', index: 0 }],
    ['ArrowLeft', '0', { toggle: '0', open: false }],
    ['ArrowLeft', '1', undefined],
    ['Enter', '0.1', { toggle: '0.1', open: true }],
    [' ', '0', { toggle: '0', open: false }],
    ['Home', '1', { select: '0', index: 0 }],
    ['End', '0', { select: '1', index: 3 }],
    ['PageDown', '0', { select: '0.0', index: 1 }],
    ['x', '0', undefined],
  ])('%s at %s', (key, at, step) => {
    expect(press(key, at)).toEqual(step)
  })
})
