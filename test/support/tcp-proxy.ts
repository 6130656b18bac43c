/**
 * Stands between a client and a server, and does what networks do to connections:
 * goes silent (half-open: nobody hears of it), comes back, or loses an answer.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'

export class TcpProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isSilent = false
  #losesAfter: string | undefined

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(target: { host: string; port: number }): Promise<TcpProxy> {
    // The end of a connection gets lost as well while it is silent.
    const server = createServer({ allowHalfOpen: true })
    const proxy = new TcpProxy(server)
    server.on('connection', (client) => proxy.#join(client, target))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  /** What is said from now on gets lost, and no connection ends. */
  goSilent(): void {
    this.#isSilent = true
  }

  /** New connections are well; those that went silent stay so. */
  heal(): void {
    this.#isSilent = false
  }

  /** The next message that holds `text` still gets through; its answer never does, the connection ends. */
  loseAnswerTo(text: string): void {
    this.#losesAfter = text
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #join(client: Socket, target: { host: string; port: number }): void {
    const server = connect(target)
    let isDead = this.#isSilent
    let isLost = false
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#sockets.delete(socket)
        client.destroy()
        server.destroy()
      })
    }
    client.on('data', (data) => {
      isDead ||= this.#isSilent
      if (isDead) return
      if (this.#losesAfter !== undefined && data.includes(this.#losesAfter)) {
        this.#losesAfter = undefined
        isLost = true
      }
      server.write(data)
    })
    client.on('end', () => {
      isDead ||= this.#isSilent
      if (!isDead) client.end()
    })
    server.on('data', (data) => {
      isDead ||= this.#isSilent
      if (isLost) client.destroy()
      else if (!isDead) client.write(data)
    })
  }
}
