/**
 * Who may look and who may act. Pure, but for the comparison of tokens.
 *
 * A server on this machine alone is open to whoever is on it: anybody may look, the token is needed to act. What reaches it
 * through a browser must come from its own page: the `Host` must be a name of the server (a name that another site has
 * pointed here is none), and a WebSocket's `Origin` that host. A server on another address shows nothing without the token.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import { isLoopback } from '../http/server-options.ts'
import type { Access } from './messages.ts'

export interface AccessOptions {
  /** Address that the server listens on. */
  readonly host: string
  /** Further names that it has. */
  readonly names: readonly string[]
  readonly token: string
}

/** What a connection may before it has logged in. */
export function firstAccess({ host }: Pick<AccessOptions, 'host'>): Access {
  return isLoopback(host) ? 'look' : 'none'
}

/** Whether what says that it wants `hostHeader` means this server. */
export function isOwnHost(hostHeader: string | undefined, { host, names }: AccessOptions): boolean {
  const name = hostName(hostHeader)
  if (name === undefined) return false
  if (isLoopback(host)) return isLoopback(name) || names.includes(name)
  // A name that another site has made for this address is none of its own; an address cannot be made so.
  return isIP(name) !== 0 || name === 'localhost' || name === host.toLowerCase() || names.includes(name)
}

/** Whether a WebSocket comes from the server's own page, or from no page at all. */
export function isOwnOrigin(origin: string | undefined, hostHeader: string | undefined): boolean {
  if (origin === undefined) return true
  try {
    return new URL(origin).host === (hostHeader ?? '').toLowerCase()
  } catch {
    return false
  }
}

/** Takes as long for every wrong token. */
export function isToken(given: string, { token }: Pick<AccessOptions, 'token'>): boolean {
  return timingSafeEqual(digest(given), digest(token))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function hostName(hostHeader: string | undefined): string | undefined {
  try {
    const { hostname, username, pathname } = new URL(`http://${hostHeader ?? ''}`)
    if (username !== '' || pathname !== '/') return undefined
    return hostname.replace(/^\[(.*)\]$/, '$1')
  } catch {
    return undefined
  }
}
