/**
 * PostgreSQL servers for a run of tests, embedded ones, stopped and removed at its end. One is shared by all tests and started
 * when the first of them asks for it; STATEWARD_TEST_POSTGRES, a URL whose user may create databases, takes its place.
 * Test processes ask through a socket, since they come and go: one request, one answer, both JSON.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import type { EmbeddedServer } from './embedded-postgres.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    postgresSocket: string
  }
}

/** `shared` and `new` answer with a URL. */
export interface ServerRequest {
  readonly act: 'shared' | 'new' | 'restart' | 'stop'
  /** Of a server that was asked for as a new one. */
  readonly url?: string
}

export type ServerAnswer = { readonly url: string } | { readonly error: string }

class Servers {
  readonly #servers = new Map<string, EmbeddedServer>()
  #shared: Promise<string> | undefined

  async answer({ act, url = '' }: ServerRequest): Promise<string> {
    if (act === 'new') return this.#start()
    if (act === 'restart') await this.#servers.get(url)?.restart()
    if (act === 'stop') await this.#stop(url)
    if (act !== 'shared') return url
    const given = process.env.STATEWARD_TEST_POSTGRES ?? ''
    this.#shared ??= given === '' ? this.#start() : Promise.resolve(given)
    return this.#shared
  }

  async stop(): Promise<void> {
    await this.#shared?.catch(() => {})
    await Promise.all([...this.#servers.keys()].map((url) => this.#stop(url)))
  }

  async #start(): Promise<string> {
    const EmbeddedServer = await loadEmbedded()
    const server = await EmbeddedServer.start()
    this.#servers.set(server.url, server)
    return server.url
  }

  async #stop(url: string): Promise<void> {
    const server = this.#servers.get(url)
    this.#servers.delete(url)
    await server?.stop()
  }
}

/** Loaded by whoever needs it: most runs do not. */
export async function loadEmbedded(): Promise<typeof EmbeddedServer> {
  const events = ['beforeExit', 'exit', 'message'] as const
  const before = new Set(events.flatMap((event) => process.listeners(event as 'exit')))
  const loaded = await import('./embedded-postgres.ts')
  // The package would end this process with code 0, whatever the tests have said.
  for (const event of events) {
    for (const listener of process.listeners(event as 'exit')) {
      if (!before.has(listener)) process.off(event, listener)
    }
  }
  return loaded.EmbeddedServer
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'stateward-pg-'))
  const servers = new Servers()
  const ear = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (data) => {
      servers.answer(JSON.parse(String(data))).then(
        (url) => socket.end(JSON.stringify({ url } satisfies ServerAnswer)),
        (error: Error) => socket.end(JSON.stringify({ error: error.message } satisfies ServerAnswer)),
      )
    })
  })
  const path = join(folder, 'ask')
  await listen(ear, path)
  project.provide('postgresSocket', path)
  return async () => {
    ear.close()
    await servers.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
}
