/** Progress of one attempt on its way to the host: the first at once, then at most one per interval. */

/** Finer steps nobody sees. */
const INTERVAL_MS = 20

export class Progress {
  readonly #send: (percent: number, note: string | undefined) => void
  #sentAt = Number.NEGATIVE_INFINITY
  /** The latest value, not sent yet. */
  #pending: { readonly percent: number; readonly note: string | undefined } | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(send: (percent: number, note: string | undefined) => void) {
    this.#send = send
  }

  report(percent: number, note: string | undefined): void {
    this.#pending = { percent: clamp(percent), note: note === undefined ? undefined : String(note) }
    const now = performance.now()
    const wait = this.#sentAt + INTERVAL_MS - now
    // A handler that never lets the event loop turn sends here, one that does in the timer too.
    if (wait <= 0) this.flush(now)
    else this.#timer ??= setTimeout(() => this.flush(), wait).unref()
  }

  /** Sends what is pending. Called before the attempt settles, so that the last value arrives. */
  flush(now = performance.now()): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const pending = this.#pending
    if (pending === undefined) return
    this.#pending = undefined
    this.#sentAt = now
    this.#send(pending.percent, pending.note)
  }
}

/** Anything but a number counts as 0. */
function clamp(percent: number): number {
  return percent > 0 ? Math.min(100, Number(percent)) : 0
}
