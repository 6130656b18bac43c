/**
 * A value as text that is equal for values that are alike, and for no others: what tells the states of a walk apart.
 *
 * Beside what JSON knows it tells apart `undefined`, `null` and what is not there, `NaN`, `-0` and the infinities, bigints, dates,
 * regular expressions, maps and sets (with their order), bytes and typed arrays, and instances by their class. Functions are told
 * apart by identity, what has a `toJSON` (actor refs: their id) by what that says, the order of an object's members does not count.
 */
import { OptionError } from '../errors.ts'

/** Functions that were seen, each with a number of its own. */
const functions = new WeakMap<object, number>()
let lastFunction = 0

/** @throws OptionError for what cannot be told apart from others of its kind: promises, weak maps, instances without visible members */
export function structuralKey(where: string, value: unknown): string {
  return keyOf(value, where, [])
}

function keyOf(value: unknown, where: string, above: readonly object[]): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
      return `${value}n`
    case 'function':
      return functionKey(value)
    case 'symbol':
      if (Symbol.keyFor(value) === undefined) throw unkeyable(where, 'a symbol')
      return `Symbol(${JSON.stringify(Symbol.keyFor(value))})`
    case 'object':
      return value === null ? 'null' : objectKey(value, where, above)
    default:
      return String(value)
  }
}

function functionKey(value: object): string {
  const known = functions.get(value)
  if (known !== undefined) return `function ${known}`
  lastFunction += 1
  functions.set(value, lastFunction)
  return `function ${lastFunction}`
}

function objectKey(value: object, where: string, above: readonly object[]): string {
  const depth = above.lastIndexOf(value)
  if (depth !== -1) return `^${above.length - depth}`
  const inside = [...above, value]
  const inner = (one: unknown, member: string): string => keyOf(one, `${where}${member}`, inside)
  const name = nameOf(value)
  if (Array.isArray(value))
    return `[${Array.from(value, (one, index) => (index in value ? inner(one, `[${index}]`) : '')).join(',')}]`
  if (value instanceof Date) return `Date(${value.getTime()})`
  if (value instanceof RegExp) return `${value}@${value.lastIndex}`
  if (value instanceof Map) {
    const pairs = [...value].map(([key, one]) => `${inner(key, '.keys()')}=>${inner(one, '.values()')}`)
    return `${name}{${pairs.join(',')}}`
  }
  if (value instanceof Set) return `${name}{${[...value].map((one) => inner(one, '.values()')).join(',')}}`
  const bytes = bytesOf(value)
  if (bytes !== undefined) return `${name}(${bytes.toString('base64')})`
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return `${name}${inner(value.toJSON(), '.toJSON()')}`
  return membersKey(value, name, where, inner)
}

function bytesOf(value: object): Buffer | undefined {
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer ? Buffer.from(value) : undefined
}

function membersKey(
  value: object,
  name: string,
  where: string,
  inner: (one: unknown, member: string) => string,
): string {
  // Its message is no member that can be listed.
  const said = value instanceof Error ? { name: value.name, message: value.message, cause: value.cause } : {}
  const all: Record<string, unknown> = { ...said, ...value }
  const members = Object.keys(all).sort()
  if (name !== '' && members.length === 0)
    throw unkeyable(where, `an instance of ${name} that shows no members`)
  return `${name}{${members.map((member) => `${JSON.stringify(member)}:${inner(all[member], `.${member}`)}`).join(',')}}`
}

/** Empty for plain objects. */
function nameOf(value: object): string {
  const prototype: object | null = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null ? '' : prototype.constructor.name
}

function unkeyable(where: string, what: string): OptionError {
  return new OptionError(
    `A walk cannot tell states apart by ${where}, ${what}. Say with project(context) what tells them apart.`,
    { code: 'ERR_OPTION_INVALID' },
  )
}
