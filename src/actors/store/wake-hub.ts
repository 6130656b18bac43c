/**
 * Wakes the listeners of one store: at once after a commit of its own, by a nudge after one of another process, and by
 * a slow poll when that was missed. Several reasons in one turn are one wake. A listener that throws is the caller's
 * uncaught exception and keeps no other from its turn.
 *
 * - asleep: nobody listens; no line, no timer.
 * - awake: the line is open for each listened topic, and the poll's timer is set.
 * - closed: for good.
 */
import type { Clock } from '../clock.ts'
import type { WakeTopic } from './store.ts'

/** How stores of one database wake each other. */
export interface WakeLine {
  /** @returns how to listen no more */
  listen(topic: WakeTopic, onNudge: () => void): () => Promise<void>
  /** Wakes whoever listens to these topics in other stores. */
  nudge(topics: ReadonlySet<WakeTopic>): void
}

export interface WakeHubOptions {
  readonly clock: Clock
  readonly pollMs: number
  readonly line: WakeLine
  /** Whether another connection has committed since it was last asked. */
  readonly hasChanged: () => boolean
}

interface Topic {
  readonly listeners: Set<() => void>
  close(): Promise<void>
}

export class WakeHub {
  readonly #options: WakeHubOptions
  readonly #topics = new Map<WakeTopic, Topic>()
  readonly #due = new Set<WakeTopic>()
  readonly #closing = new Set<Promise<void>>()
  #timer: unknown
  #isClosed = false

  constructor(options: WakeHubOptions) {
    this.#options = options
  }

  listen(topic: WakeTopic, listener: () => void): () => void {
    if (this.#isClosed) return () => {}
    const entry = this.#topics.get(topic) ?? this.#open(topic)
    // The same function may listen twice.
    const own = (): void => listener()
    entry.listeners.add(own)
    this.#timer ??= this.#armPoll()
    return () => {
      if (entry.listeners.delete(own) && entry.listeners.size === 0) this.#close(topic, entry)
    }
  }

  /** After a commit of this store. */
  tell(topics: ReadonlySet<WakeTopic>): void {
    if (this.#isClosed || topics.size === 0) return
    this.#options.line.nudge(topics)
    this.#wake(topics)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const [topic, entry] of this.#topics) this.#close(topic, entry)
    this.#disarm()
    await Promise.all(this.#closing)
  }

  #open(topic: WakeTopic): Topic {
    const close = this.#options.line.listen(topic, () => this.#wake([topic]))
    const entry = { listeners: new Set<() => void>(), close }
    this.#topics.set(topic, entry)
    return entry
  }

  #close(topic: WakeTopic, entry: Topic): void {
    entry.listeners.clear()
    this.#topics.delete(topic)
    if (this.#topics.size === 0) this.#disarm()
    const closing = entry.close().finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }

  #wake(topics: Iterable<WakeTopic>): void {
    const wasQuiet = this.#due.size === 0
    for (const topic of topics) if (this.#topics.has(topic)) this.#due.add(topic)
    if (wasQuiet && this.#due.size > 0) setImmediate(() => this.#call())
  }

  #call(): void {
    const due = [...this.#due]
    this.#due.clear()
    for (const topic of due) {
      for (const listener of this.#topics.get(topic)?.listeners ?? []) {
        try {
          listener()
        } catch (error) {
          queueMicrotask(() => {
            throw error
          })
        }
      }
    }
  }

  #armPoll(): unknown {
    const { clock, pollMs } = this.#options
    return clock.setTimeout(() => this.#poll(), pollMs)
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #poll(): void {
    this.#timer = this.#armPoll()
    if (this.#options.hasChanged()) this.#wake(this.#topics.keys())
  }
}
