/** A page without a browser: follows a feed, and keeps what a page would show. */
import { WebSocket } from 'ws'
import type { Inspector } from '../../src/index.ts'
import type { Chart } from '../../src/machines/chart.ts'
import type {
  Access,
  Act,
  ActorList,
  ActorRow,
  Answer,
  Ask,
  EventRow,
  Frame,
  Goodbye,
  Hello,
  PageMessage,
  ServerMessage,
} from '../../src/runtime/inspector/messages.ts'

type Without<Message, Member extends string> = Message extends unknown ? Omit<Message, Member> : never

export class FeedClient {
  hello: Hello | undefined
  readonly rows = new Map<string, ActorRow>()
  readonly lists = new Map<string, ActorList>()
  readonly charts = new Map<string, Chart>()
  readonly events: EventRow[] = []
  readonly frames: Frame[] = []
  goodbye: Goodbye | undefined
  /** The last of each. */
  readonly common: Pick<Frame, 'counts' | 'stored' | 'pools' | 'rates' | 'waits'> = {}
  /** Code and reason of the end. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  readonly socket: WebSocket
  readonly #answers = new Map<number, PromiseWithResolvers<unknown>>()
  readonly #waits = new Set<() => void>()
  #asked = 0

  constructor(socket: WebSocket) {
    this.socket = socket
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
    socket.on('message', (data) => this.#hear(JSON.parse(data.toString()) as ServerMessage))
    socket.on('error', () => {})
  }

  /** Resolves when `holds`, looked at after every message. */
  until(holds: (client: this) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!holds(this)) return
        this.#waits.delete(look)
        resolve()
      }
      this.#waits.add(look)
      void this.closed.then(({ code, reason }) => reject(new Error(`The feed has ended: ${code} ${reason}`)))
      look()
    })
  }

  /** The next frame that comes. */
  async frame(): Promise<Frame> {
    const before = this.frames.length
    await this.until(() => this.frames.length > before)
    return this.frames.at(-1) as Frame
  }

  say(message: PageMessage): void {
    this.socket.send(JSON.stringify(message))
  }

  watch(expanded: Record<string, [offset: number, limit: number]>, rest: object = {}): void {
    const windows = Object.entries(expanded).map(([id, [offset, limit]]) => [id, { offset, limit }])
    this.say({ type: 'watch', expanded: Object.fromEntries(windows), ...rest })
  }

  login(token: string): Promise<Access> {
    return this.#request({ type: 'login', token } as never) as Promise<Access>
  }

  ask<Value = unknown>(ask: Without<Ask, 'type' | 'id'>): Promise<Value> {
    return this.#request({ type: 'ask', ...ask } as never) as Promise<Value>
  }

  act<Value = unknown>(act: Without<Act, 'type' | 'id'>): Promise<Value> {
    return this.#request({ type: 'act', ...act } as never) as Promise<Value>
  }

  async close(): Promise<void> {
    this.socket.close()
    await this.closed
  }

  /** Children of an actor that are in view. */
  below(id: string): ActorRow[] {
    return (this.lists.get(id)?.ids ?? []).map((child) => this.rows.get(child) as ActorRow)
  }

  #request(message: Omit<PageMessage, 'id'>): Promise<unknown> {
    this.#asked += 1
    const answer = Promise.withResolvers<unknown>()
    this.#answers.set(this.#asked, answer)
    this.say({ ...message, id: this.#asked } as PageMessage)
    return answer.promise
  }

  #hear(message: ServerMessage): void {
    if (message.type === 'hello') this.hello = message
    else if (message.type === 'answer') this.#answered(message)
    else if (message.type === 'goodbye') this.goodbye = message
    else this.#show(message)
    for (const look of [...this.#waits]) look()
  }

  #answered(answer: Answer): void {
    const asked = this.#answers.get(answer.id)
    if ('error' in answer)
      asked?.reject(Object.assign(new Error(answer.error.message), { code: answer.error.code }))
    else asked?.resolve(answer.value)
  }

  #show(frame: Frame): void {
    this.frames.push(frame)
    for (const row of frame.added ?? []) this.rows.set(row.id, row)
    for (const change of frame.changed ?? [])
      this.rows.set(change.id, { ...(this.rows.get(change.id) as ActorRow), ...change })
    for (const id of frame.gone ?? []) this.rows.delete(id)
    for (const [id, list] of Object.entries(frame.lists ?? {})) this.lists.set(id, list)
    for (const [name, chart] of Object.entries(frame.charts ?? {})) this.charts.set(name, chart)
    this.events.push(...(frame.events ?? []))
    for (const member of ['counts', 'stored', 'pools', 'rates', 'waits'] as const)
      if (frame[member] !== undefined) Object.assign(this.common, { [member]: frame[member] })
  }
}

/** Connects and waits for the greeting. */
export async function openFeed(
  { address }: Pick<Inspector, 'address'>,
  headers: Record<string, string> = {},
): Promise<FeedClient> {
  const client = new FeedClient(new WebSocket(`${address.replace('http', 'ws')}feed`, { headers }))
  await client.until(({ hello }) => hello !== undefined)
  return client
}
