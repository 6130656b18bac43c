import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromThrown, toThrown } from '../../src/actors/remote/thrown.ts'

/** Over the narrower of the two borders. */
function cross(value: unknown): unknown {
  return fromThrown(structuredClone(toThrown(value)))
}

describe('thrown values', () => {
  it('plain data crosses unchanged, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.anything({ withMap: true, withSet: true, withDate: true, withBigInt: true }),
        (value) => {
          expect(cross(value)).toEqual(structuredClone(value))
        },
      ),
    )
  })

  it('own properties of errors cross, also when they are errors', () => {
    const error = Object.assign(new Error('outer'), {
      code: 7,
      inner: new TypeError('inner'),
      none: undefined,
    })
    expect(cross(error)).toMatchObject({ message: 'outer', code: 7, inner: new TypeError('inner') })
  })

  it('keeps the built-in classes and names others', () => {
    for (const make of [TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError]) {
      expect(cross(new make('it'))).toBeInstanceOf(make)
    }
    class OwnError extends Error {
      override name = 'OwnError'
    }
    expect(String(cross(new OwnError('it')))).toBe('OwnError: it')
  })

  it('is not fooled by hostile errors', () => {
    const hostile = new Error('hostile')
    Object.defineProperty(hostile, 'stack', { get: () => hostile })
    Object.defineProperty(hostile, 'loud', {
      enumerable: true,
      get: () => {
        throw new Error('getter')
      },
    })
    Object.assign(hostile, { message: 7, port: new MessageChannel().port1, fn: () => 1 })
    expect(cross(hostile)).toBeInstanceOf(Error)
    expect(cross(new Proxy(hostile, {}))).toBeTypeOf('string')
    expect(() =>
      cross(
        new Proxy(
          {},
          {
            ownKeys: () => {
              throw new Error('trap')
            },
          },
        ),
      ),
    ).not.toThrow()
  })

  it('bounds the depth of causes', () => {
    let error = new Error('0')
    for (let depth = 1; depth < 1000; depth++) error = new Error(String(depth), { cause: error })
    expect(cross(error)).toMatchObject({ message: '999', cause: { message: '998' } })
  })

  it('cannot be used to set a prototype', () => {
    const error = Object.assign(new Error('x'), JSON.parse('{"__proto__": {"polluted": true}}'))
    expect(Object.getPrototypeOf(cross(error))).toBe(Error.prototype)
    expect(cross({ fn: () => 1, ['__proto__']: { polluted: true } })).not.toHaveProperty('polluted')
  })
})
