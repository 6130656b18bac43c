/** Copies of plain data: deep, and of nothing else. */
import { describe, expect, test } from 'vitest'
import { copyOf } from '../../src/actors/copy-of.ts'

describe('copyOf', () => {
  test.each([
    ['an object', { a: { b: [1, { c: 2 }] } }],
    ['an object without prototype', Object.assign(Object.create(null), { a: 1 })],
    ['a key called __proto__', JSON.parse('{"__proto__":{"x":1},"y":2}')],
    ['an array', [[1], [2, [3]]]],
    ['a map', new Map([[{ k: 1 }, { v: [1] }]])],
    ['a set', new Set([{ a: 1 }])],
    ['a date', new Date(5)],
    ['bytes', new Uint8Array([1, 2])],
    ['a Buffer', Buffer.from('ab')],
    ['an ArrayBuffer', new Uint8Array([1, 2]).buffer],
  ])('%s is another one, and equal', (_, value) => {
    const made = copyOf(value)
    expect(made).not.toBe(value)
    expect(made).toStrictEqual(value)
  })

  test('what is inside of it is copied, too', () => {
    const value = {
      map: new Map([['k', [1]]]),
      set: new Set([[1]]),
      at: new Date(1),
      buffer: Buffer.from('a'),
    }
    const made = copyOf(value)
    made.map.get('k')?.push(2)
    for (const one of made.set) one.push(2)
    made.at.setTime(9)
    made.buffer[0] = 98
    expect(value).toStrictEqual({
      map: new Map([['k', [1]]]),
      set: new Set([[1]]),
      at: new Date(1),
      buffer: Buffer.from('a'),
    })
  })

  test('a value that stands in two places, or in itself, does so in the copy', () => {
    const shared = { n: 1 }
    const value: Record<string, unknown> = { one: shared, two: shared, list: new Set() }
    value.self = value
    ;(value.list as Set<unknown>).add(value)
    const made = copyOf(value)
    expect(made.one).toBe(made.two)
    expect(made.one).not.toBe(shared)
    expect(made.self).toBe(made)
    expect([...(made.list as Set<unknown>)]).toEqual([made])
  })

  test('functions and instances of classes stay what they are', () => {
    class Connection {
      readonly open = [1]
    }
    const value = {
      call: () => 1,
      connection: new Connection(),
      error: new Error('x'),
      deep: [new Connection()],
    }
    const made = copyOf(value)
    expect(made.call).toBe(value.call)
    expect(made.connection).toBe(value.connection)
    expect(made.error).toBe(value.error)
    expect(made.deep[0]).toBe(value.deep[0])
    expect(made.deep).not.toBe(value.deep)
  })

  test.each([1, 'x', null, undefined, 5n, true])('%s is itself', (value) => {
    expect(copyOf(value)).toBe(value)
  })
})
