/** How an error is told on stderr: a sentence with its code, or with `--json` a line of JSON. */
import { CommanderError } from 'commander'
import { CalendarError } from '../../actors/calendar-error.ts'
import { isStatewardError } from '../errors.ts'
import type { CliIo } from './cli-io.ts'

interface ToldError {
  readonly code: string
  readonly message: string
  readonly causes: readonly string[]
}

export function tellError({ stderr }: Pick<CliIo, 'stderr'>, error: unknown, json: boolean): void {
  const { code, message, causes } = toTold(error)
  if (json) {
    stderr.write(`${JSON.stringify({ error: { code, message, causes } })}\n`)
    return
  }
  stderr.write(`stateward: ${message} (${code})\n`)
  for (const cause of causes) stderr.write(`  because: ${cause}\n`)
}

function toTold(error: unknown): ToldError {
  if (error instanceof CommanderError)
    return { code: 'ERR_USAGE', message: sentence(error.message), causes: [] }
  if (isStatewardError(error))
    return { code: error.code, message: error.message, causes: causesOf(error.cause, error.message) }
  const { code = 'ERR_UNKNOWN', message = String(error) } = (error ?? {}) as {
    code?: string
    message?: string
  }
  return { code, message, causes: causesOf((error as Error | undefined)?.cause) }
}

/**
 * What a calendar says is the sentence already.
 *
 * @param said - a cause that says no more is left out
 */
function causesOf(cause: unknown, said?: string): string[] {
  const causes: string[] = []
  for (let next = cause; next !== undefined && next !== null && causes.length < 5; ) {
    if (next instanceof CalendarError) break
    const text = next instanceof Error ? `${next.name}: ${next.message}` : String(next)
    if (!(next instanceof Error && next.message === said)) causes.push(text)
    next = next instanceof Error ? next.cause : undefined
  }
  return causes
}

function sentence(text: string): string {
  const plain = text.replace(/^error: /, '').trim()
  const first = `${plain.charAt(0).toUpperCase()}${plain.slice(1)}`.replaceAll(/\s*\n\s*/g, '. ')
  return /[.?)]$/.test(first) ? first : `${first}.`
}
