/**
 * The one owner of `pg`: connections to the PostgreSQL database of a store.
 *
 * - open: a pool of a few connections, made when they are needed; idle ones keep no process alive.
 * - closed: for good.
 *
 * The server is authoritative. A transaction whose connection is lost before its COMMIT was sent has changed nothing
 * and is asked again here, on a new connection, a few times; so is one that PostgreSQL ended to resolve a deadlock. One
 * that is lost afterwards may have happened: it rejects, and fences and ids make it safe to ask again. A connection that
 * went silent is given up after `answerLimitMs`. The server ends what it had open sooner: a transaction of a process that was
 * stopped in the middle of it keeps rows from all others, and is to be over before the leases that it wanted to renew are.
 */
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Client, Pool, PoolClient } from 'pg'
import type { FaultPoint, OnFault } from './fault-point.ts'
import { StoreError, type StoreErrorCode } from './store-error.ts'

/** Somewhere to run statements: a connection of ours, or one of the caller's. */
export interface PgSql {
  /** Values are `$1`, `$2`, …; one that was said before with the same text is prepared. */
  rows<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>
}

/** Statements without values that a transaction says along with its BEGIN and its COMMIT, each of which is a question. */
export interface PgEnds<Value> {
  readonly first?: string
  readonly last?: (value: Value) => string
}

/** A connection of its own. */
export type PgClient = Client

export interface PgDriverOptions {
  readonly url: string
  /** How long to wait for any answer of the server, in ms. */
  readonly answerLimitMs: number
  readonly fault?: OnFault | undefined
}

/** Tries of a transaction that has surely changed nothing. */
const TRIES = 5
const CONNECTIONS = 4
/** So long at most a transaction may wait for its own client. */
const IDLE_LIMIT_MS = 2_000
/** How long a server may take to end a connection that is of no more use. */
const HANG_UP_MS = 1_000
/** int8, which `pg` gives as text: our numbers are exact. */
const INT8 = 20

type Pg = typeof import('pg')

async function loadPg(): Promise<Pg> {
  try {
    const { default: pg } = await import('pg')
    return pg as unknown as Pg
  } catch (error) {
    throw missingPeer(error)
  }
}

export function missingPeer(error: unknown): StoreError {
  return new StoreError(
    'ERR_STORE_ENGINE_MISSING',
    'A queue in PostgreSQL needs the packages "pg" and "pg-boss". Install them: npm install pg pg-boss',
    error,
  )
}

/** Prepared statements bear names; so many of a connection at most. */
const PREPARED_LIMIT = 200
const names = new Map<string, string>()

function nameOf(text: string): string | undefined {
  const known = names.get(text)
  if (known !== undefined || names.size >= PREPARED_LIMIT) return known
  const name = `stateward_${names.size}`
  names.set(text, name)
  return name
}

/** Statements on a connection. */
export function sqlOn(client: Pick<Client, 'query'>, isPrepared = true): PgSql {
  return {
    async rows<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
      const name = isPrepared ? nameOf(text) : undefined
      const said = await client.query({ text, values: [...values], ...(name === undefined ? {} : { name }) })
      return said.rows as Row[]
    },
  }
}

export class PgDriver {
  /** Host and database, without a password. */
  readonly place: string
  readonly #options: PgDriverOptions
  readonly #pg: Pg
  readonly #pool: Pool
  #closing: Promise<void> | undefined

  private constructor(options: PgDriverOptions, pg: Pg) {
    this.#options = options
    this.#pg = pg
    this.place = placeOf(options.url)
    this.#pool = new pg.Pool({ ...this.#config(), max: CONNECTIONS, allowExitOnIdle: true })
    // An idle connection was lost; the next one is made when it is needed.
    this.#pool.on('error', () => {})
    // One that is lost while it works says so to who waits for it.
    this.#pool.on('connect', (client) => client.on('error', () => {}))
  }

  /** @throws StoreError when `pg` is not installed */
  static async load(options: PgDriverOptions): Promise<PgDriver> {
    return new PgDriver(options, await loadPg())
  }

