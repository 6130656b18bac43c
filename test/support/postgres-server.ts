/**
 * One PostgreSQL server for a whole run of tests, started when the first test asks for it: the one in
 * STATEWARD_TEST_POSTGRES (its user may create databases), or an embedded one that is stopped and removed at the end.
 * Test processes ask through a socket, since they come and go.
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

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'stateward-pg-'))
  const given = process.env.STATEWARD_TEST_POSTGRES
  let starting: Promise<EmbeddedServer> | undefined
  const answer = async (): Promise<string> => {
    if (given !== undefined && given !== '') return given
    // Loaded by whoever needs it: most runs do not.
    starting ??= import('./embedded-postgres.ts').then((loaded) => loaded.EmbeddedServer.start())
    return (await starting).url
  }
  const server = createServer((socket) => {
    socket.on('error', () => {})
    answer().then(
      (url) => socket.end(JSON.stringify({ url })),
      (error: Error) => socket.end(JSON.stringify({ error: error.message })),
    )
  })
  const path = join(folder, 'ask')
  await listen(server, path)
  project.provide('postgresSocket', path)
  return async () => {
    server.close()
    await (await starting?.catch(() => undefined))?.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
}
