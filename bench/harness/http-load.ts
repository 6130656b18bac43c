/**
 * Asks a server on this machine as fast as it answers: connections that stay open, each with one request under way at a time.
 * Written on sockets, because a client of the platform would cost more than the server that it asks.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface HttpLoad {
  readonly port: number
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** JSON text. */
  readonly body?: string
  readonly connections: number
  readonly forMs: number
}

/** @returns answers per second. Throws for an answer that is none of 2xx. */
export async function requestsPerSecond({ connections, forMs, ...load }: HttpLoad): Promise<number> {
  const request = textOf(load)
  const lanes = Array.from({ length: connections }, () => new Lane(connect(load.port, '127.0.0.1'), request))
  const startedAt = performance.now()
  const counts = await Promise.all(lanes.map((lane) => lane.run(startedAt + forMs)))
  const tookS = (performance.now() - startedAt) / 1000
  return counts.reduce((sum, count) => sum + count, 0) / tookS
}

function textOf({ port, method, path, body = '' }: Omit<HttpLoad, 'connections' | 'forMs'>): string {
  const type = body === '' ? '' : 'Content-Type: application/json\r\n'
  const length = `Content-Length: ${Buffer.byteLength(body)}\r\n`
  return `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${type}${length}\r\n${body}`
}

const HEAD_END = '\r\n\r\n'

/** One connection. */
class Lane {
  readonly #socket: Socket
  readonly #request: string
  #received = ''

  constructor(socket: Socket, request: string) {
    this.#socket = socket.setNoDelay(true).setEncoding('latin1')
    this.#request = request
  }

  /** @returns how many answers have come by `until`, and the last one, which may be later */
  async run(until: number): Promise<number> {
    await once(this.#socket, 'connect')
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    let answers = 0
    const ask = (): void => {
      this.#socket.write(this.#request)
    }
    this.#socket.on('data', (text: string) => {
      this.#received += text
      const answer = this.#answer()
      if (answer === undefined) return
      if (!answer.startsWith('HTTP/1.1 2')) return reject(new Error(`An answer was ${answer}`))
      answers += 1
      if (performance.now() < until) ask()
      else resolve(answers)
    })
    this.#socket.on('error', reject).on('close', () => reject(new Error('The server has hung up.')))
    ask()
    return promise.finally(() => this.#socket.destroy())
  }

  /** Takes a whole answer off what was received. */
  #answer(): string | undefined {
    const headEnd = this.#received.indexOf(HEAD_END)
    if (headEnd < 0) return undefined
    const [, length] = /\r\ncontent-length: (\d+)/i.exec(this.#received) ?? []
    if (length === undefined) throw new Error(`An answer does not say how long it is: ${this.#received}`)
    const end = headEnd + HEAD_END.length + Number(length)
    if (this.#received.length < end) return undefined
    const answer = this.#received.slice(0, end)
    this.#received = this.#received.slice(end)
    return answer
  }
}
