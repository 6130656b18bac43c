/**
 * One page at the other end of a socket: what it may, what it has in view, what it knows already.
 *
 * - `greeted`: it has no access yet, and is told nothing but answers.
 * - `current`: it gets every frame. `lagging`: too much is unread, so it gets none until it has read; what it missed is in
 *   the next one, but for the events, which are counted. One that lags for too long is closed.
 * - `ended`.
 */

import { StatewardError } from '../errors.ts'
import type { Charts } from './charts.ts'
import type { Moment } from './feed.ts'
import type { Access, Act, Ask, EventRow, Goodbye, Hello, Login, PageMessage } from './messages.ts'
import { onBacklog } from './pace.ts'
import { readMessage } from './page-message.ts'
import { difference, look, NOTHING, toWish, type View, type Wish } from './tree.ts'

/** What a page needs of a socket. */
export interface FeedSocket {
  /** Bytes that are written and not yet read. */
  readonly bufferedAmount: number
  send(text: string): void
  close(code: number, reason: string): void
}

export interface FeedPageOptions {
  readonly access: Access
  readonly charts: Charts
  hello(access: Access): Hello
  /** What it has in view until it says so. */
  wish(): Wish
  isToken(given: string): boolean
  /** `undefined`: nobody can answer that. */
  ask(ask: Ask): unknown
  act(act: Act): unknown
  /** It wants to see something else. */
  wished(): void
  closed(): void
}

const COMMON = ['counts', 'stored', 'pools', 'rates', 'waits'] as const

export class FeedPage {
  readonly #socket: FeedSocket
  readonly #options: FeedPageOptions
  #access: Access
  #wish: Wish
  #view: View = NOTHING
  #events: 'all' | 'none' | ReadonlySet<string> = 'all'
  #seq = 0
  /** What it was told last, as text. */
  readonly #common: Partial<Record<(typeof COMMON)[number], string>> = {}
  readonly #charts = new Set<string>()
  #missed = 0
  #laggingSince: number | undefined
  #isOver = false

  constructor(socket: FeedSocket, options: FeedPageOptions) {
    this.#socket = socket
    this.#options = options
    this.#access = options.access
    this.#wish = options.wish()
  }

  get access(): Access {
    return this.#access
  }

  greet(): void {
    this.#send(this.#options.hello(this.#access))
  }

  tell(moment: Moment): void {
    if (this.#isOver || this.#access === 'none') return
    const now = performance.now()
    const backlog = onBacklog(this.#socket.bufferedAmount, now - (this.#laggingSince ?? now))
    if (backlog === 'close') return this.end(1013, 'too slow')
    if (backlog === 'skip') {
      this.#laggingSince ??= now
      this.#missed += moment.events.length + moment.skipped
      return
    }
    this.#laggingSince = undefined
    const view = look(moment.tree, this.#wish)
    const changes = difference(this.#view, view)
    this.#view = view
    this.#seq += 1
    const events = this.#eventsOf(moment.events)
    const charts = this.#newCharts(view)
    const frame = JSON.stringify({
      type: 'frame',
      seq: this.#seq,
      at: moment.at,
      ...changes,
      ...(charts === undefined ? {} : { charts }),
      ...(events.length > 0 ? { events } : {}),
      sampled: moment.sampled,
      skipped: moment.skipped + this.#missed,
    })
    this.#missed = 0
    this.#socket.send(`${frame.slice(0, -1)}${this.#commonOf(moment)}}`)
  }

  /** It has been told the last frame. */
  bid(goodbye: Goodbye): void {
    this.#send(goodbye)
  }

  /** Whatever it says is answered or done; nothing that it says throws. */
  hear(text: string): void {
    const read = readMessage(text)
    if ('problem' in read) return this.end(1008, read.problem)
    const { message } = read
    if (message.type === 'watch') this.#watch(message)
    else if (message.type === 'login') this.#login(message)
    else void this.#answer(message)
  }

  /** It has gone. */
  left(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#options.closed()
  }

  end(code: number, reason: string): void {
    if (this.#isOver) return
    this.#socket.close(code, reason)
    this.left()
  }

  #watch(message: PageMessage & { type: 'watch' }): void {
    this.#wish = toWish(message)
    const { events = 'all' } = message
    this.#events = typeof events === 'string' ? events : new Set(events)
    this.#options.wished()
  }

  #login({ id, token }: Login): void {
    if (!this.#options.isToken(token))
      return this.#refuse(id, 'ERR_TOKEN_WRONG', 'This is not the token of the inspector.')
    const wasNobody = this.#access === 'none'
    this.#access = 'act'
    if (wasNobody) this.greet()
    this.#send({ type: 'answer', id, value: 'act' })
    this.#options.wished()
  }

  async #answer(message: Ask | Act): Promise<void> {
    const { id } = message
    const needed: Access = message.type === 'act' || ('values' in message && message.values) ? 'act' : 'look'
    if (this.#access === 'none' || (needed === 'act' && this.#access === 'look'))
      return this.#refuse(id, 'ERR_TOKEN_NEEDED', 'This takes the token of the inspector.')
    try {
      const { ask, act } = this.#options
      const value = await (message.type === 'ask' ? ask(message) : act(message))
      if (value === undefined)
        this.#refuse(id, 'ERR_ASK_UNKNOWN', 'There is nobody here who could answer that.')
      else this.#send({ type: 'answer', id, value })
    } catch (error) {
      const code = error instanceof StatewardError ? error.code : 'ERR_ANSWER_FAILED'
      this.#refuse(id, code, error instanceof Error ? error.message : String(error))
    }
  }

  #refuse(id: number, code: string, message: string): void {
    this.#send({ type: 'answer', id, error: { code, message } })
  }

  #send(message: object): void {
    if (!this.#isOver) this.#socket.send(JSON.stringify(message))
  }

  #eventsOf(events: readonly EventRow[]): readonly EventRow[] {
    const wanted = this.#events
    if (wanted === 'all') return events
    return wanted === 'none' ? [] : events.filter(({ id }) => wanted.has(id))
  }

  #newCharts({ rows }: View): Record<string, unknown> | undefined {
    let charts: Record<string, unknown> | undefined
    for (const { chart } of rows.values()) {
      if (chart === null || this.#charts.has(chart)) continue
      this.#charts.add(chart)
      charts ??= {}
      charts[chart] = this.#options.charts.get(chart)
    }
    return charts
  }

  /** Members that are other than those that it was told last, as the end of a JSON text. */
  #commonOf({ common }: Moment): string {
    let text = ''
    for (const member of COMMON) {
      const value = common[member]
      if (value === undefined) continue
      const told = JSON.stringify(value)
      if (this.#common[member] === told) continue
      this.#common[member] = told
      text += `,"${member}":${told}`
    }
    return text
  }
}
