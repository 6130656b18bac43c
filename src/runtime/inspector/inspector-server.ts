/**
 * The server of an inspector: the page over HTTP, its feed over WebSockets, on one port.
 *
 * - `listening`: from `listen` on.
 * - `closing`: nobody is let in; pages are told goodbye, and go.
 * - `closed`: no socket is left.
 *
 * It never holds the process open by itself, unless it is asked to.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { type AccessOptions, firstAccess, isOwnHost, isOwnOrigin, isToken } from './access.ts'
import type { Feed } from './feed.ts'
import { type PageFiles, servePage } from './page-files.ts'
import type { StatelyFeed } from './stately-feed.ts'

export interface InspectorServerOptions {
  readonly access: AccessOptions
  readonly port: number
  readonly files: PageFiles
  readonly feed: Feed
  /** For Stately's inspectors, of a supervisor. */
  readonly stately: StatelyFeed | undefined
  /** Holds the process open while it listens. */
  readonly holds: boolean
}

/** Of one message of a page. */
const MOST_BYTES = 65_536
/** Pages at a time. */
const MOST_PAGES = 256
/** Who may see nothing before it logs in does so, or goes. */
const LOGIN_MS = 5_000
/** What has not closed by itself then is cut off. */
const CLOSE_MS = 500
/** Between signs of life of a page: one that gave none since the last is cut off. */
const BEAT_MS = 30_000

export class InspectorServer {
  readonly #options: InspectorServerOptions
  readonly #http: Server
  readonly #sockets: WebSocketServer
  readonly #alive = new WeakSet<WebSocket>()
  #beat: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  constructor(options: InspectorServerOptions) {
    this.#options = options
    this.#sockets = new WebSocketServer({ noServer: true, maxPayload: MOST_BYTES })
    this.#http = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
      if (isOwnHost(request.headers.host, options.access)) return servePage(options.files, request, response)
      response.writeHead(421, { 'Content-Type': 'text/plain' }).end('This is not the host that you mean.\n')
    })
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    if (!options.holds) this.#http.on('connection', (socket: Socket) => void socket.unref())
  }

  /** Resolves with the port. @throws what the system says when it cannot listen there */
  async listen(): Promise<number> {
    const { access, port, holds } = this.#options
    const listening = Promise.withResolvers<void>()
    this.#http.once('error', listening.reject)
    this.#http.listen({ host: access.host, port }, listening.resolve)
    await listening.promise
    this.#http.off('error', listening.reject)
    // A connection that fails is over, and nothing else is.
    this.#http.on('error', () => {})
    if (!holds) this.#http.unref()
    return (this.#http.address() as AddressInfo).port
  }

  /** Resolves when nobody is connected any more. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    clearInterval(this.#beat)
    const { feed, stately } = this.#options
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()))
    this.#http.closeIdleConnections()
    const bound = setTimeout(() => {
      for (const socket of this.#sockets.clients) socket.terminate()
      this.#http.closeAllConnections()
    }, CLOSE_MS)
    stately?.close()
    await feed.close()
    await closed
    clearTimeout(bound)
    this.#sockets.close()
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { access, feed, stately } = this.#options
    const { host, origin } = request.headers
    const [path, query = ''] = (request.url ?? '').split('?', 2)
    const token = new URLSearchParams(query).get('token')
    const hasToken = token !== null && isToken(token, access)
    socket.on('error', () => socket.destroy())
    if (!isOwnHost(host, access)) return refuse(socket, '421 Misdirected Request')
    // A page of another site may come with the token: Stately's own does.
    const isOwn = isOwnOrigin(origin, host) || (path === '/stately' && hasToken)
    if (!isOwn) return refuse(socket, '403 Forbidden')
    if (path === '/stately' && stately !== undefined) {
      if (firstAccess(access) === 'none' && !hasToken) return refuse(socket, '401 Unauthorized')
    } else if (path !== '/feed') return refuse(socket, '404 Not Found')
    const isFull = feed.size + (stately?.size ?? 0) >= MOST_PAGES
    if (this.#closing !== undefined || isFull) return refuse(socket, '503 Service Unavailable')
    this.#sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => client.terminate())
      this.#watch(client)
      if (path === '/feed') this.#welcome(client)
      else if (stately !== undefined) client.on('close', stately.connect(client))
    })
  }

  #welcome(client: WebSocket): void {
    const { feed, access } = this.#options
    const page = feed.connect(client, firstAccess(access))
    if (page.access === 'none') {
      const bound = setTimeout(() => {
        if (page.access === 'none') page.end(1008, 'no token was given')
      }, LOGIN_MS).unref()
      client.on('close', () => clearTimeout(bound))
    }
    client.on('message', (data, isBinary) => {
      if (isBinary) page.end(1003, 'text is expected')
      else page.hear(data.toString())
    })
    client.on('close', () => page.left())
  }

  /** A page whose machine is gone says nothing any more, not even that. */
  #watch(client: WebSocket): void {
    this.#alive.add(client)
    client.on('pong', () => this.#alive.add(client))
    this.#beat ??= setInterval(() => this.#feelPulse(), BEAT_MS).unref()
  }

  #feelPulse(): void {
    for (const client of this.#sockets.clients) {
      if (!this.#alive.has(client)) client.terminate()
      else {
        this.#alive.delete(client)
        client.ping()
      }
    }
    if (this.#sockets.clients.size > 0) return
    clearInterval(this.#beat)
    this.#beat = undefined
  }
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
