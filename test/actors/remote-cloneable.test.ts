import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isSurelyCloneable } from '../../src/actors/remote/cloneable.ts'

it('never calls cloneable what the structured clone refuses', () => {
  const strange = fc.constantFrom<unknown>(
    () => 1,
    Symbol('s'),
    new WeakMap(),
    new Proxy({}, {}),
    Promise.resolve(),
  )
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.anything(),
      strange,
      fc.array(tie('tree')),
      fc.dictionary(fc.string(), tie('tree')),
    ),
  }))
  fc.assert(
    fc.property(tree, (value) => {
      if (isSurelyCloneable(value)) structuredClone(value)
    }),
    { numRuns: 1000 },
  )
})

it('knows what small plain data is', () => {
  for (const value of [
    undefined,
    null,
    1,
    'x',
    1n,
    true,
    {},
    [],
    { a: [{ b: null }] },
    Object.create(null),
  ]) {
    expect(isSurelyCloneable(value)).toBe(true)
  }
  const circular: unknown[] = []
  circular.push(circular)
  for (const value of [
    new Date(),
    new Map(),
    Array(1000).fill(0),
    circular,
    { f() {} },
    { s: Symbol('s') },
  ]) {
    expect(isSurelyCloneable(value)).toBe(false)
  }
})
