/** Ends what has been idle for too long: one timer for a whole pool, armed only while there is something to end. */

/** `setTimeout` fires at once beyond this. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

export interface IdleSlot {
  /** `performance.now()` at which it became idle, or `undefined`. */
  readonly idleSince: number | undefined
}

export class IdleReaper<Slot extends IdleSlot> {
  readonly #timeoutMs: number
  readonly #spare: () => Iterable<Slot>
  readonly #retire: (slot: Slot) => void
  #timer: NodeJS.Timeout | undefined

  /** `spare` gives the idle slots that the pool can do without, the ones to go first first. */
  constructor(timeoutMs: number, spare: () => Iterable<Slot>, retire: (slot: Slot) => void) {
    this.#timeoutMs = timeoutMs
    this.#spare = spare
    this.#retire = retire
  }

  /** Call it when a slot becomes idle, or the pool has come to need fewer. Cheap when already armed. */
  watch(): void {
    if (this.#timer === undefined && this.#timeoutMs !== Number.POSITIVE_INFINITY) this.#arm(this.#timeoutMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(() => this.#reap(), Math.min(Math.ceil(ms), MAX_TIMEOUT_MS)).unref()
  }

  #reap(): void {
    this.#timer = undefined
    const now = performance.now()
    let nextMs = Number.POSITIVE_INFINITY
    for (const slot of [...this.#spare()]) {
      const leftMs = (slot.idleSince ?? now) + this.#timeoutMs - now
      if (leftMs <= 0) this.#retire(slot)
      else nextMs = Math.min(nextMs, leftMs)
    }
    if (nextMs !== Number.POSITIVE_INFINITY) this.#arm(nextMs)
  }
}
