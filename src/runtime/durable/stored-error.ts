/**
 * Thrown values as a store keeps them: JSON text with class, message, stack, code, own properties and causes.
 *
 * One that is large is shortened until it fits: first what is long in it, then its properties and causes. It never fails
 * for its size, or for what it carries.
 */
import { inspect } from 'node:util'
import { saidBy } from '../../actors/foreign-value.ts'
import { fromThrown, type Thrown, toThrown } from '../../actors/remote/thrown.ts'

/** Characters of the JSON text of one error. */
const MAX_TEXT = 64 * 1_024
/** A stack that recurses is long and says little. */
const MAX_STACK = 8_000
const MAX_VALUE = 500

/** How much of an error is kept. */
interface Measure {
  /** Characters of a text, and of the JSON of another value. */
  readonly text: number
  /** Own properties of an error beside its code, and errors of an AggregateError. */
  readonly members: number
  /** Errors in errors. */
  readonly depth: number
}

/** From all of it to the least; the first one that fits is kept. */
const MEASURES: readonly Measure[] = [
  { text: Number.POSITIVE_INFINITY, members: Number.POSITIVE_INFINITY, depth: Number.POSITIVE_INFINITY },
  { text: 4_000, members: Number.POSITIVE_INFINITY, depth: Number.POSITIVE_INFINITY },
  { text: MAX_VALUE, members: 20, depth: 3 },
  { text: MAX_VALUE, members: 0, depth: 1 },
  { text: MAX_VALUE, members: 0, depth: 0 },
]

/** Never throws. */
export function toStoredError(error: unknown): string {
  const thrown = toThrown(error)
  for (const measure of MEASURES) {
    try {
      const text = JSON.stringify(shortened(thrown, measure))
      if (text.length <= MAX_TEXT) return text
    } catch {
      // Too deep for the stack.
    }
  }
  return JSON.stringify({ kind: 'value', value: saidBy(error)?.slice(0, MAX_VALUE) } as Thrown)
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

function shortened(thrown: Thrown, measure: Measure): Thrown {
  if (thrown.kind === 'value') return { kind: 'value', value: plain(thrown.value, measure.text) }
  const { name, message, stack, own, cause, errors } = thrown
  const { text, members, depth } = measure
  const inner = { ...measure, depth: depth - 1 }
  const kept = own.filter(([key], index) => key === 'code' || index < members)
  return {
    kind: 'error',
    name: cut(name, text),
    message: cut(message, text),
    stack: stack?.slice(0, MAX_STACK),
    own: kept.map(([key, value]) => [key, shortened(value, inner)]),
    cause: cause === undefined || depth <= 0 ? undefined : shortened(cause, inner),
    errors: errors?.slice(0, members).map((one) => shortened(one, inner)),
  }
}

/** A value that is JSON. */
function plain(value: unknown, most: number): unknown {
  if (typeof value === 'string') return cut(value, most)
  if (typeof value !== 'object' || value === null) return forJson('', value)
  try {
    const text = JSON.stringify(value, forJson)
    return text.length <= most ? (JSON.parse(text) as unknown) : cut(text, most)
  } catch {
    // A getter that throws, a cycle, a value too deep.
    return asText(value)
  }
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)}… (${text.length} characters)`
}

/** What JSON would refuse or change is told as text. */
function forJson(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function')
    return String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const prototype: unknown = Object.getPrototypeOf(value)
  const isPlain = prototype === Object.prototype || prototype === null
  return isPlain ? value : asText(value)
}

function asText(value: unknown): string {
  try {
    return inspect(value, { depth: 1 }).slice(0, MAX_VALUE)
  } catch {
    return 'something that cannot be stored'
  }
}
