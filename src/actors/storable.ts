/**
 * What can be stored: JSON, with task calls in it. What JSON would silently change is refused instead, with the path to it, so
 * that whoever reads a value finds what was given. The same for inputs and for results, wherever a handler runs: a thread or a process
 * looks before the structured clone makes something else of a value.
 */
import { type AnyDefinition, isDefinition, type TaskCall } from './definition.ts'
import { saidBy } from './foreign-value.ts'

/** A stored task call. Nobody's own data may have this key. */
export const CALL_TAG = '$stateward.call'
/** Deeper values would exhaust the stack when they are read again. */
const MAX_DEPTH = 500

/** What cannot be stored, and where it stands in the value. */
class UnstorableError extends Error {
  readonly code = 'ERR_VALUE_NOT_STORABLE'
}

/** The version of a definition's input. */
export function versionOf(definition: AnyDefinition): number {
  const { version } = (definition as { options?: { version?: number } }).options ?? {}
  return version ?? 1
}

/** JSON has no `Infinity`, which means never in options. */
export const NEVER = 'Infinity'

export function toFinite(_key: string, value: unknown): unknown {
  return value === Number.POSITIVE_INFINITY ? NEVER : value
}

/**
 * @param where - what the value is, for the error: `input of task "mail"`
 * @returns a copy that is JSON, calls in it as tagged objects
 * @throws UnstorableError with the path to what is no JSON
 */
export function toStorable(where: string, value: unknown): unknown {
  return toPlainOrRefuse(value, { where, path: [], above: new Set() })
}

interface Place {
  readonly where: string
  readonly path: (string | number)[]
  readonly above: Set<object>
}

function toPlainOrRefuse(value: unknown, place: Place): unknown {
  try {
    return toPlain(value, place)
  } catch (error) {
    if (error instanceof UnstorableError) throw error
    return refuse(place, `what throws when it is read ("${saidBy(error)}")`, 'Store a plain copy.', error)
  }
}

function toPlain(value: unknown, place: Place): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  if (typeof value === 'number') {
    return Number.isFinite(value) ? value : refuse(place, String(value), 'Store null or a text.')
  }
  if (typeof value !== 'object') return refuse(place, typeof value, hintFor(value))
  if (place.above.has(value)) return refuse(place, 'a cycle', 'Store ids instead of references.')
  if (place.path.length >= MAX_DEPTH) return refuse(place, `more than ${MAX_DEPTH} levels`, 'Store it flat.')
  place.above.add(value)
  const plain = isCall(value) ? callToPlain(value, place) : containerToPlain(value, place)
  place.above.delete(value)
  return plain
}

function containerToPlain(value: object, place: Place): unknown {
  refuseSymbols(value, place)
  if (Array.isArray(value)) {
    const items = Array.from(value, (item, index) => step(place, index, item))
    // There are no holes, since each of them was refused.
    if (Object.keys(value).length > items.length) {
      const key = Object.keys(value)[items.length] as string
      return refuse(place, `an array with a member "${key}" of its own`, 'Store an object with both.')
    }
    return items
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    return refuse(place, `an object of class ${value.constructor?.name ?? '?'}`, hintFor(value))
  }
  const plain: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue
    if (key === CALL_TAG || key === '__proto__') return refuse(place, `the key "${key}"`, 'It is reserved.')
    plain[key] = step(place, key, member)
  }
  return plain
}

/** JSON leaves them out without a word. */
function refuseSymbols(value: object, place: Place): void {
  const [symbol] = Object.getOwnPropertySymbols(value)
  if (symbol !== undefined && Object.prototype.propertyIsEnumerable.call(value, symbol))
    refuse(place, `the key ${String(symbol)}`, 'Keys are texts.')
}

function step(place: Place, key: string | number, value: unknown): unknown {
  place.path.push(key)
  const plain = toPlain(value, place)
  place.path.pop()
  return plain
}

function isCall(value: object): value is TaskCall {
  return 'definition' in value && isDefinition(value.definition)
}

function callToPlain({ definition, input, options }: TaskCall, place: Place): unknown {
  const call: Record<string, unknown> = { name: definition.name, version: versionOf(definition) }
  if (input !== undefined) call.input = step(place, 'input', input)
  if (options !== undefined) call.options = step(place, 'options', withoutInfinity(options))
  return { [CALL_TAG]: call }
}

function withoutInfinity(options: object): object {
  const entries = Object.entries(options).map(([key, value]: [string, unknown]) => {
    const isPlain =
      typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
    return [key, isPlain && key !== 'context' ? withoutInfinity(value) : toFinite(key, value)]
  })
  return Object.fromEntries(entries)
}

function hintFor(value: unknown): string {
  if (typeof value === 'bigint') return 'Store its text.'
  if (value instanceof Date) return 'Store its ISO text or its epoch ms.'
  if (value instanceof Map) return 'Store Object.fromEntries() of it, or an array.'
  if (value instanceof Set) return 'Store an array.'
  if (ArrayBuffer.isView(value)) return 'Store its base64 text.'
  return 'Only null, booleans, finite numbers, texts, arrays, plain objects and task calls can be stored.'
}

function refuse({ where, path }: Place, what: string, hint: string, cause?: unknown): never {
  const message = `Expected ${where} to be JSON, got ${what} at ${pathText(path)}. ${hint}`
  throw new UnstorableError(message, cause === undefined ? undefined : { cause })
}

/** So many of the first and the last keys of a long path say where it is. */
const SHOWN = 10

/** `$.users[3].name` */
function pathText(path: readonly (string | number)[]): string {
  if (path.length <= 2 * SHOWN) return `$${keysText(path)}`
  return `$${keysText(path.slice(0, SHOWN))}…${keysText(path.slice(-SHOWN))}`
}

function keysText(path: readonly (string | number)[]): string {
  const parts = path.map((key) => {
    if (typeof key === 'number') return `[${key}]`
    return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
  })
  return parts.join('')
}

/** A text for people, in which is marked what a database would refuse or change: NUL characters and lone surrogates. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd')
}
