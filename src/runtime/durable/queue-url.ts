/** What the URL of a queue says. */
import { didYouMean, refuse } from '../check.ts'
import { OptionError } from '../errors.ts'

export type QueueUrl =
  | { readonly engine: 'sqlite'; readonly file: string }
  | { readonly engine: 'postgres'; readonly url: string }

const EXAMPLES = "Write 'sqlite:./tasks.db' or 'postgres://user@host/database'."
const SCHEMES = ['sqlite', 'postgres', 'postgresql']

/**
 * The path of a SQLite file is taken as it stands: relative to the working directory, nothing in it is decoded.
 *
 * @throws OptionError; the sentence never shows the URL, which may hold a password
 */
export function parseQueueUrl(url: unknown): QueueUrl {
  if (typeof url !== 'string' || url === '') refuse('url', 'the URL of a database', url, EXAMPLES)
  if (url.includes('\0')) throw invalid('a NUL character in it', EXAMPLES)
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(url)?.[1]?.toLowerCase()
  if (scheme === undefined) throw invalid(`no scheme before a colon`, EXAMPLES)
  if (scheme === 'sqlite') return { engine: 'sqlite', file: sqliteFile(url.slice('sqlite:'.length)) }
  if (scheme !== 'postgres' && scheme !== 'postgresql') {
    throw invalid(`the scheme "${scheme}"`, `${didYouMean(scheme, SCHEMES)} ${EXAMPLES}`.trim())
  }
  if (!URL.canParse(url)) {
    throw invalid(
      'a PostgreSQL URL whose host or port (up to 65535) cannot be read',
      `Write special characters of a password percent-encoded. ${EXAMPLES}`,
    )
  }
  if (!/^\/[^/]+$/.test(new URL(url).pathname)) {
    throw invalid('a PostgreSQL URL without the name of a database', EXAMPLES)
  }
  return { engine: 'postgres', url }
}

function sqliteFile(rest: string): string {
  if (rest === ':memory:' || rest.startsWith(':memory:')) {
    throw invalid(
      'a database in memory',
      'No other process can see it, and nothing in it outlives this one. Name a file.',
    )
  }
  const hasHost = /^\/\/[^/]/.test(rest)
  if (hasHost)
    throw invalid('a host in the URL of a file', "Write 'sqlite:./tasks.db' or 'sqlite:/var/tasks.db'.")
  const file = rest.replace(/^\/\/(?=\/)/, '')
  if (file === '' || file.endsWith('/'))
    throw invalid('no file behind "sqlite:"', "Write 'sqlite:./tasks.db'.")
  if (file.includes('?'))
    throw invalid('a "?" in the URL of a file', 'Options stand beside the url, not in it.')
  return file
}

function invalid(got: string, hint: string): OptionError {
  return new OptionError(`Expected url to name a database, got ${got}. ${hint}`, {
    code: 'ERR_OPTION_INVALID',
  })
}
