/**
 * Hears of commits of other processes: a connection of its own that LISTENs, while somebody wants to be woken.
 *
 * - silent: nobody listens; no connection.
 * - connecting: it is asked for; whoever listens is woken when it is there, since he may have missed something.
 * - listening: notifications come in the transaction of what they tell of. A question every few seconds finds out when
 *   the connection has gone silent.
 * - lost: the server went away; after a while it connects again.
 * - closed: for good.
 */
import { randomUUID } from 'node:crypto'
import type { PgClient, PgDriver, PgSql } from './postgres-driver.ts'
import type { WakeTopic } from './store.ts'

const CHANNEL = 'stateward'
const AGAIN_MS = 1_000
const QUESTION_MS = 5_000
/** A connection that keeps silent for so long hears nothing. */
const QUESTION = { text: 'SELECT 1', query_timeout: 5_000 }

const notification = (by: string, topics: ReadonlySet<WakeTopic>): string =>
  `SELECT pg_notify('${CHANNEL}', '${by} ${[...topics].join(' ')}');`

export class PgEars {
  readonly #driver: PgDriver
  /** To know what this store has said itself. */
  readonly #own = randomUUID().slice(0, 8)
  readonly #nudges = new Map<WakeTopic, () => void>()
  #client: PgClient | undefined
  #timer: NodeJS.Timeout | undefined
  #ending: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(driver: PgDriver) {
    this.#driver = driver
  }

  listen(topic: WakeTopic, onNudge: () => void): () => Promise<void> {
    this.#nudges.set(topic, onNudge)
    if (this.#client === undefined) this.#connect()
    // What was missed meanwhile is only known to whoever looks.
    else onNudge()
    return () => {
      this.#nudges.delete(topic)
      return this.#nudges.size === 0 ? this.#hangUp() : Promise.resolve()
    }
  }

  /** Notifications tell of it themselves. */
  nudge(): void {}

  /** To be said in the transaction: whoever listens hears of it when it is through, and never when it is not. */
  announcement(topics: ReadonlySet<WakeTopic>): string {
    return topics.size === 0 ? '' : notification(this.#own, topics)
  }

  /** In a transaction of somebody else's, whose end only its notification tells. */
  async announceForeign(sql: PgSql, topics: ReadonlySet<WakeTopic>): Promise<void> {
    await sql.rows(notification('foreign', topics))
  }

  close(): Promise<void> {
    this.#isClosed = true
    this.#nudges.clear()
    return this.#hangUp()
  }

  #connect(): void {
    clearTimeout(this.#timer)
    const client = this.#driver.client()
    this.#client = client
    client.on('error', () => this.#lose(client))
    client.on('end', () => this.#lose(client))
    client.on('notification', ({ payload = '' }) => this.#hear(payload))
    client
      .connect()
      .then(() => client.query(`LISTEN ${CHANNEL}`))
      .then(
        () => this.#beginListening(client),
        () => this.#lose(client),
      )
  }

  #beginListening(client: PgClient): void {
    if (client !== this.#client) return // Whoever only listens does not keep his process alive.
    ;(client as unknown as { unref(): void }).unref()
    this.#wake(this.#nudges.keys())
    this.#ask(client)
  }

  #ask(client: PgClient): void {
    this.#timer = setTimeout(() => {
      client.query(QUESTION).then(
        () => client === this.#client && this.#ask(client),
        () => this.#lose(client),
      )
    }, QUESTION_MS).unref()
  }

  #hear(payload: string): void {
    const [by, ...topics] = payload.split(' ')
    if (by !== this.#own) this.#wake(topics as WakeTopic[])
  }

  #wake(topics: Iterable<WakeTopic>): void {
    for (const topic of topics) this.#nudges.get(topic)?.()
  }

  #lose(client: PgClient): void {
    if (client !== this.#client) return
    void this.#hangUp()
    if (this.#isClosed || this.#nudges.size === 0) return
    this.#timer = setTimeout(() => this.#connect(), AGAIN_MS).unref()
  }

  #hangUp(): Promise<void> {
    clearTimeout(this.#timer)
    const client = this.#client
    this.#client = undefined
    if (client !== undefined) {
      const ended = this.#driver.hangUp(client)
      this.#ending = Promise.all([this.#ending, ended]).then(() => {})
    }
    return this.#ending
  }
}
