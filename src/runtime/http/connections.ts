/**
 * The connections of one server, and what a client is told that does not speak HTTP, or not in time. Connections that were
 * taken over by somebody else count as well: none of them outlives the server.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Upgrades } from './http-handler.ts'
import { HttpRefusal, type ProblemCode, problemOf } from './http-problem.ts'

const CODES: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['ERR_HTTP_TIMED_OUT', 'The request took too long to arrive.'],
  HPE_HEADER_OVERFLOW: ['ERR_HTTP_HEADERS_TOO_LARGE', 'The headers of the request are too large.'],
}

export class Connections {
  readonly #open = new Set<Socket>()
  /** What is being answered on each. */
  readonly #answers = new WeakMap<object, ServerResponse>()

  constructor(server: Server, upgrades: Upgrades) {
    server.on('connection', (socket) => {
      this.#open.add(socket)
      socket.once('close', () => this.#open.delete(socket))
    })
    server.on('request', ({ socket }, response) => {
      this.#answers.set(socket, response)
      // Whoever was being answered when the server was closed would be waited for until he is idle for long.
      response.once(
        'close',
        () => void (server.listening || setImmediate(() => server.closeIdleConnections())),
      )
    })
    // Whoever expects what nobody knows gets his answer all the same.
    server.on('checkExpectation', (request, response) => server.emit('request', request, response))
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#onClientError(error, socket))
    server.on('upgrade', (request, socket, head) => upgrade(upgrades, request, socket, head))
  }

  /** Ends all that are left, in the middle of what they do. */
  destroy(): void {
    for (const socket of this.#open) socket.destroy()
  }

  #onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    const answer = this.#answers.get(socket)
    // What comes late of a request that has its answer gets no second one.
    const isAnswered = answer?.headersSent === true && !(answer.writableEnded && answer.req.complete)
    if (error.code === 'ECONNRESET' || !socket.writable || isAnswered) {
      socket.destroy()
      return
    }
    const [code, text] = CODES[error.code ?? ''] ?? [
      'ERR_HTTP_REQUEST_INVALID',
      'What came is no HTTP request.',
    ]
    const { status, title, ...rest } = problemOf(code, text)
    endWith(socket, status, title, 'application/problem+json', JSON.stringify({ ...rest, status, title }))
  }
}

function upgrade(upgrades: Upgrades, incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
  // Whoever takes it over has listeners of his own.
  socket.on('error', () => socket.destroy())
  try {
    const request = new Request(`http://${incoming.headers.host}${incoming.url}`, {
      headers: Object.entries(incoming.headers).flatMap(([name, value]) =>
        typeof value === 'string' ? [[name, value] as [string, string]] : [],
      ),
    })
    const mount = upgrades.mountOf(request)
    if (mount?.upgrade === undefined)
      throw new HttpRefusal('There is nothing here.', { code: 'ERR_HTTP_NOT_FOUND' })
    mount.upgrade(incoming, socket, head)
  } catch (error) {
    const known =
      error instanceof TypeError
        ? new HttpRefusal('The host is none.', { code: 'ERR_HTTP_REQUEST_INVALID' })
        : error
    const problem = upgrades.problem(known)
    const { status, statusText, headers } = problem
    const type = headers.get('content-type') ?? 'text/plain'
    void problem.text().then((text) => endWith(socket, status, statusText, type, text))
  }
}

function endWith(socket: Duplex, status: number, title: string, type: string, body: string): void {
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nConnection: close\r\nContent-Type: ${type}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy(),
  )
}
