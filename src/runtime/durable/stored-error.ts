/** Thrown values as a store keeps them: JSON text with class, message, stack, code, own properties and causes. */
import { inspect } from 'node:util'
import { fromThrown, type Thrown, toThrown } from '../../actors/remote/thrown.ts'

/** A stack that recurses is long and says little. */
const MAX_STACK = 8_000
const MAX_VALUE = 500

/** Never throws. */
export function toStoredError(error: unknown): string {
  const thrown = toThrown(error)
  try {
    return JSON.stringify(thrown, forJson)
  } catch {
    // A getter that throws, a value too deep.
    return JSON.stringify({ kind: 'value', value: 'something that cannot be stored' } satisfies Thrown)
  }
}

/** The value that was thrown, errors rebuilt. `undefined` when nothing was stored, or it cannot be read. */
export function fromStoredError(text: string | null): unknown {
  if (text === null) return undefined
  try {
    return fromThrown(JSON.parse(text) as Thrown)
  } catch {
    return undefined
  }
}

/** What JSON would refuse or change is told as text. */
function forJson(key: string, value: unknown): unknown {
  if (key === 'stack' && typeof value === 'string') return value.slice(0, MAX_STACK)
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function')
    return String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const prototype: unknown = Object.getPrototypeOf(value)
  const isPlain = prototype === Object.prototype || prototype === null
  return isPlain ? value : inspect(value, { depth: 1 }).slice(0, MAX_VALUE)
}
