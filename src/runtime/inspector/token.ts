/** What an inspector takes for a token. */
import { OptionError } from '../errors.ts'

/**
 * What it was given is not said in the error: it may be a secret all the same.
 *
 * @throws OptionError
 */
export function checkToken(where: string, value: unknown): void {
  if (typeof value === 'string' && /^[\w-]{16,}$/.test(value)) return
  throw new OptionError(`Expected ${where} to be at least 16 letters, digits, "-" or "_".`, {
    code: 'ERR_OPTION_INVALID',
  })
}
