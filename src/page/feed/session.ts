/**
 * One visit of the page: the connection, the picture that follows from it, and what the page wants to see.
 *
 * What comes is shown as it comes, unless it is paused: then it waits, and is taken all at once when it goes on. If too much
 * waits, it is dropped and the server is asked to begin anew. Components read the picture and one of the signals here, which
 * count the changes of a part of it.
 */
import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import type {
  Access,
  Frame,
  Goodbye,
  Hello,
  PageMessage,
  ServerMessage,
  Watch,
} from '../../runtime/inspector/messages.ts'
import { Picture } from '../model/picture.ts'
import { Connection, type ConnectionState } from './connection.ts'
import { type Request, Requests } from './requests.ts'
import { forgetToken, keepToken, takeToken } from './token.ts'

/** Frames that may wait while the page is paused: a minute. */
const MOST_WAITING = 600

/** A sentence for the user. */
export interface Notice {
  readonly kind: 'done' | 'failed'
  readonly text: string
}

export class Session {
  readonly picture = new Picture()
  readonly state: Signal<ConnectionState> = signal({ name: 'connecting', tries: 0 })
  readonly access: Signal<Access> = signal('none')
  readonly paused = signal(false)
  /** Changes of the actors, of the events, and of numbers; each hello counts for all. */
  readonly actors = signal(0)
  readonly events = signal(0)
  readonly numbers = signal(0)
  /** Counts the servers that have said hello. */
  readonly visits = signal(0)
  readonly notice: Signal<Notice | undefined> = signal(undefined)
  /** Why the server has gone, if it said so; until there is another one. */
  readonly farewell: Signal<Goodbye['reason'] | undefined> = signal(undefined)
  /** Somebody is there who hears. */
  readonly connected: ReadonlySignal<boolean> = computed(
    () => this.state.value.name === 'open' && this.farewell.value === undefined,
  )
  /** The server tells nothing until it is given the token. */
  readonly locked: ReadonlySignal<boolean> = computed(
    () => this.visits.value > 0 && this.access.value === 'none',
  )
  readonly #connection: Connection
  readonly #requests: Requests
  /** When the last message came, by the clock of this machine. */
  seenAt = 0
  /** Questions of what is shown, to be asked once more when the server goes. */
  readonly #standing = new Set<() => Promise<void>>()
  #watch: Watch | undefined
  #waiting: (Hello | Frame)[] = []
  #overflown = false
  #token = takeToken()

  constructor(url: string) {
    this.#requests = new Requests((message) => this.#send(message))
    this.#connection = new Connection(url, {
      onMessage: (message) => this.#take(message),
      onState: (state) => {
        if (state.name === 'waiting') this.#requests.fail()
        this.state.value = state
      },
    })
    effect(() => {
      if (!this.paused.value) this.#goOn()
    })
  }

  connect(): void {
    this.#connection.connect()
  }

  /** What is in view from now on, also after a new connection. */
  watch(watch: Watch): void {
    this.#watch = watch
    this.#connection.send(watch)
  }

  /** @throws Refusal */
  ask<Value>(request: Request): Promise<Value> {
    return this.#requests.make<Value>(request)
  }

  /**
   * Asked once more when the server goes, so that what is shown is how things stood at the end.
   *
   * @returns how to end that
   */
  standing(ask: () => Promise<void>): () => void {
    this.#standing.add(ask)
    return () => this.#standing.delete(ask)
  }

  /** Says in a notice what came of it. */
  async act(request: Request, done: string): Promise<void> {
    try {
      await this.ask(request)
      this.notice.value = { kind: 'done', text: done }
    } catch (error) {
      this.notice.value = { kind: 'failed', text: (error as Error).message }
    }
  }

  async logIn(token: string): Promise<void> {
    try {
      this.access.value = await this.ask<Access>({ type: 'login', token })
      this.#token = token
      keepToken(token)
      if (this.#watch !== undefined) this.#connection.send(this.#watch)
    } catch (error) {
      // It is of a server that was here before.
      this.#token = undefined
      forgetToken()
      this.notice.value = { kind: 'failed', text: (error as Error).message }
    }
  }

  #send(message: PageMessage): boolean {
    return this.#connection.send(message)
  }

  #take(message: ServerMessage): void {
    if (message.type === 'answer') return this.#requests.answer(message)
    if (message.type === 'goodbye') return void this.#part(message)
    if (message.type === 'hello') this.#greet(message)
    if (this.paused.peek()) this.#wait(message)
    else this.#show([message])
  }

  async #part({ reason }: Goodbye): Promise<void> {
    this.farewell.value = reason
    await Promise.allSettled([...this.#standing].map((ask) => ask()))
    this.#connection.leave()
  }

  /** Says again what a server before this one was told. */
  #greet({ access }: Hello): void {
    this.access.value = access
    this.farewell.value = undefined
    if (this.#token !== undefined && access !== 'act') void this.logIn(this.#token)
    if (this.#watch !== undefined) this.#connection.send(this.#watch)
  }

  #wait(message: Hello | Frame): void {
    if (message.type === 'hello') {
      this.#waiting = []
      this.#overflown = false
    }
    if (this.#overflown) return
    this.#waiting.push(message)
    if (this.#waiting.length <= MOST_WAITING) return
    this.#waiting = []
    this.#overflown = true
  }

  #goOn(): void {
    const waiting = this.#waiting
    this.#waiting = []
    if (this.#overflown) this.#connection.restart()
    else if (waiting.length > 0) this.#show(waiting)
  }

  #show(messages: readonly (Hello | Frame)[]): void {
    batch(() => {
      this.seenAt = Date.now()
      for (const message of messages) {
        if (message.type === 'hello') this.picture.begin(message)
        else this.picture.take(message)
      }
      this.#count(messages)
    })
  }

  #count(messages: readonly (Hello | Frame)[]): void {
    const [actors, events, visits] = [this.actors, this.events, this.visits]
    if (messages.some(({ type }) => type === 'hello')) visits.value = visits.peek() + 1
    if (messages.some(changesActors)) actors.value = actors.peek() + 1
    if (messages.some(hasEvents)) events.value = events.peek() + 1
    this.numbers.value = this.numbers.peek() + 1
  }
}

function changesActors(message: Hello | Frame): boolean {
  if (message.type === 'hello') return true
  const { added, changed, gone, lists } = message
  return added !== undefined || changed !== undefined || gone !== undefined || lists !== undefined
}

function hasEvents(message: Hello | Frame): boolean {
  return message.type === 'hello' || message.events !== undefined
}
