/** Databases on the PostgreSQL server of a test run. */
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import { afterAll, inject, onTestFinished } from 'vitest'
import { openPostgresStore, type PostgresStoreOptions } from '../../src/actors/store/postgres-store.ts'
import type { ServerAnswer, ServerRequest } from '../support/postgres-server.ts'
import type { StorePlace } from './store-kit.ts'

/** @throws Error when there is no server; a test never passes without one */
async function ask(request: ServerRequest): Promise<string> {
  const socket = connect(inject('postgresSocket'))
  socket.write(JSON.stringify(request))
  const answer = JSON.parse(await text(socket)) as ServerAnswer
  if ('error' in answer) throw new Error(answer.error)
  return answer.url
}

const serverUrl = (): Promise<string> => ask({ act: 'shared' })

/** A server for one test alone, which may restart it. */
export async function ownServer(): Promise<{ readonly url: string; restart(): Promise<unknown> }> {
  const url = await ask({ act: 'new' })
  onTestFinished(async () => void (await ask({ act: 'stop', url })))
  return { url, restart: () => ask({ act: 'restart', url }) }
}

/** Runs statements on a connection of their own. */
export async function onServer<Row>(url: string, ...texts: string[]): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    let rows: Row[] = []
    for (const one of texts) ({ rows } = (await client.query(one)) as unknown as { rows: Row[] })
    return rows
  } finally {
    await client.end()
  }
}

/** The URL of a database that is empty, and dropped with the test. */
export async function freshDatabase(): Promise<string> {
  const server = await serverUrl()
  const name = await create(server)
  onTestFinished(() => drop(server, name))
  return at(server, name)
}

let serial = 0

async function create(server: string): Promise<string> {
  serial += 1
  const name = `stateward_${process.pid}_${Date.now().toString(36)}_${serial}`
  await onServer(server, `CREATE DATABASE ${name}`)
  return name
}

async function drop(server: string, name: string): Promise<void> {
  await onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
}

function at(server: string, database: string): string {
  const url = new URL(server)
  url.pathname = `/${database}`
  return url.href
}

export interface SharedDatabase {
  readonly url: string
  /** Empties it. */
  place(options?: Partial<PostgresStoreOptions>): Promise<StorePlace>
  drop(): Promise<void>
}

/** Those that no test of this file has at the moment. */
const idle: SharedDatabase[] = []

/** One that holds no task, for one test; the next test of the file gets it again. Dropped with the file by `dropReused`. */
export async function reusedDatabase(): Promise<string> {
  const database = idle.pop() ?? (await sharedDatabase())
  await database.place()
  onTestFinished(() => void idle.push(database))
  return database.url
}

/** Drops what `reusedDatabase` has made. */
export function dropReused(): void {
  afterAll(() => Promise.all(idle.splice(0).map((database) => database.drop())))
}

const EMPTY = `TRUNCATE stateward.task, stateward.call, stateward.log, stateward.schedule, stateward.daemon, stateward.name,
  stateward_boss.job RESTART IDENTITY`

/** One for many tests: making the tables takes longer than emptying them. */
export async function sharedDatabase(): Promise<SharedDatabase> {
  const server = await serverUrl()
  const name = await create(server)
  const url = at(server, name)
  await (await openPostgresStore({ url })).close()
  return {
    url,
    async place(options = {}) {
      await onServer(url, EMPTY)
      return { open: () => openPostgresStore({ url, ...options }) }
    },
    drop: () => drop(server, name),
  }
}
