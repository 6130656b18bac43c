/**
 * What a request says as text, as the values that a queue takes. Nothing is judged here: what is no number stays the text
 * that it was, and is refused with the sentence that every wrong option gets.
 */

import { didYouMean, refuse } from '../check.ts'
import type { StoredTaskQuery } from '../durable/task-query.ts'
import { OptionError } from '../errors.ts'
import { isoInstant } from '../iso-instant.ts'

/** What of a task is only shown to whoever asks for it: it may hold secrets, or say where a program lies. */
export type Inclusion = 'input' | 'stack'

const INCLUSIONS: readonly Inclusion[] = ['input', 'stack']

/** Members that may be given several times, or as a list with commas. */
const LISTS = ['state', 'name']
const INSTANTS = ['createdFrom', 'createdBefore', 'endedFrom', 'endedBefore']
const TEXTS = ['key', 'schedule', 'parent', 'order', 'after']
const METADATA = 'metadata.'

/** What an instant may be written as. */
export const INSTANT_IN_WORDS =
  'an instant: milliseconds since 1970, or ISO 8601 with its zone, "2027-01-31T08:00:00Z"'

/** @throws OptionError for a parameter that does not exist, or is given twice */
export function taskQueryOf(params: URLSearchParams): StoredTaskQuery {
  const query: Record<string, unknown> = {}
  const metadata: Record<string, unknown> = {}
  for (const name of new Set(params.keys())) {
    const values = params.getAll(name)
    if (LISTS.includes(name)) query[name] = values.flatMap((value) => value.split(','))
    else if (INSTANTS.includes(name)) query[name] = toInstant(name, single(name, values))
    else if (TEXTS.includes(name)) query[name] = single(name, values)
    else if (name === 'limit') query[name] = toNumberValue(single(name, values))
    else if (name.startsWith(METADATA)) metadata[name.slice(METADATA.length)] = toMember(single(name, values))
    else if (name !== 'include')
      throw unknownParameter(name, [...LISTS, ...INSTANTS, ...TEXTS, 'limit', 'include'])
  }
  return { ...query, ...(Object.keys(metadata).length === 0 ? {} : { metadata }) } as StoredTaskQuery
}

/**
 * @param known - what can be asked for
 * @throws OptionError
 */
export function inclusionsOf(
  params: URLSearchParams,
  known: readonly Inclusion[] = INCLUSIONS,
): ReadonlySet<Inclusion> {
  const asked = params.getAll('include').flatMap((value) => value.split(','))
  for (const one of asked) {
    if ((known as readonly string[]).includes(one)) continue
    throw new OptionError(
      `Expected query.include to be of ${known.join(', ')}, got ${JSON.stringify(one)}.`,
      { code: 'ERR_OPTION_INVALID' },
    )
  }
  return new Set(asked as Inclusion[])
}

/** @throws OptionError for a parameter that is none of `known` */
export function checkParameters(params: URLSearchParams, known: readonly string[]): void {
  for (const name of params.keys()) if (!known.includes(name)) throw unknownParameter(name, known)
}

/** An instant in a body: epoch ms, or a text of ISO 8601 with its zone. */
export function toInstantValue(given: unknown): unknown {
  return typeof given === 'string' ? (isoInstant(given) ?? given) : given
}

/**
 * In a query all is text: what has only digits is epoch ms.
 *
 * @throws OptionError
 */
function toInstant(name: string, text: string): number {
  const at = /^-?\d{1,15}$/.test(text) ? Number(text) : isoInstant(text)
  if (at !== undefined) return at
  return refuse(`query.${name}`, INSTANT_IN_WORDS, text, 'A + is written %2B in a query.')
}

function toNumberValue(text: string): unknown {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text
}

/** `metadata.user=5` is the number, `metadata.user="5"` the text; what is no JSON is a text, too. */
function toMember(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function single(name: string, values: readonly string[]): string {
  const [value = '', ...more] = values
  if (more.length === 0) return value
  throw new OptionError(`Expected query.${name} to be given once, got ${values.length} values.`, {
    code: 'ERR_OPTION_INVALID',
  })
}

function unknownParameter(name: string, known: readonly string[]): OptionError {
  const hint =
    didYouMean(name, known) || (known.length === 0 ? 'It takes none.' : `Known are ${known.join(', ')}.`)
  return new OptionError(`The query has no parameter "${name}". ${hint}`, { code: 'ERR_OPTION_UNKNOWN' })
}
