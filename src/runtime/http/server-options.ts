/** Options of a server of the HTTP API: checked before anything is served. */
import { type Checks, check, refuse } from '../check.ts'
import { OptionError } from '../errors.ts'
import { checkHandlerOptions, HANDLER_CHECKS, type HttpHandlerOptions } from './http-options.ts'

export interface HttpServerOptions extends HttpHandlerOptions {
  /** Address to listen on. Any but a loopback address needs a `token`. @defaultValue '127.0.0.1' */
  readonly host?: string
  /** `0` takes a free one. @defaultValue 0 */
  readonly port?: number
  /** How long the headers of a request may take to arrive, ms. @defaultValue 10000 */
  readonly headersTimeoutMs?: number
  /** How long a whole request may take to arrive, ms. @defaultValue 30000 */
  readonly requestTimeoutMs?: number
  /**
   * How long a connection may show no sign of life, ms: a client that does not read. Up to twice as long while what was written
   * for it is on its way. @defaultValue 60000
   */
  readonly idleTimeoutMs?: number
  /** At a time. @defaultValue 2000 */
  readonly maxConnections?: number
}

export const SERVER_CHECKS: Checks = {
  ...HANDLER_CHECKS,
  host: check.text,
  port: (where, value) => {
    if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 65_535)
      refuse(where, 'a port, 0 to 65535', value)
  },
  headersTimeoutMs: check.count(1),
  requestTimeoutMs: check.count(1),
  idleTimeoutMs: check.count(1),
  maxConnections: check.count(1),
}

/** @throws OptionError */
export function checkServerOptions(where: string, options: HttpServerOptions): void {
  checkHandlerOptions(where, options, SERVER_CHECKS)
  checkReach(where, options)
}

/** @throws OptionError for a server that everybody who reaches this machine could use */
export function checkReach(where: string, options: Pick<HttpServerOptions, 'host' | 'token'>): void {
  const { host = '127.0.0.1', token } = options
  if (token !== undefined || isLoopback(host)) return
  throw new OptionError(
    `${where} is to listen on ${host}, where other machines reach it: expected a token, got none. ` +
      'Give a token of 16 characters or more, or listen on 127.0.0.1.',
    { code: 'ERR_OPTION_INVALID' },
  )
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(host)
}
