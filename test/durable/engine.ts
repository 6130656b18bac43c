/** Which store the tests of a file run against: SQLite, unless the file says otherwise before its tests are made. */
import { join } from 'node:path'
import { openPostgresStore } from '../../src/actors/store/postgres-store.ts'
import { openSqliteStore } from '../../src/actors/store/sqlite-store.ts'
import type { Store } from '../../src/actors/store/store.ts'
import { reusedDatabase } from '../store/postgres-kit.ts'
import { temporaryFolder } from '../store/store-kit.ts'

export type Engine = 'sqlite' | 'postgres'

let engine: Engine = 'sqlite'

/** Holds for all tests of the file that says it: each file has its modules to itself. */
export function useEngine(wanted: Engine): void {
  engine = wanted
}

export const engineInUse = (): Engine => engine

/** The URL of a database that holds no task. */
export async function freshUrl(): Promise<string> {
  return engine === 'postgres' ? reusedDatabase() : `sqlite:${join(await temporaryFolder(), 'tasks.db')}`
}

/** The store behind a URL, without a queue around it. */
export function openStore(url: string): Promise<Store> {
  const file = url.replace(/^sqlite:/, '')
  return file === url ? openPostgresStore({ url }) : openSqliteStore({ file })
}
