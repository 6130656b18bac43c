import { describe, expect, test } from 'vitest'
import { toNamedCall } from '../../src/actors/remote/named-call.ts'
import { callsIn, packCalls, unpackCalls } from '../../src/actors/remote/packed-calls.ts'
import { defineTask } from '../../src/index.ts'

const inner = defineTask({ name: 'inner', module: 'file:///inner.js' }, (n: number) => n)
const outer = defineTask({ name: 'outer' }, (_: object) => 1)
/** Over a border and back. */
const crossed = (value: unknown): unknown => unpackCalls(structuredClone(packCalls(value)), toNamedCall)

describe('values that cross a border', () => {
  test('go as they are when no call is in them', () => {
    const cyclic: Record<string, unknown> = { deep: { deep: { deep: { deep: [1] } } } }
    cyclic.self = cyclic
    cyclic.again = [cyclic, cyclic.deep]
    class Own {
      readonly call = inner.call(1)
    }
    for (const value of [undefined, null, 'text', 7, [1, { a: 2 }], cyclic, new Map([[1, inner]]), new Own()])
      expect(packCalls(value)).toBe(value)
  })

  test('take the calls in them along, by name, at any depth', () => {
    const call = inner.call(5, { priority: 'high' })
    const value = { a: [{ b: { c: { d: { e: [call] } } } }], twice: call, date: new Date(7) }
    const back = crossed(value) as {
      a: [{ b: { c: { d: { e: [typeof call] } } } }]
      twice: typeof call
      date: Date
    }
    const seen = { input: 5, options: { priority: 'high' } }
    const definition = { name: 'inner', module: 'file:///inner.js' }
    expect(back.a[0].b.c.d.e[0]).toMatchObject({ ...seen, definition })
    expect(back.twice).toMatchObject({ ...seen, definition })
    expect(back.date).toEqual(new Date(7))
    // What came over goes on over the next border.
    expect(crossed(back)).toMatchObject({ twice: { ...seen, definition } })
  })

  test('take calls in calls along, the outermost first', () => {
    const call = outer.call({ of: [inner.call(1), outer.call({ of: inner.call(2) })] })
    expect(callsIn(packCalls(call)).map(({ name, module }) => [name, module])).toEqual([
      ['outer', ''],
      ['inner', 'file:///inner.js'],
      ['outer', ''],
      ['inner', 'file:///inner.js'],
    ])
    expect(crossed(call)).toMatchObject({
      definition: { module: undefined },
      input: { of: [{ input: 1 }, {}] },
    })
  })

  test('may have cycles beside their calls', () => {
    const value: Record<string, unknown> = { call: inner.call(1) }
    value.self = value
    const back = crossed(value) as typeof value
    expect(back.self).toBe(back)
    expect(back.call).toMatchObject({ input: 1 })
  })
})
