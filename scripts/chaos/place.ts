/** The store of a chaos run, and how it goes away: a SQLite file, an embedded PostgreSQL server, or a URL that is left alone. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { loadEmbedded } from '../../test/support/postgres-server.ts'

export interface Place {
  readonly url: string
  /** What it is for people. */
  readonly store: 'SQLite' | 'PostgreSQL'
  /** With its version. */
  readonly engine: string
  /** For files of the run. */
  readonly folder: string
  /** Makes the store unreachable; resolves with what brings it back. `undefined`: it is somebody else's. */
  readonly takeAway: (() => Promise<() => Promise<void>>) | undefined
  /** `undefined`: there is no server. */
  readonly restart: (() => Promise<void>) | undefined
  /** Whether somebody who does not go on keeps all others from writing. */
  isKept(): Promise<boolean>
  close(): Promise<void>
}

export async function openPlace(url: string | undefined, isPostgres: boolean): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'stateward-chaos-'))
  const forget = (): Promise<void> => rm(folder, { recursive: true, force: true })
  const isFile = url === undefined ? !isPostgres : url.startsWith('sqlite:')
  if (url !== undefined) {
    const engine = isFile ? SQLITE : await postgresAt(url)
    return {
      ...(isFile ? aFile(url.slice('sqlite:'.length)) : SERVER),
      url,
      engine,
      folder,
      takeAway: undefined,
      restart: undefined,
      close: forget,
    }
  }
  if (isFile) {
    const file = join(folder, 'tasks.db')
    return {
      ...aFile(file),
      url: `sqlite:${file}`,
      engine: SQLITE,
      folder,
      takeAway: () => lock(file),
      restart: undefined,
      close: forget,
    }
  }
  const EmbeddedServer = await loadEmbedded()
  const server = await EmbeddedServer.start()
  return {
    ...SERVER,
    url: server.url,
    engine: await postgresAt(server.url),
    folder,
    async takeAway() {
      await server.halt()
      return () => server.resume()
    },
    restart: () => server.restart(),
    async close() {
      await server.stop()
      await forget()
    },
  }
}

const SQLITE = `SQLite ${process.versions.sqlite}`
/** A second is more than any commit takes. */
const KEPT_MS = 1_000

/** Its server ends what a stopped client has begun. */
const SERVER = { store: 'PostgreSQL', isKept: async () => false } as const

const aFile = (file: string) =>
  ({
    store: 'SQLite',
    async isKept() {
      const other = new DatabaseSync(file, { timeout: KEPT_MS })
      try {
        other.exec('BEGIN IMMEDIATE')
        other.exec('ROLLBACK')
        return false
      } catch {
        return true
      } finally {
        other.close()
      }
    },
  }) as const

async function postgresAt(url: string): Promise<string> {
  const client = new pg.Client(url)
  await client.connect()
  const { rows } = await client.query('SHOW server_version')
  await client.end()
  return `PostgreSQL ${rows[0].server_version}`
}

/** Another program writes, and does not end. */
async function lock(file: string): Promise<() => Promise<void>> {
  const other = new DatabaseSync(file, { timeout: 10_000 })
  other.exec('BEGIN EXCLUSIVE')
  return async () => {
    other.exec('ROLLBACK')
    other.close()
  }
}
