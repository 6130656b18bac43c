import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defineTask } from '../../src/index.ts'
import { fromStoredJson, toStoredJson } from '../../src/runtime/durable/stored-json.ts'
import { thrownBy } from '../support/harness.ts'

const task = defineTask({ name: 'mail' }, (input: unknown) => input)
const LIMIT = 1_000_000
const never = (): never => {
  throw new Error('no call was stored')
}
const there = (value: unknown) => toStoredJson('input', value, LIMIT)
const revive = ({ name, input, options }: { name: string; input?: unknown; options?: object }) => {
  expect(name).toBe('mail')
  return { definition: task, input, options }
}

test('what JSON can hold comes back as it was', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      // Reserved: see below.
      fc.pre(!JSON.stringify(value).includes('"__proto__"'))
      const text = there(value) as string
      expect(fromStoredJson(text, never)).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
  expect([there(undefined), fromStoredJson(null, never)]).toEqual([null, undefined])
  expect(there({ a: undefined, b: 1 })).toBe('{"b":1}')
})

test('task calls come back at any depth, in calls too', () => {
  const inner = task.call({ to: 'b' }, { priority: 'high' })
  const value = {
    list: [1, [inner]],
    next: task.call([inner, undefined].slice(0, 1)),
    'a b': task.call(undefined),
  }
  const back = fromStoredJson(there(value), revive)
  expect(back).toEqual({
    list: [1, [{ definition: task, input: { to: 'b' }, options: { priority: 'high' } }]],
    next: {
      definition: task,
      input: [{ definition: task, input: { to: 'b' }, options: { priority: 'high' } }],
      options: undefined,
    },
    'a b': { definition: task, input: undefined, options: undefined },
  })
})

test('data that only looks like a call is data', () => {
  const value = ['mail', [1], { a: 2 }, { definition: 'mail', input: 1 }]
  expect(fromStoredJson(there(value), never)).toEqual(value)
})

const throws = (): never => {
  throw new Error('g')
}
const cyclic: { me?: unknown } = {}
cyclic.me = { again: [cyclic] }
let deep: unknown = 1
for (let level = 0; level < 600; level += 1) deep = [deep]

describe('a value that is no JSON is refused with its path', () => {
  test.each([
    [{ a: [1, 2n] }, 'bigint at $.a[1]'],
    [Number.NaN, 'NaN at $'],
    [{ 'not a name': Number.POSITIVE_INFINITY }, 'Infinity at $["not a name"]'],
    [[() => 1], 'function at $[0]'],
    [[undefined], 'undefined at $[0]'],
    [{ s: Symbol('s') }, 'symbol at $.s'],
    [{ m: new Map() }, 'class Map at $.m'],
    [{ d: new Date(0) }, 'class Date at $.d'],
    [new Error('x'), 'class Error at $'],
    [cyclic, 'cycle at $.me.again[0]'],
    [deep, 'more than 500 levels at $[0]'],
    [{ a: { '$stateward.call': 1 } }, 'key "$stateward.call" at $.a'],
    [JSON.parse('{"__proto__": 1}'), 'key "__proto__" at $'],
    [[task.call({ x: 1n })], 'bigint at $[0].input.x'],
    [{ a: { [Symbol('k')]: 1 } }, 'key Symbol(k) at $.a'],
    [{ a: Object.assign([1], { x: 1 }) }, 'an array with a member "x" of its own at $.a'],
  ])('%#: %o', (value, words) => {
    const error = thrownBy(() => there(value))
    expect(error).toMatchObject({ name: 'OptionError', code: 'ERR_VALUE_NOT_STORABLE' })
    expect(error.message).toContain(words)
  })

  test('what throws when it is read', () => {
    for (const [value, place] of [
      [{ a: Object.defineProperty({}, 'b', { enumerable: true, get: throws }) }, '$.a'],
      [[new Proxy({}, { ownKeys: throws })], '$[0]'],
    ] as const) {
      const error = thrownBy(() => there(value))
      expect(error).toMatchObject({
        name: 'OptionError',
        code: 'ERR_VALUE_NOT_STORABLE',
        cause: { message: 'g' },
      })
      expect(error.message).toContain(`throws when it is read ("g") at ${place}.`)
    }
  })

  test('a value twice in it is no cycle', () => {
    const twice = { x: 1 }
    expect(there([twice, twice])).toBe('[{"x":1},{"x":1}]')
  })
})

test('a text is measured in bytes', () => {
  expect(toStoredJson('input', 'é'.repeat(4), 10)).toBe('"éééé"')
  const error = thrownBy(() => toStoredJson('input of task "mail"', 'é'.repeat(5), 10))
  expect(error).toMatchObject({ code: 'ERR_VALUE_TOO_LARGE' })
  expect(error.message).toMatch(/input of task "mail" to have at most 10 bytes as JSON, got 12/)
})
