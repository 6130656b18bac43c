import { expect, test } from 'vitest'
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

test('nothing stored, or what nobody can read, is no error', () => {
  expect([fromStoredError(null), fromStoredError('{'), fromStoredError('null')]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})
