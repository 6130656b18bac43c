/** Texts that are stored beside a task, and how long they may be. */
import { type Check, check } from '../check.ts'
import { OptionError } from '../errors.ts'

/** Bytes of an id, a key, and the name of a schedule: an index holds them. */
const MAX_NAME_BYTES = 1_024
/** Characters: it is for people, and lists show it. */
const MAX_DESCRIPTION = 10_000

/** An id, a key, or the name of a schedule. @throws OptionError (`ERR_VALUE_TOO_LARGE`) */
export const checkName: Check = (where, value) => {
  check.wellFormed(where, value)
  const bytes = Buffer.byteLength(value as string)
  if (bytes > MAX_NAME_BYTES) tooLarge(where, `${MAX_NAME_BYTES} bytes`, bytes, 'Use a hash of it.')
}

/** @throws OptionError (`ERR_VALUE_TOO_LARGE`) */
export const checkDescription: Check = (where, value) => {
  check.wellFormed(where, value)
  const { length } = value as string
  if (length > MAX_DESCRIPTION)
    tooLarge(where, `${MAX_DESCRIPTION} characters`, length, 'What a task works on is its input.')
}

/** One that a definition makes of an input is cut: no task fails for it. */
export function shortDescription(text: string): string {
  return text.length <= MAX_DESCRIPTION ? text : `${text.slice(0, MAX_DESCRIPTION - 1)}…`
}

function tooLarge(where: string, most: string, got: number, hint: string): never {
  throw new OptionError(`Expected ${where} to have at most ${most}, got ${got}. ${hint}`, {
    code: 'ERR_VALUE_TOO_LARGE',
  })
}
