/** Checks options before anything changes: a sentence with what was expected, what came, and a hint. */
import leven from 'leven'
import { OptionError } from './errors.ts'

/** Throws an {@link OptionError} that names `where` when `value` will not do. */
export type Check = (where: string, value: unknown) => void

/** One check per option that exists. */
export type Checks = { readonly [option: string]: Check }

/** What came, for an error sentence: `-1 (number)`, `"fast" (string)`. */
function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'string') return `${JSON.stringify(value.slice(0, 60))} (string)`
  if (typeof value === 'object')
    return Array.isArray(value) ? 'an array' : `an object (${value.constructor?.name ?? 'no prototype'})`
  return `${String(value).slice(0, 60)} (${typeof value})`
}

export function refuse(where: string, expected: string, value: unknown, hint = ''): never {
  const tail = hint === '' ? '' : ` ${hint}`
  throw new OptionError(`Expected ${where} to be ${expected}, got ${describe(value)}.${tail}`, {
    code: 'ERR_OPTION_INVALID',
  })
}

/** The nearest of `known`, as a hint; empty when nothing is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  let best = ''
  let distance = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const next = leven(name.toLowerCase(), candidate.toLowerCase())
    if (next < distance) {
      best = candidate
      distance = next
    }
  }
  return best === '' ? '' : `Did you mean "${best}"?`
}

/** Not what is an object only by its type: a `Date`, a `Map` or a class of its own has no members that are options. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // An `Object.prototype` of another realm has none above it either.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Every option must exist and pass its check. `undefined` counts as not given. */
export function checkOptions(where: string, value: unknown, checks: Checks): void {
  if (!isPlain(value)) refuse(where, 'an object of options', value)
  for (const option in value) {
    if (!Object.hasOwn(value, option)) continue
    const given = (value as Record<string, unknown>)[option]
    const check = Object.hasOwn(checks, option) ? checks[option] : undefined
    if (check === undefined) {
      const known = Object.keys(checks)
      const hint = didYouMean(option, known) || `Known are ${known.join(', ')}.`
      throw new OptionError(`${where} has no option "${option}". ${hint}`, { code: 'ERR_OPTION_UNKNOWN' })
    }
    if (given !== undefined) check(`${where}.${option}`, given)
  }
}

/** The furthest that a Date goes from 1970. */
const MOST_MS = 8.64e15

export const check = {
  /** A whole number from `min` on. */
  count:
    (min: number): Check =>
    (where, value) => {
      if (!Number.isSafeInteger(value) || (value as number) < min) {
        refuse(where, `a whole number from ${min} on`, value)
      }
    },

  /** Milliseconds from 0 on; `Infinity` means never. */
  duration: ((where, value) => {
    if (typeof value !== 'number' || Number.isNaN(value) || value < 0) {
      refuse(where, 'a number of milliseconds from 0 on', value, 'Infinity means never.')
    }
  }) as Check,

  /** Milliseconds from 0 on, finite. */
  finiteDuration: ((where, value) => {
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
      refuse(where, 'a finite number of milliseconds from 0 on', value)
    }
  }) as Check,

  number:
    (min: number, max: number): Check =>
    (where, value) => {
      if (typeof value !== 'number' || !(value >= min && value <= max)) {
        refuse(where, `a number from ${min} to ${max}`, value)
      }
    },

  /** An instant: epoch ms or a Date. */
  instant: ((where, value) => {
    const at = value instanceof Date ? value.getTime() : value
    if (typeof at !== 'number' || !(Math.abs(at) <= MOST_MS)) {
      refuse(where, 'an instant (epoch ms or a valid Date)', value)
    }
  }) as Check,

  oneOf:
    (...known: readonly (string | number)[]): Check =>
    (where, value) => {
      if (known.includes(value as string)) return
      const names = known.filter((name) => typeof name === 'string')
      const list = known.map((name) => (typeof name === 'string' ? `'${name}'` : String(name))).join(', ')
      refuse(where, `one of ${list}`, value, typeof value === 'string' ? didYouMean(value, names) : '')
    },

  either:
    (expected: string, ...checks: readonly Check[]): Check =>
    (where, value) => {
      for (const one of checks) {
        try {
          one(where, value)
          return
        } catch {
          // Another one may take it.
        }
      }
      refuse(where, expected, value)
    },

  boolean: ((where, value) => {
    if (typeof value !== 'boolean') refuse(where, 'true or false', value)
  }) as Check,

  text: ((where, value) => {
    if (typeof value !== 'string' || value === '') refuse(where, 'a string that is not empty', value)
  }) as Check,

  /** A text that a database gives back as it was: what has half of a character would become another text. */
  wellFormed: ((where, value) => {
    check.text(where, value)
    const text = value as string
    if (!text.isWellFormed() || text.includes('\0'))
      refuse(where, 'a text without lone surrogates and NUL characters', value)
  }) as Check,

  fn: ((where, value) => {
    if (typeof value !== 'function') refuse(where, 'a function', value)
  }) as Check,

  signal: ((where, value) => {
    if (!(value instanceof AbortSignal)) refuse(where, 'an AbortSignal', value)
  }) as Check,

  /** An object with these methods. */
  having:
    (expected: string, ...methods: readonly string[]): Check =>
    (where, value) => {
      const object = value as Record<string, unknown> | null
      const found = (typeof value === 'object' || typeof value === 'function') && object !== null
      if (!found || methods.some((method) => typeof object[method] !== 'function')) {
        refuse(where, `${expected} (with ${methods.map((method) => `${method}()`).join(', ')})`, value)
      }
    },

  options:
    (checks: Checks): Check =>
    (where, value) =>
      checkOptions(where, value, checks),

  /** An object whose members, whatever their names are, each pass. */
  record:
    (expected: string, each: Check): Check =>
    (where, value) => {
      if (!isPlain(value)) refuse(where, expected, value)
      for (const [name, one] of Object.entries(value)) each(`${where}.${name}`, one)
    },

  anything: (() => {}) as Check,
}