  get isClosed(): boolean {
    return this.#closing !== undefined
  }

  #config() {
    const { url, answerLimitMs } = this.#options
    return {
      connectionString: url,
      application_name: 'stateward',
      connectionTimeoutMillis: Math.min(10_000, answerLimitMs),
      query_timeout: answerLimitMs,
      // The server ends what a client that it cannot reach any more has left behind.
      statement_timeout: answerLimitMs,
      idle_in_transaction_session_timeout: Math.min(IDLE_LIMIT_MS, answerLimitMs),
      keepAlive: true,
      keepAliveInitialDelayMillis: 5_000,
      types: {
        getTypeParser: ((oid: number, format: 'text') =>
          oid === INT8 ? Number : this.#pg.types.getTypeParser(oid, format)) as never,
      },
    }
  }

  /** A connection beside the pool, not connected yet. */
  client(): Client {
    return new this.#pg.Client(this.#config())
  }

  /** Ends one that was made by `client`; cuts it off when the server says nothing. */
  async hangUp(client: Client): Promise<void> {
    const { stream } = (client as unknown as { readonly connection: { readonly stream: Socket } }).connection
    // It may have kept no process alive; whoever waits for its end has to live until then.
    stream.ref()
    const cut = setTimeout(() => stream.destroy(), HANG_UP_MS)
    await client.end().catch(() => {})
    clearTimeout(cut)
  }

  /** Runs the body in a transaction. What it returns is durable then. */
  transaction<Value>(
    body: (sql: PgSql) => Promise<Value>,
    { first = '', last }: PgEnds<Value> = {},
  ): Promise<Value> {
    return this.#patiently(async (client) => {
      await client.query(`BEGIN;${first}`)
      await this.fault('begun')
      const value = await body(sqlOn(client))
      await this.fault('committing')
      await this.#commit(client, last?.(value) ?? '')
      await this.fault('committed')
      return value
    })
  }

  read<Value>(body: (sql: PgSql) => Promise<Value>): Promise<Value> {
    return this.#patiently((client) => body(sqlOn(client)))
  }

  /** For texts that cannot be prepared, or are said once. */
  plain<Value>(body: (sql: PgSql) => Promise<Value>): Promise<Value> {
    return this.#patiently((client) => body(sqlOn(client, false)))
  }

  async fault(point: FaultPoint): Promise<void> {
    await this.#options.fault?.(point)
  }

  close(): Promise<void> {
    this.#closing ??= this.#pool.end()
    return this.#closing
  }

  async #commit(client: PoolClient, last: string): Promise<void> {
    try {
      await client.query(`${last}COMMIT`)
    } catch (error) {
      // Refused, or never sent, since the connection was lost before.
      const isKnown = NEVER_SENT.test(messageOf(error)) || !isConnectionLost(error)
      throw isKnown ? error : new CommitLost('', { cause: error })
    }
  }

  async #patiently<Value>(attempt: (client: PoolClient) => Promise<Value>): Promise<Value> {
    const startedAt = performance.now()
    for (let round = 1; ; round += 1) {
      this.demandOpen()
      try {
        return await this.#once(attempt)
      } catch (error) {
        const isLast = round === TRIES || performance.now() - startedAt > this.#options.answerLimitMs
        if (isLast || !isPassing(error)) throw this.toStoreError(error)
      }
      await delay(Math.random() * 20 * 2 ** round)
    }
  }

  async #once<Value>(attempt: (client: PoolClient) => Promise<Value>): Promise<Value> {
    const client = await this.#pool.connect()
    try {
      const value = await attempt(client)
      client.release()
      return value
    } catch (error) {
      // One that was lost, or whose answer is still to come, must not serve anybody else.
      const isLost = isConnectionLost(error) || (await isStuck(client))
      client.release(isLost)
      throw error
    }
  }

  demandOpen(): void {
    if (this.isClosed) throw new StoreError('ERR_STORE_CLOSED', `The store in ${this.place} is closed.`)
  }

  /** What PostgreSQL said, as an error of the store. */
  toStoreError(error: unknown): StoreError {
    if (error instanceof StoreError) return error
    if (error instanceof CommitLost) {
      const said = messageOf(error.cause)
      return new StoreError(
        'ERR_STORE_FAILED',
        `The connection to ${this.place} was lost while it committed: ${said}. Nobody knows whether it did; it may be asked again.`,
        error.cause,
      )
    }
    const [code, sentence] = this.#explain(error)
    return new StoreError(code, sentence, error)
  }

  #explain(error: unknown): [StoreErrorCode, string] {
    const { place } = this
    const said = messageOf(error)
    switch (stateOf(error)) {
      case '28P01':
      case '28000':
        return ['ERR_STORE_REFUSED', `PostgreSQL refused the user or the password for ${place}: ${said}.`]
      case '3D000':
        return ['ERR_STORE_FOLDER_MISSING', `The database of ${place} does not exist. Create it: createdb.`]
      case '42501':
        return [
          'ERR_STORE_NOT_WRITABLE',
          `The user lacks a right in ${place}: ${said}. docs/durable.md lists what to GRANT.`,
        ]
      case '25006':
        return ['ERR_STORE_NOT_WRITABLE', `Expected to be allowed to write in ${place}: ${said}.`]
      case '53100':
        return ['ERR_STORE_FULL', `The disk of ${place} is full; nothing was stored.`]
      case '40P01':
      case '40001':
        return ['ERR_STORE_BUSY', `Others wrote in ${place} for too long: ${said}.`]
      case '55P03':
        return [
          'ERR_STORE_BUSY',
          `A transaction that is still open in ${place} has locked what this needs: ${said}. If it is one of this program, pass it as \`tx\` or end it first. Nothing was stored; it may be asked again.`,
        ]
      default:
    }
    if (isConnectionLost(error)) {
      return [
        'ERR_STORE_UNREACHABLE',
        `Cannot reach PostgreSQL at ${place}: ${said}. Nothing was stored; it may be asked again.`,
      ]
    }
    return ['ERR_STORE_FAILED', `PostgreSQL failed at ${place}: ${said}.`]
  }
}

