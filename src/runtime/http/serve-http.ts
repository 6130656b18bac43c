/**
 * The HTTP API on a port of its own.
 *
 * - listening: from the promise of `serveHttp` on.
 * - closing: nothing new is taken, streams end, and what is being answered may be answered, within a bound.
 * - closed: no connection is left.
 *
 * A client that is too slow is cut off, whatever it is slow with: its headers, its body, or reading the answer.
 */
import { createServer, type Server } from 'node:http'
import { type AddressInfo, isIPv6 } from 'node:net'
import { StatewardError } from '../errors.ts'
import { Connections } from './connections.ts'
import { LOOPBACK_HOSTS } from './http-guard.ts'
import { makeHandler } from './http-handler.ts'
import { toNodeListener } from './node-listener.ts'
import { checkServerOptions, type HttpServerOptions, isLoopback } from './server-options.ts'

/** A server that listens. */
export interface HttpServer extends AsyncDisposable {
  readonly host: string
  readonly port: number
  /** `http://127.0.0.1:4711` */
  readonly url: string
  /**
   * Resolves when no connection is left.
   *
   * @param options - `wait`: how long what is being answered may take, ms. @defaultValue 5000
   */
  close(options?: { readonly wait?: number }): Promise<void>
}

const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const IDLE_TIMEOUT_MS = 60_000
const MAX_CONNECTIONS = 2_000
const CLOSE_MS = 5_000

/**
 * Serves the tasks of a queue, on this machine only unless a host is given.
 *
 * ```ts
 * await using server = await serveHttp({ queue, tasks: [sendMail], port: 8080 })
 * ```
 * @throws OptionError for bad options; (`ERR_OPTION_INVALID`) for a host that others reach, without a token
 * @throws StatewardError (`ERR_LISTEN_FAILED`)
 */
export async function serveHttp(options: HttpServerOptions): Promise<HttpServer> {
  checkServerOptions('serveHttp()', options)
  const server = new LiveServer(options)
  await server.listen()
  return server
}

class LiveServer implements HttpServer {
  readonly host: string
  readonly #asked: number
  readonly #server: Server
  readonly #handler: ReturnType<typeof makeHandler>
  readonly #connections: Connections
  readonly #mounts: HttpServerOptions['mounts']
  #closed: Promise<void> | undefined

  constructor(options: HttpServerOptions) {
    const { host = '127.0.0.1', port = 0, headersTimeoutMs = HEADERS_TIMEOUT_MS, mounts } = options
    const { requestTimeoutMs = REQUEST_TIMEOUT_MS, maxConnections = MAX_CONNECTIONS } = options
    this.host = host
    this.#asked = port
    this.#mounts = mounts
    const handler = makeHandler('serveHttp()', { ...options, ...hostsOf(host, options.hosts) })
    this.#handler = handler
    const listener = toNodeListener(handler)
    this.#server = createServer(
      {
        headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
        requestTimeout: requestTimeoutMs,
        connectionsCheckingInterval: Math.min(1_000, Math.ceil(headersTimeoutMs / 4)),
        // Without a host it is answered like every other request that is none.
        requireHostHeader: false,
      },
      (request, response) => void listener(request, response),
    )
    this.#server.maxConnections = maxConnections
    this.#server.timeout = idleTimeout(options)
    this.#connections = new Connections(this.#server, handler)
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#asked
  }

  get url(): string {
    return `http://${isIPv6(this.host) ? `[${this.host}]` : this.host}:${this.port}`
  }

  listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const server = this.#server
    const onError = (cause: NodeJS.ErrnoException): void => {
      void this.#handler.close()
      const text = `Nothing can listen on ${this.host}:${this.#asked}: ${cause.message}`
      reject(new StatewardError(text, { code: 'ERR_LISTEN_FAILED', cause }))
    }
    server.once('error', onError)
    server.listen({ host: this.host, port: this.#asked }, () => {
      server.off('error', onError)
      // No file is left for a connection, say: the next one may find one.
      server.on('error', (error) => this.#handler.report(error))
      resolve()
    })
    return promise
  }

  close({ wait = CLOSE_MS }: { readonly wait?: number } = {}): Promise<void> {
    this.#closed ??= this.#close()
    const timer = setTimeout(() => this.#connections.destroy(), wait)
    return this.#closed.finally(() => clearTimeout(timer))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    const ended = this.#handler.close()
    for (const { close } of this.#mounts ?? []) close?.()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeIdleConnections()
    await Promise.all([ended, promise])
  }
}

/** Where only this machine reaches a server, a request for another name comes from a page that was made to look like us. */
function hostsOf(host: string, given: HttpServerOptions['hosts']): Pick<HttpServerOptions, 'hosts'> {
  if (given !== undefined) return { hosts: given }
  return isLoopback(host) ? { hosts: [...LOOPBACK_HOSTS, isIPv6(host) ? `[${host}]` : host] } : {}
}

/** Comments on a stream have to come before it. */
function idleTimeout({ idleTimeoutMs = IDLE_TIMEOUT_MS, heartbeatMs = 0 }: HttpServerOptions): number {
  return Math.max(idleTimeoutMs, 2 * heartbeatMs)
}
