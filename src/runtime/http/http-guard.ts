/**
 * Who may ask. A page of another site can have a browser ask here, and by a name of its own that it lets point to this
 * machine it can even read the answers (DNS rebinding). So: the name that a request was sent to has to be one of ours where
 * names are given, a page that asks has to be of this site or one of `origins`, and whoever asks has to know the token where
 * there is one.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { HttpRefusal } from './http-problem.ts'

export interface GuardOptions {
  readonly token: string | undefined
  /** Names without a port; `undefined` takes all. */
  readonly hosts: readonly string[] | undefined
  /** Beside the site itself. */
  readonly origins: readonly string[]
}

/** Names by which a machine reaches itself. */
export const LOOPBACK_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

export class HttpGuard {
  readonly #hosts: ReadonlySet<string> | undefined
  readonly #origins: ReadonlySet<string>
  readonly #digest: Buffer | undefined

  constructor({ token, hosts, origins }: GuardOptions) {
    this.#hosts = hosts === undefined ? undefined : new Set(hosts.map((host) => host.toLowerCase()))
    this.#origins = new Set(origins)
    this.#digest = token === undefined ? undefined : digestOf(token)
  }

  /** @throws HttpRefusal */
  checkSender(request: Request): void {
    const host = hostOf(request)
    if (this.#hosts !== undefined && !this.#hosts.has(host.replace(/:\d+$/, '')))
      throw new HttpRefusal(`This server does not answer for the host ${host}.`, {
        code: 'ERR_HTTP_HOST_REFUSED',
      })
    const origin = request.headers.get('origin')
    if (origin === null || this.isKnownOrigin(origin) || hostOfOrigin(origin) === host) return
    throw new HttpRefusal(`Pages of ${origin} may not ask this server.`, { code: 'ERR_HTTP_ORIGIN_REFUSED' })
  }

  isKnownOrigin(origin: string): boolean {
    return this.#origins.has(origin)
  }

  /** @throws HttpRefusal */
  checkToken(request: Request): void {
    if (this.#digest === undefined) return
    const [, given = ''] = /^bearer +(\S+) *$/i.exec(request.headers.get('authorization') ?? '') ?? []
    // Digests have one length, so that the time says nothing about the token, nor about how long it is.
    if (timingSafeEqual(digestOf(given), this.#digest)) return
    throw new HttpRefusal('Expected the header Authorization: Bearer <token>.', {
      code: 'ERR_HTTP_TOKEN_MISSING',
      headers: { 'www-authenticate': 'Bearer realm="stateward"' },
    })
  }
}

/** Behind a proxy that passes the header on this is what its client has asked for. */
function hostOf(request: Request): string {
  return (request.headers.get('host') ?? new URL(request.url).host).toLowerCase()
}

function hostOfOrigin(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
