import { describe, expect, test } from 'vitest'
import { fromStoredError, toStoredError } from '../../src/runtime/durable/stored-error.ts'

const roundTrip = (error: unknown): unknown => fromStoredError(toStoredError(error))

test('an error keeps class, message, stack, code, own properties and causes', () => {
  class QuotaError extends Error {
    override readonly name = 'QuotaError'
    readonly code = 'E_QUOTA'
    readonly left = { bytes: 10n, at: new Map([[1, 2]]), ratio: Number.NaN }
  }
  const cause = new TypeError('no number')
  const error = new QuotaError('full', { cause: new AggregateError([cause, 'text'], 'both') })
  const back = roundTrip(error) as QuotaError & { cause: AggregateError }
  expect(back).toBeInstanceOf(Error)
  expect([back.name, back.message, back.stack, back.code]).toEqual([
    'QuotaError',
    'full',
    error.stack,
    'E_QUOTA',
  ])
  expect(back.left).toEqual({ bytes: '10', at: 'Map(1) { 1 => 2 }', ratio: 'NaN' })
  expect(back.cause.errors).toEqual([cause, 'text'])
  expect(back.cause.errors[0]).toBeInstanceOf(TypeError)
})

test.each([[undefined], [null], [''], [0], ['text'], [{ a: [1] }]])('%o, thrown, comes back', (value) => {
  expect(roundTrip(value)).toEqual(value)
})

test('what cannot be stored is told, and never throws', () => {
  const hostile = new Error('x')
  Object.defineProperty(hostile, 'bad', {
    enumerable: true,
    get: () => {
      throw new Error('no')
    },
  })
  expect((roundTrip(hostile) as Error).message).toBe('x')
  const cyclic = new Error('round') as Error & { me: unknown }
  cyclic.me = cyclic
  expect((roundTrip(cyclic) as typeof cyclic).me).toBe('[Circular]')
  expect(roundTrip(Symbol('s'))).toBe('Symbol(s)')
  expect(roundTrip(12n)).toBe('12')
  const long = new Error('long')
  long.stack = 'x'.repeat(100_000)
  expect((roundTrip(long) as Error).stack?.length).toBe(8_000)
})

describe('one getter that throws takes nothing else along', () => {
  const refuse = (): never => {
    throw new Error('no')
  }
  test.each(['name', 'message', 'stack', 'cause', 'code', 'errors'])('%s', (key) => {
    const error = Object.assign(new TypeError('told', { cause: 'why' }), { code: 'E_TOLD', extra: 1 })
    expect(error.stack).toContain('told') // Made when it is read first.
    Object.defineProperty(error, key, { get: refuse, enumerable: true })
    const back = roundTrip(error) as TypeError & { code: unknown; extra: unknown }
    const expected = { name: 'TypeError', message: 'told', cause: 'why', code: 'E_TOLD', extra: 1 }
    const lost = { name: 'Error', message: '', cause: undefined, code: undefined }
    const { name, message, cause, code, extra } = back
    expect({ name, message, cause, code, extra }).toEqual({
      ...expected,
      ...(key in lost ? { [key]: lost[key as keyof typeof lost] } : {}),
    })
    expect(typeof back.stack).toBe(key === 'stack' ? 'undefined' : 'string')
  })

  test.each<[string, () => object]>([
    ['in data', () => Object.defineProperty({ kept: 1 }, 'bad', { get: refuse, enumerable: true })],
    ['a toJSON', () => ({ kept: 1, toJSON: refuse })],
    ['a proxy', () => new Proxy({}, { get: refuse, getPrototypeOf: refuse, ownKeys: refuse })],
    ['depth', () => deep(20_000)],
  ])('in a property: %s', (_, make) => {
    const back = roundTrip(Object.assign(new RangeError('told'), { data: make(), code: 'E_TOLD' }))
    expect(back).toBeInstanceOf(RangeError)
    expect(back).toMatchObject({ message: 'told', code: 'E_TOLD', stack: expect.any(String) })
    expect(back).toHaveProperty('data')
  })

  test('a proxy of an error, and one that was revoked', () => {
    expect(roundTrip(new Proxy(new Error('behind'), { get: refuse }))).toMatch(/^Error: behind/)
    const { proxy, revoke } = Proxy.revocable([], {})
    revoke()
    expect(roundTrip(proxy)).toEqual(expect.any(String))
  })
})

describe('what is large is shortened', () => {
  const large = 'x'.repeat(3_000_000)
  const most = 64 * 1_024

  test('a property that is long is cut, the others stay', () => {
    const error = Object.assign(new Error('bad gateway'), {
      code: 'E_HTTP',
      response: { body: large, status: 502 },
    })
    const text = toStoredError(error)
    expect(text.length).toBeLessThanOrEqual(most)
    const back = fromStoredError(text) as typeof error
    expect([back.message, back.code, back.stack]).toEqual(['bad gateway', 'E_HTTP', error.stack])
    expect(String(back.response)).toMatch(/^\{"body":"xxx/)
  })

  test('many properties, errors and causes: as many as fit', () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`p${n}`, 'y'.repeat(100)]))
    const errors = Array.from({ length: 2_000 }, (_, n) => new Error(`error ${n}`))
    for (const error of [
      Object.assign(new Error(large), many, { code: 'E_MANY' }),
      Object.assign(new AggregateError(errors, 'all of them'), { code: 'E_MANY' }),
      Object.assign(new Error('outer', { cause: new Error(large, { cause: large }) }), many, {
        code: 'E_MANY',
      }),
    ]) {
      const text = toStoredError(error)
      expect(text.length).toBeLessThanOrEqual(most)
      expect(fromStoredError(text)).toMatchObject({ code: 'E_MANY', stack: expect.any(String) })
    }
    expect(toStoredError(large).length).toBeLessThanOrEqual(most)
    expect(toStoredError(Object.assign(new Error('x'), { code: { [large]: 1 } })).length).toBeLessThan(most)
    expect(toStoredError([large, large]).length).toBeLessThan(most)
  })
})

function deep(levels: number): object {
  let value: object = {}
  for (let n = 0; n < levels; n += 1) value = { value }
  return value
}

test('nothing stored, or what nobody can read, is no error', () => {
  expect([fromStoredError(null), fromStoredError('{'), fromStoredError('null')]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})
