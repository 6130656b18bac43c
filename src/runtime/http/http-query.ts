/**
 * What a request says as text, as the values that a queue takes. Nothing is judged here: what is no number stays the text
 * that it was, and is refused with the sentence that every wrong option gets.
 */

import { didYouMean } from '../check.ts'
import type { StoredTaskQuery } from '../durable/task-query.ts'
import { OptionError } from '../errors.ts'

/** What of a task is only shown to whoever asks for it: it may hold secrets, or say where a program lies. */
export type Inclusion = 'input' | 'stack'

const INCLUSIONS: readonly Inclusion[] = ['input', 'stack']

/** Members that may be given several times, or as a list with commas. */
const LISTS = ['state', 'name']
const INSTANTS = ['createdFrom', 'createdBefore', 'endedFrom', 'endedBefore']
const TEXTS = ['key', 'schedule', 'parent', 'order', 'after']
const METADATA = 'metadata.'

/** @throws OptionError for a parameter that does not exist, or is given twice */
export function taskQueryOf(params: URLSearchParams): StoredTaskQuery {
  const query: Record<string, unknown> = {}
  const metadata: Record<string, unknown> = {}
  for (const name of new Set(params.keys())) {
    const values = params.getAll(name)
    if (LISTS.includes(name)) query[name] = values.flatMap((value) => value.split(','))
    else if (INSTANTS.includes(name)) query[name] = toInstantValue(single(name, values))
    else if (TEXTS.includes(name)) query[name] = single(name, values)
    else if (name === 'limit') query[name] = toNumberValue(single(name, values))
    else if (name.startsWith(METADATA)) metadata[name.slice(METADATA.length)] = toMember(single(name, values))
    else if (name !== 'include')
      throw unknownParameter(name, [...LISTS, ...INSTANTS, ...TEXTS, 'limit', 'include'])
  }
  return { ...query, ...(Object.keys(metadata).length === 0 ? {} : { metadata }) } as StoredTaskQuery
}

/** @throws OptionError */
export function inclusionsOf(params: URLSearchParams): ReadonlySet<Inclusion> {
  const asked = params.getAll('include').flatMap((value) => value.split(','))
  for (const one of asked) {
    if ((INCLUSIONS as readonly string[]).includes(one)) continue
    throw new OptionError(
      `Expected query.include to be of ${INCLUSIONS.join(', ')}, got ${JSON.stringify(one)}.`,
      { code: 'ERR_OPTION_INVALID' },
    )
  }
  return new Set(asked as Inclusion[])
}

/** @throws OptionError for a parameter that is none of `known` */
export function checkParameters(params: URLSearchParams, known: readonly string[]): void {
  for (const name of params.keys()) if (!known.includes(name)) throw unknownParameter(name, known)
}

/** An instant in a body or a query: epoch ms, or a text of ISO 8601 with its zone. */
export function toInstantValue(given: unknown): unknown {
  if (typeof given !== 'string') return given
  if (/^-?\d{1,16}$/.test(given)) return Number(given)
  const isIso = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(given)
  const at = isIso ? Date.parse(given) : Number.NaN
  return Number.isNaN(at) ? given : at
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
