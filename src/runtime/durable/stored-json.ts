/** Values as a store keeps them: JSON text, with task calls in it as tagged objects; see storable.ts. */
import type { TaskCall } from '../../actors/definition.ts'
import { peek, saidBy } from '../../actors/foreign-value.ts'
import { CALL_TAG, NEVER, toStorable } from '../../actors/storable.ts'
import { OptionError } from '../errors.ts'

/** A task call in a stored value. */
export interface CallJson {
  readonly name: string
  /** Of the definition that the input was made for. */
  readonly version: number
  readonly input?: unknown
  readonly options?: object
}

/** A call in a parsed text that {@link toStoredJson} has made. */
export function fromCallTag(tagged: unknown): CallJson {
  return (tagged as Record<typeof CALL_TAG, CallJson>)[CALL_TAG]
}

export function fromFinite(_key: string, value: unknown): unknown {
  return value === NEVER ? Number.POSITIVE_INFINITY : value
}

/** Finds what a stored call calls. Throws when it cannot. */
export type CallReviver = (call: CallJson) => TaskCall

/**
 * @param where - what the value is, for the error: `input of task "mail"`
 * @param maxBytes - of the text
 * @returns `null` for `undefined`
 * @throws OptionError (`ERR_VALUE_NOT_STORABLE`) with the path to what is no JSON; (`ERR_VALUE_TOO_LARGE`)
 */
export function toStoredJson(where: string, value: unknown, maxBytes: number): string | null {
  if (value === undefined) return null
  let plain: unknown
  try {
    plain = toStorable(where, value)
  } catch (error) {
    throw asOptionError(error)
  }
  return sizedJson(where, plain, maxBytes)
}

/** In JSON: half of a character, or NUL. */
const UNSEARCHABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f]..)/

/**
 * Metadata is what tasks are found by, and a database looks into no text that holds NUL characters or lone surrogates.
 *
 * @throws OptionError as {@link toStoredJson}
 */
export function toMetadataJson(name: string, metadata: unknown, maxBytes: number): string | null {
  const where = `metadata of task "${name}"`
  const text = toStoredJson(where, metadata, maxBytes)
  if (text !== null && UNSEARCHABLE.test(text)) {
    throw new OptionError(`Expected ${where} to hold no NUL characters and no lone surrogates.`, {
      code: 'ERR_VALUE_NOT_STORABLE',
    })
  }
  return text
}

/** What cannot be stored, wherever that was found, is a mistake of the user's. */
export function asOptionError(error: unknown): unknown {
  const [code, cause] = [peek(error, 'code'), peek(error, 'cause')]
  if (code !== 'ERR_VALUE_NOT_STORABLE' || error instanceof OptionError) return error
  return new OptionError(saidBy(error) ?? code, { code, ...(cause === undefined ? {} : { cause }) })
}

/**
 * @param plain - JSON already, calls in it tagged
 * @throws OptionError (`ERR_VALUE_TOO_LARGE`)
 */
export function sizedJson(where: string, plain: unknown, maxBytes: number): string {
  const text = JSON.stringify(plain)
  // A character has at most three bytes: most texts need not be counted.
  if (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes) {
    throw new OptionError(
      `Expected ${where} to have at most ${maxBytes} bytes as JSON, got ${Buffer.byteLength(text)}. ` +
        'Store what is large elsewhere, and a reference to it here.',
      { code: 'ERR_VALUE_TOO_LARGE' },
    )
  }
  return text
}

/** @throws what `revive` throws; SyntaxError for a text that is no JSON */
export function fromStoredJson(text: string | null, revive: CallReviver): unknown {
  if (text === null) return undefined
  const value: unknown = JSON.parse(text)
  return text.includes(`"${CALL_TAG}"`) ? withCalls(value, revive) : value
}

function withCalls(value: unknown, revive: CallReviver): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => withCalls(item, revive))
  const members = Object.entries(value).map(([key, member]) => [key, withCalls(member, revive)] as const)
  const [only] = members
  if (only?.[0] === CALL_TAG && members.length === 1) return revive(only[1] as CallJson)
  return Object.fromEntries(members)
}
