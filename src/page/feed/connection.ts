/**
 * The WebSocket to the server, made again for as long as the page lives.
 *
 * - `connecting`: a socket was made, nothing was heard yet.
 * - `open`: the server has said `hello`.
 * - `waiting`: it was lost; the next try is at `retryAt`, sooner when the page is looked at again.
 * - `outdated`: the server speaks another protocol than this page: only a reload helps.
 *
 * The server is authoritative: whatever it says after `hello` holds. What was asked and not answered when the connection is lost
 * is told to have failed (see requests.ts).
 */
import { FEED_PROTOCOL, type PageMessage, type ServerMessage } from '../../runtime/inspector/messages.ts'

export type ConnectionState =
  | { readonly name: 'connecting'; readonly tries: number }
  | { readonly name: 'open' }
  | { readonly name: 'waiting'; readonly tries: number; readonly retryAt: number }
  | { readonly name: 'outdated' }

export interface ConnectionListener {
  /** A message of a server that speaks our protocol. */
  onMessage(message: ServerMessage): void
  onState(state: ConnectionState): void
}

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 4_000

export class Connection {
  readonly #url: string
  readonly #listener: ConnectionListener
  #state: ConnectionState = { name: 'connecting', tries: 0 }
  #socket: WebSocket | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(url: string, listener: ConnectionListener) {
    this.#url = url
    this.#listener = listener
  }

  /** Does nothing when it is open or about to be. */
  connect(): void {
    if (this.#socket !== undefined || this.#state.name === 'outdated') return
    clearTimeout(this.#timer)
    this.#enter({ name: 'connecting', tries: 'tries' in this.#state ? this.#state.tries : 0 })
    const socket = new WebSocket(this.#url)
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => this.#hear(socket, JSON.parse(data)))
    socket.addEventListener('close', () => this.#lose(socket))
  }

  /** Begins anew: the server says all again. */
  restart(): void {
    this.leave()
    this.connect()
  }

  /** All has been said: the next try is for another server. */
  leave(): void {
    const socket = this.#socket
    if (socket === undefined) return
    this.#lose(socket)
    socket.close()
  }

  /** @returns whether it was sent; the server need not have got it */
  send(message: PageMessage): boolean {
    if (this.#state.name !== 'open') return false
    this.#socket?.send(JSON.stringify(message))
    return true
  }

  #hear(socket: WebSocket, message: ServerMessage): void {
    if (socket !== this.#socket) return
    if (message.type === 'hello') {
      if (message.protocol !== FEED_PROTOCOL) return this.#giveUp(socket)
      this.#enter({ name: 'open' })
    }
    this.#listener.onMessage(message)
  }

  #giveUp(socket: WebSocket): void {
    this.#socket = undefined
    this.#enter({ name: 'outdated' })
    socket.close()
  }

  #lose(socket: WebSocket): void {
    if (socket !== this.#socket) return
    this.#socket = undefined
    const tries = 'tries' in this.#state ? this.#state.tries + 1 : 1
    const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1))
    this.#timer = setTimeout(() => this.connect(), waitMs)
    this.#enter({ name: 'waiting', tries, retryAt: Date.now() + waitMs })
  }

  #enter(state: ConnectionState): void {
    this.#state = state
    this.#listener.onState(state)
  }
}
