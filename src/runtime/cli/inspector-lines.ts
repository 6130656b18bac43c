/** Where an inspector is, as a line; and the token that whoever starts one has chosen. */
import type { Inspector } from '../inspector/inspector.ts'

export const TOKEN_VARIABLE = 'STATEWARD_INSPECT_TOKEN'

/** Not on the command line, which other users of the machine can read. */
export function ownToken(): { readonly token?: string } {
  const token = process.env[TOKEN_VARIABLE]
  return token === undefined || token === '' ? {} : { token }
}

/** With the token, unless whoever started it knows it already: it may be a log that is written to. */
export function toInspectorLine({ address, url }: Pick<Inspector, 'address' | 'url'>): string {
  return `Inspector: ${ownToken().token === undefined ? url : address}`
}
