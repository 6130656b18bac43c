/**
 * Armed timers in the order in which they are due, and how those that are due fire. Whoever holds one brings the
 * clock: `TimerQueue` the monotonic one, `WallTimers` the wall clock.
 *
 * Until it is closed it is authoritative for which timers are live. A callback that throws stops no other.
 */
import { type DeadlineEntry, DeadlineHeap } from './deadline-heap.ts'

/** Names a timer among those of its owner. */
export type TimerKind = string | number

/** Whoever arms timers. One object for all of them, so that a timer costs no closure. */
export interface TimerOwner {
  onTimer(kind: TimerKind): void
}

/** An armed timer: keep it to cancel it. It holds on to its owner only while it is live. */
export interface Timer {
  /** When it fires, ms by the clock it was armed on. */
  readonly due: number
  /** What it was armed as. */
  readonly kind: TimerKind
  /** False once it has fired, was cancelled, or what it was armed on was closed. */
  readonly live: boolean
}

/** Told of a callback that threw. */
export type TimerErrorListener = (error: unknown, owner: TimerOwner, kind: TimerKind) => void

class Entry implements Timer, DeadlineEntry {
  readonly due: number
  readonly seq: number
  readonly kind: TimerKind
  owner: TimerOwner | undefined
  live: boolean

  constructor(due: number, seq: number, owner: TimerOwner, kind: TimerKind) {
    this.due = due
    this.seq = seq
    this.kind = kind
    this.owner = owner
    this.live = true
  }
}

export class ArmedTimers {
  readonly #onError: TimerErrorListener | undefined
  readonly #heap = new DeadlineHeap<Entry>()
  #seq = 0
  #closed = false
  #firing = false

  /**
   * @param onError - told of every callback that threw; without it the error is thrown again from a
   *   microtask, where it is an uncaught exception. The other timers fire in both cases.
   */
  constructor(onError: TimerErrorListener | undefined) {
    this.#onError = onError
  }

  /** Live timers. */
  get size(): number {
    return this.#heap.size
  }

  /** Timers held in memory, the cancelled ones that were not yet swept out included. */
  get held(): number {
    return this.#heap.held
  }

  /** When the first one is due, or `undefined` when there is none. */
  get nextDue(): number | undefined {
    return this.#heap.peek()?.due
  }

  /** Callbacks are being called: whoever wakes for the next timer does so afterwards. */
  get firing(): boolean {
    return this.#firing
  }

  /**
   * @throws RangeError when `due` is not finite (a deadline that never passes needs no timer)
   * @throws Error after `close()`
   */
  arm(due: number, owner: TimerOwner, kind: TimerKind): Timer {
    if (!Number.isFinite(due)) throw new RangeError(`A timer must be due at a finite instant, not at ${due}.`)
    if (this.#closed) throw new Error('A timer cannot be armed: its queue is closed.')
    const entry = new Entry(due, this.#seq++, owner, kind)
    this.#heap.push(entry)
    return entry
  }

  /** @returns false when it was not live any more */
  cancel(timer: Timer): boolean {
    const entry = timer as Entry
    if (!entry.live) return false
    entry.live = false
    entry.owner = undefined
    this.#heap.cancelled()
    return true
  }

  /** Cancels everything and refuses new timers. Callable from a callback, and twice. */
  close(): void {
    this.#closed = true
    for (const entry of this.#heap.clear()) {
      entry.live = false
      entry.owner = undefined
    }
  }

  /** Fires everything that is due by `now`, in due order, ties in arming order. */
  fire(now: number): void {
    this.#firing = true
    // Timers armed from here on wait for the next turn, so that callbacks cannot hold the event loop.
    const limit = this.#seq
    for (;;) {
      const entry = this.#heap.peek()
      if (entry === undefined || entry.due > now || entry.seq >= limit) break
      this.#heap.pop()
      const owner = entry.owner as TimerOwner
      entry.live = false
      entry.owner = undefined
      try {
        owner.onTimer(entry.kind)
      } catch (error) {
        this.#report(error, owner, entry.kind)
      }
    }
    this.#firing = false
  }

  #report(error: unknown, owner: TimerOwner, kind: TimerKind): void {
    if (this.#onError !== undefined) {
      try {
        this.#onError(error, owner, kind)
        return
      } catch (listenerError) {
        rethrowLater(listenerError)
      }
    }
    rethrowLater(error)
  }
}

function rethrowLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
