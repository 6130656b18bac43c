/** Where an inspector is, as a line; and the token that whoever starts one has chosen. */
import { OptionError } from '../errors.ts'
import { isLoopback } from '../http/server-options.ts'
import type { Inspector } from '../inspector/inspector.ts'
import { checkToken } from '../inspector/token.ts'

export const TOKEN_VARIABLE = 'STATEWARD_INSPECT_TOKEN'

/** Not on the command line, which other users of the machine can read. @throws OptionError */
export function ownToken(): { readonly token?: string } {
  const token = process.env[TOKEN_VARIABLE]
  if (token === undefined || token === '') return {}
  checkToken(TOKEN_VARIABLE, token)
  return { token }
}

/** @throws OptionError */
export function checkHost(host: string | undefined): void {
  if (host === undefined || isLoopback(host) || ownToken().token !== undefined) return
  throw new OptionError(
    `Others can reach ${host}: they see nothing without the token. Choose one, in ${TOKEN_VARIABLE}.`,
    { code: 'ERR_OPTION_INVALID' },
  )
}

/** With the token, unless whoever started it knows it already: it may be a log that is written to. */
export function shownUrl({ address, url }: Pick<Inspector, 'address' | 'url'>): string {
  return ownToken().token === undefined ? url : address
}

export function toInspectorLine(inspector: Pick<Inspector, 'address' | 'url'>): string {
  return `Inspector: ${shownUrl(inspector)}`
}
