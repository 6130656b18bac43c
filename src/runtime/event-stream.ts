/** Events as an async iterator with a bounded buffer: a slow reader loses the oldest, never memory. */
import type { RecordedEvent } from './events.ts'

export interface EventStreamOptions {
  /** Events kept for a reader that lags. @defaultValue 1000 */
  readonly buffer?: number
}

/** Iterate it once; leaving the loop unsubscribes. It ends by itself after `supervisor.stopped`. */
export class EventStream implements AsyncIterableIterator<RecordedEvent> {
  readonly #limit: number
  readonly #unsubscribe: () => void
  #buffer: RecordedEvent[] = []
  #readers: ((result: IteratorResult<RecordedEvent>) => void)[] = []
  #ended = false
  /** Events that were lost because nobody read them in time. */
  dropped = 0

  constructor(subscribe: (listener: (event: RecordedEvent) => void) => () => void, limit: number) {
    this.#limit = limit
    this.#unsubscribe = subscribe((event) => this.#push(event))
  }

  next(): Promise<IteratorResult<RecordedEvent>> {
    const event = this.#buffer.shift()
    if (event !== undefined) return Promise.resolve({ value: event, done: false })
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve) => this.#readers.push(resolve))
  }

  /** Ends the stream; waiting readers get `done`. */
  return(): Promise<IteratorResult<RecordedEvent>> {
    this.#buffer = []
    this.#end()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #end(): void {
    this.#ended = true
    this.#unsubscribe()
    for (const reader of this.#readers.splice(0)) reader({ value: undefined, done: true })
  }

  #push(event: RecordedEvent): void {
    const reader = this.#readers.shift()
    if (reader !== undefined) reader({ value: event, done: false })
    else this.#buffer.push(event)
    if (this.#buffer.length > this.#limit) {
      this.#buffer.shift()
      this.dropped += 1
    }
    if (event.type === 'supervisor.stopped') this.#end()
  }
}
