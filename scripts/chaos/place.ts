/** The store of a chaos run, and how it goes away: a SQLite file, an embedded PostgreSQL server, or a URL that is left alone. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { loadEmbedded } from '../../test/support/postgres-server.ts'

export interface Place {
  readonly url: string
  /** For files of the run. */
  readonly folder: string
  /** Makes the store unreachable; resolves with what brings it back. `undefined`: it is somebody else's. */
  readonly takeAway: (() => Promise<() => Promise<void>>) | undefined
  /** `undefined`: there is no server. */
  readonly restart: (() => Promise<void>) | undefined
  close(): Promise<void>
}

export async function openPlace(url: string | undefined, isPostgres: boolean): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'stateward-chaos-'))
  const forget = (): Promise<void> => rm(folder, { recursive: true, force: true })
  if (url !== undefined) return { url, folder, takeAway: undefined, restart: undefined, close: forget }
  if (!isPostgres) {
    const file = join(folder, 'tasks.db')
    return {
      url: `sqlite:${file}`,
      folder,
      takeAway: () => lock(file),
      restart: undefined,
      close: forget,
    }
  }
  const EmbeddedServer = await loadEmbedded()
  const server = await EmbeddedServer.start()
  return {
    url: server.url,
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

/** Another program writes, and does not end. */
async function lock(file: string): Promise<() => Promise<void>> {
  const other = new DatabaseSync(file, { timeout: 10_000 })
  other.exec('BEGIN EXCLUSIVE')
  return async () => {
    other.exec('ROLLBACK')
    other.close()
  }
}