/** What `pg` says when it has not even tried. */
const NEVER_SENT = /not queryable/

/** COMMIT was sent, and no answer came. */
class CommitLost extends Error {}

/** Rolls back; true when the connection is of no more use. */
async function isStuck(client: PoolClient): Promise<boolean> {
  return client.query('ROLLBACK').then(
    () => false,
    () => true,
  )
}

/** SQLSTATE of an error of the server's. */
function stateOf(error: unknown): string | undefined {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

/** Nothing was changed, and the next try may go well. */
function isPassing(error: unknown): boolean {
  if (error instanceof CommitLost || error instanceof StoreError) return false
  const state = stateOf(error)
  // 23505: somebody else has taken an id or a key between our look and our write.
  return isConnectionLost(error) || ['40P01', '40001', '55P03', '23505'].includes(state ?? '')
}

const LOST = /terminated|timeout|ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|socket|not queryable/i

/** Of the connection, so that other operations would fail as well. */
export function isConnectionLost(error: unknown): boolean {
  const state = stateOf(error)
  if (state !== undefined && !state.startsWith('E')) return /^(08|57P)/.test(state) || state === '25P03'
  const { code, message, errors } = error as { code?: string; message?: string; errors?: unknown[] }
  if (Array.isArray(errors) && errors.some(isConnectionLost)) return true
  return LOST.test(`${code ?? ''} ${message ?? ''}`)
}

function messageOf(error: unknown): string {
  const { message, errors } = error as { message?: string; errors?: readonly Error[] }
  return message || errors?.[0]?.message || String(error)
}

function placeOf(url: string): string {
  const { hostname, port, pathname } = new URL(url)
  return `${hostname || 'localhost'}${port === '' ? '' : `:${port}`}${pathname}`
}
