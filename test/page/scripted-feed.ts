/** The server's side of a feed, as a test says it: for pictures that must be the same each time, and for floods. */
import type { Page, WebSocketRoute } from 'playwright-core'
import type {
  Answer,
  Ask,
  Frame,
  Hello,
  PageMessage,
  ServerMessage,
  Watch,
} from '../../src/runtime/inspector/messages.ts'
import { FEED_PROTOCOL } from '../../src/runtime/inspector/messages.ts'
import { until } from '../support/until.ts'
import type { PageOptions, Pages } from './page-kit.ts'

/** Instant at which everything happens. */
export const NOW = Date.UTC(2026, 2, 29, 14, 5, 9)

export interface FeedScript {
  readonly hello?: Partial<Hello>
  readonly answers?: ScriptedFeed['answers']
  /** Of the address, with `#`: view, actor, token. */
  readonly hash?: string
  readonly options?: PageOptions
  /** Before the page is loaded. */
  before?(page: Page): unknown
}

export class ScriptedFeed {
  readonly page: Page
  /** What the page has said, in order, over all connections. */
  readonly heard: PageMessage[] = []
  /** Answers to questions and acts; what is `undefined` is answered with nothing. */
  answers: (message: PageMessage) => unknown = () => undefined
  /** Told what the page wants to see. */
  heeds: (watch: Watch) => void = () => {}
  #socket: WebSocketRoute | undefined
  #seq = 0
  #mute = false
  #isClosed = false
  #refusal: { readonly code: string; readonly message: string } | undefined
  #hello: Partial<Hello>

  private constructor(page: Page, { hello = {}, answers }: FeedScript) {
    this.page = page
    this.#hello = hello
    if (answers !== undefined) this.answers = answers
  }

  /** Opens the page on a feed that says `hello` at once. */
  static async open(pages: Pages, script: FeedScript = {}): Promise<ScriptedFeed> {
    const { hash = '', before, options } = script
    const page = await pages.open(options)
    const feed = new ScriptedFeed(page, script)
    // Timers go on: only what is called now stands still.
    await page.clock.setFixedTime(NOW)
    await page.routeWebSocket(/\/feed$/, (socket) => feed.#accept(socket))
    await before?.(page)
    await page.goto(`${pages.url}${hash}`)
    await until(() => feed.#socket !== undefined)
    return feed
  }

  frame(frame: Partial<Frame>): void {
    this.#seq += 1
    this.send({ type: 'frame', seq: this.#seq, at: NOW, sampled: 1, skipped: 0, ...frame })
  }

  send(message: ServerMessage): void {
    this.#socket?.send(JSON.stringify(message))
  }

  /** Ends the connection; the page will make another one. */
  async drop(): Promise<void> {
    const socket = this.#socket
    this.#socket = undefined
    await socket?.close({ code: 1012, reason: 'restart' })
  }

  /** Lets nobody in any more. */
  closeForGood(): void {
    this.#isClosed = true
  }

  /** Answers nothing any more. */
  mute(): void {
    this.#mute = true
  }

  /** Answers that it will not. */
  refuse(code: string, message: string): void {
    this.#refusal = { code, message }
  }

  /** The last message of a kind. */
  last<Type extends PageMessage['type']>(type: Type): Extract<PageMessage, { type: Type }> | undefined {
    return this.heard.findLast((message) => message.type === type) as never
  }

  asked(what: Ask['ask']): readonly Ask[] {
    return this.heard.filter((message) => message.type === 'ask' && message.ask === what) as never
  }

  #answerTo(message: Extract<PageMessage, { id: number }>): Answer {
    const { id } = message
    return this.#refusal === undefined
      ? { type: 'answer', id, value: this.answers(message) ?? null }
      : { type: 'answer', id, error: this.#refusal }
  }

  #accept(socket: WebSocketRoute): void {
    if (this.#isClosed) return void socket.close({ code: 1001, reason: 'gone' })
    this.#socket = socket
    this.#seq = 0
    socket.onMessage((data) => {
      const message = JSON.parse(String(data)) as PageMessage
      this.heard.push(message)
      if (message.type === 'watch') this.heeds(message)
      if (!('id' in message)) return
      if (!this.#mute) this.send(this.#answerTo(message))
    })
    this.send({
      type: 'hello',
      protocol: FEED_PROTOCOL,
      sources: { supervisor: { id: 'shop' }, queue: null },
      host: 'web-1',
      pid: 4711,
      startedAt: NOW - 3_725_000,
      now: NOW,
      access: 'look',
      ...this.#hello,
    })
  }
}
