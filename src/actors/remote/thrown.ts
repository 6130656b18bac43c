/**
 * Thrown values as data: whatever a handler throws must arrive on the other side of a border.
 *
 * The structured clone keeps of an error only its message, stack and cause, and refuses one with a
 * socket or a function in a property. Here an error keeps name, message, stack, code, cause, the errors
 * of an AggregateError and its own properties; properties that cannot be cloned are reduced to what
 * can, functions are left out. Values that are no errors arrive as they are, or as text.
 */
import { inspect, types } from 'node:util'
import { serialize } from 'node:v8'
import { peek } from '../foreign-value.ts'

/** A thrown value on its way. */
export type Thrown =
  | { readonly kind: 'value'; readonly value: unknown }
  | {
      readonly kind: 'error'
      readonly name: string
      readonly message: string
      readonly stack: string | undefined
      readonly own: ReadonlyArray<readonly [key: string, value: Thrown]>
      readonly cause: Thrown | undefined
      readonly errors: readonly Thrown[] | undefined
    }

/** Causes nest, and may be circular. */
const MAX_DEPTH = 8
const MAX_TEXT = 500
const REBUILT = new Set(['name', 'message', 'stack', 'cause', 'errors', '__proto__'])

const CONSTRUCTORS: ReadonlyMap<string, ErrorConstructor> = new Map(
  [TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].map((it) => [it.name, it]),
)

/** Never throws, and what it returns can be cloned. */
export function toThrown(value: unknown): Thrown {
  return encode(value, 0, new Set())
}

/** The value that was thrown, errors rebuilt as `Error`s. */
export function fromThrown(thrown: Thrown): unknown {
  if (thrown.kind === 'value') return thrown.value
  const error = build(thrown)
  hide(error, 'stack', thrown.stack)
  if (error.name !== thrown.name) hide(error, 'name', thrown.name)
  if (thrown.cause !== undefined) hide(error, 'cause', fromThrown(thrown.cause))
  for (const [key, value] of thrown.own) {
    Object.defineProperty(error, key, {
      value: fromThrown(value),
      enumerable: true,
      writable: true,
      configurable: true,
    })
  }
  return error
}

function build(thrown: Extract<Thrown, { kind: 'error' }>): Error {
  if (thrown.errors !== undefined) return new AggregateError(thrown.errors.map(fromThrown), thrown.message)
  return new (CONSTRUCTORS.get(thrown.name) ?? Error)(thrown.message)
}

function hide(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, enumerable: false, writable: true, configurable: true })
}

function encode(value: unknown, depth: number, seen: Set<unknown>): Thrown {
  if (typeof value === 'function' || typeof value === 'symbol') return asText(value)
  if (typeof value !== 'object' || value === null) return { kind: 'value', value }
  if (seen.has(value)) return { kind: 'value', value: '[Circular]' }
  if (depth > MAX_DEPTH) return asText(value)
  seen.add(value)
  try {
    return isError(value) ? encodeError(value, depth, seen) : encodeObject(value, depth, seen)
  } catch {
    // A proxy that refuses, or was revoked.
    return asText(value)
  } finally {
    seen.delete(value)
  }
}

function encodeError(error: Error, depth: number, seen: Set<unknown>): Thrown {
  const cause = peek(error, 'cause')
  const errors = peek(error, 'errors')
  return {
    kind: 'error',
    name: text(peek(error, 'name')) ?? 'Error',
    message: text(peek(error, 'message')) ?? '',
    stack: text(peek(error, 'stack')),
    own: ownProperties(error, depth, seen),
    cause: cause === undefined ? undefined : encode(cause, depth + 1, seen),
    errors: Array.isArray(errors) ? errors.map((it) => encode(it, depth + 1, seen)) : undefined,
  }
}

function ownProperties(error: Error, depth: number, seen: Set<unknown>): [string, Thrown][] {
  const own: [string, Thrown][] = []
  for (const key of Object.keys(error)) {
    if (REBUILT.has(key)) continue
    const value = peek(error, key)
    if (value !== undefined && typeof value !== 'function') own.push([key, encode(value, depth + 1, seen)])
  }
  // Getters of the class, as in DOMException.
  const code = peek(error, 'code')
  if (code !== undefined && !Object.hasOwn(error, 'code')) own.push(['code', encode(code, depth + 1, seen)])
  return own
}

function encodeObject(value: object, depth: number, seen: Set<unknown>): Thrown {
  if (isCloneable(value)) return { kind: 'value', value }
  return Array.isArray(value) || isRecord(value) ? reduce(value, depth, seen) : asText(value)
}

/** The cloneable part of an array or plain object. */
function reduce(value: object, depth: number, seen: Set<unknown>): Thrown {
  const reduced: unknown[] | Record<string, unknown> = Array.isArray(value) ? [] : {}
  for (const key of Object.keys(value)) {
    const property = peek(value, key)
    if (typeof property === 'function' || key === '__proto__') continue
    const encoded = encode(property, depth + 1, seen)
    // Errors inside plain data travel as the clone of an error.
    Object.assign(reduced, { [key]: fromThrown(encoded) })
  }
  return isCloneable(reduced) ? { kind: 'value', value: reduced } : asText(value)
}

/** By the narrower rules of the two borders, those of a process. */
function isCloneable(value: unknown): boolean {
  try {
    serialize(value)
    return true
  } catch {
    return false
  }
}

/** Instances of a copy of Error from elsewhere (vm, another realm) count too. */
function isError(value: object): value is Error {
  if (types.isProxy(value)) return false
  return types.isNativeError(value) || value instanceof Error
}

function isRecord(value: object): boolean {
  const prototype: unknown = types.isProxy(value) ? undefined : Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function asText(value: unknown): Thrown {
  try {
    return { kind: 'value', value: inspect(value, { depth: 1, breakLength: Infinity }).slice(0, MAX_TEXT) }
  } catch {
    return { kind: 'value', value: `[${typeof value}]` }
  }
}
