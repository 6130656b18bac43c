/** The command line: `[DIR] [--report FILE] [--state DIR] [--fresh] [--quiet] [--keep]`. */
import { accessSync, constants, existsSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

export interface Options {
  /** Absolute and without links. */
  readonly directory: string
  /** Absolute; its directory exists and may be written to. */
  readonly report: string
  /** Absolute and without links: where the job is kept until it is finished. */
  readonly state: string
  /** Forget an unfinished job. */
  readonly fresh: boolean
  readonly quiet: boolean
  /** Keep the inspector up when the job is done, until a signal comes. */
  readonly keep: boolean
}

export const USAGE = `Usage: npm start -- [DIR] [--report FILE] [--state DIR] [--fresh] [--quiet] [--keep]

Digests every file below DIR (default: this project's node_modules): SHA-256 and Brotli ratio.
However it ends before it is done, started again it goes on where it was.

  --report FILE  where the JSON report goes (default: reports/digest.json)
  --state DIR    where the job is kept until it is done (default: .stateward)
  --fresh        begin anew, forget an unfinished job
  --quiet        no progress and no table
  --keep         keep the inspector's page up when it is done, until Ctrl-C
  --help         this text`

/** The command line will not do; the message is the sentence to print. */
export class UsageError extends Error {}

const PROJECT = resolve(import.meta.dirname, '../..')

/**
 * @returns `undefined` when only the usage is asked for
 * @throws UsageError
 */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values, positionals } = parse(args)
  if (values.help) return undefined
  if (positionals.length > 1) throw new UsageError(`Expected one directory, not ${positionals.length}.`)
  const [given = join(PROJECT, 'node_modules')] = positionals
  return {
    directory: readDirectory(given),
    report: readReport(values.report ?? join(PROJECT, 'reports', 'digest.json')),
    state: readState(values.state ?? join(PROJECT, '.stateward')),
    fresh: values.fresh,
    quiet: values.quiet,
    keep: values.keep,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        report: { type: 'string' },
        state: { type: 'string' },
        fresh: { type: 'boolean', default: false },
        quiet: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (cause) {
    // What Node says of positional arguments beyond the first sentence does not apply.
    const [sentence = ''] = (cause as Error).message.split('. ')
    throw new UsageError(`${sentence.replace(/\.$/, '')}. Try --help.`, { cause })
  }
}

function readDirectory(given: string): string {
  try {
    if (statSync(given).isDirectory()) return realpathSync(given)
  } catch (cause) {
    throw new UsageError(`Cannot digest ${given}: ${reason(cause)}.`, { cause })
  }
  throw new UsageError(`Cannot digest ${given}: it is not a directory.`)
}

/** Found out now rather than after an hour's work. */
function readReport(given: string): string {
  try {
    if (given === '') throw new Error('the name is empty')
    const directory = dirname(resolve(given))
    makeDirectory(directory)
    accessSync(directory, constants.W_OK)
    const file = join(realpathSync(directory), basename(resolve(given)))
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) throw new Error('it is a directory')
    return file
  } catch (cause) {
    throw new UsageError(`Cannot write the report to ${given || '""'}: ${reason(cause)}.`, { cause })
  }
}

function readState(given: string): string {
  try {
    if (given === '') throw new Error('the name is empty')
    makeDirectory(resolve(given))
    accessSync(given, constants.W_OK)
    if (!statSync(given).isDirectory()) throw new Error('it is not a directory')
    return realpathSync(given)
  } catch (cause) {
    throw new UsageError(`Cannot keep the job in ${given || '""'}: ${reason(cause)}.`, { cause })
  }
}

/** Not `recursive: true`: on a file system that makes no directories, /proc say, Node would never return. */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return
  makeDirectory(dirname(directory))
  try {
    mkdirSync(directory)
  } catch (error) {
    // Another process has made it just now.
    if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'it does not exist'
  if (code === 'EACCES' || code === 'EROFS') return 'permission denied'
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'a part of its path is not a directory'
  return message
}
