/** Tells whoever shows a queue when something has changed in it since it was asked. */
import { setTimeout } from 'node:timers/promises'
import type { Queue } from '../durable/queue.ts'
import { storeOf } from '../durable/queue-access.ts'

/** Without news: estimates of the end move on. */
const TURN_MS = 1_000
/** Faster than that nobody can read. */
const LEAST_TURN_MS = 50

export class QueueNews {
  readonly #unlisten: () => void
  #tell: () => void = () => {}

  constructor(queue: Queue) {
    this.#unlisten = storeOf(queue).store.wake('news', () => this.#tell())
  }

  /** Resolves with the next news, after a turn, or when aborted. */
  async next(signal: AbortSignal): Promise<void> {
    const over = new AbortController()
    const either = AbortSignal.any([signal, over.signal])
    this.#tell = () => over.abort()
    await setTimeout(TURN_MS, undefined, { signal: either }).catch(() => {})
    if (!signal.aborted) await setTimeout(LEAST_TURN_MS)
  }

  close(): void {
    this.#tell()
    this.#unlisten()
  }
}
