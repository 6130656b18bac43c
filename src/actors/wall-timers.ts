/**
 * Timers due at instants of the wall clock, for any number of owners, behind one timer of a `TimerQueue`.
 *
 * - idle: no live timer; none of the queue is held either.
 * - sleeping: one timer of the queue is set, for the first instant by the wall clock of now, and never for more than
 *   {@link MAX_SLEEP_MS}: that soon a wall clock that was set forward, or a machine that was suspended, is
 *   noticed. No timer queue could tell: it follows the monotonic clock.
 * - firing: everything due by the wall clock fires, in due order, ties in arming order.
 * - closed: for good.
 *
 * A timer never fires before the wall clock has reached its instant: one that was set back makes it wait.
 * A callback that throws stops no other.
 */
import type { Clock } from './clock.ts'
import { type DeadlineEntry, DeadlineHeap } from './deadline-heap.ts'
import type { Timer, TimerErrorListener, TimerKind, TimerOwner, TimerQueue } from './timer-queue.ts'

/** The longest sleep before the wall clock is looked at again: so late may a timer be after a jump. */
export const MAX_SLEEP_MS = 30_000

/** An armed timer: keep it to cancel it. It holds on to its owner only while it is live. */
export interface WallTimer {
  /** Epoch ms at which it fires. */
  readonly due: number
  readonly kind: TimerKind
  /** False once it has fired, was cancelled, or its timers were closed. */
  readonly live: boolean
}

class Entry implements WallTimer, DeadlineEntry {
  readonly due: number
  readonly seq: number
  readonly kind: TimerKind
  owner: TimerOwner | undefined
  live = true

  constructor(due: number, seq: number, owner: TimerOwner, kind: TimerKind) {
    this.due = due
    this.seq = seq
    this.owner = owner
    this.kind = kind
  }
}

export class WallTimers implements TimerOwner {
  readonly #clock: Clock
  readonly #queue: TimerQueue
  readonly #onError: TimerErrorListener | undefined
  readonly #heap = new DeadlineHeap<Entry>()
  #seq = 0
  #wake: Timer | undefined
  #firing = false
  #closed = false

  /**
   * @param onError told of every callback that threw; without it the error is thrown again from a microtask
   */
  constructor(clock: Clock, queue: TimerQueue, onError?: TimerErrorListener) {
    this.#clock = clock
    this.#queue = queue
    this.#onError = onError
  }

  /** Live timers. */
  get size(): number {
    return this.#heap.size
  }

  /**
   * Calls `owner.onTimer(kind)` once the wall clock has reached an instant, never synchronously.
   * @param due epoch ms, at any finite distance
   * @throws RangeError when `due` is not finite
   * @throws Error after `close()`
   */
  arm(due: number, owner: TimerOwner, kind: TimerKind): WallTimer {
    if (!Number.isFinite(due)) throw new RangeError(`A timer must be due at a finite instant, not at ${due}.`)
    if (this.#closed) throw new Error('A timer cannot be armed: its timers are closed.')
    const entry = new Entry(due, this.#seq++, owner, kind)
    this.#heap.push(entry)
    if (!this.#firing) this.#sleepUntil(due)
    return entry
  }

  /**
   * Disarms one of these timers.
   * @returns false when it was not live any more
   */
  cancel(timer: WallTimer): boolean {
    const entry = timer as Entry
    if (!entry.live) return false
    entry.live = false
    entry.owner = undefined
    this.#heap.cancelled()
    if (this.#heap.size === 0) this.#stopSleeping()
    return true
  }

  /** Cancels everything and refuses new timers. */
  close(): void {
    this.#closed = true
    for (const entry of this.#heap.clear()) {
      entry.live = false
      entry.owner = undefined
    }
    this.#stopSleeping()
  }

  /** Time to look at the wall clock. For the queue only. */
  onTimer(): void {
    this.#wake = undefined
    this.#firing = true
    const now = this.#clock.now()
    // What callbacks arm waits for the next turn, so that they cannot hold the event loop.
    const limit = this.#seq
    for (;;) {
      const entry = this.#heap.peek()
      if (entry === undefined || entry.due > now || entry.seq >= limit) break
      this.#heap.pop()
      this.#call(entry)
    }
    this.#firing = false
    const next = this.#heap.peek()
    if (next !== undefined) this.#sleepUntil(next.due)
  }

  #call(entry: Entry): void {
    const owner = entry.owner as TimerOwner
    entry.live = false
    entry.owner = undefined
    try {
      owner.onTimer(entry.kind)
    } catch (error) {
      this.#report(error, owner, entry.kind)
    }
  }

  #report(error: unknown, owner: TimerOwner, kind: TimerKind): void {
    if (this.#onError === undefined) return rethrowLater(error)
    try {
      this.#onError(error, owner, kind)
    } catch (listenerError) {
      rethrowLater(listenerError)
      rethrowLater(error)
    }
  }

  /** Shortens the sleep if need be. */
  #sleepUntil(due: number): void {
    const sleepMs = Math.min(Math.max(Math.ceil(due - this.#clock.now()), 0), MAX_SLEEP_MS)
    const wakeAt = this.#clock.monotonic() + sleepMs
    if (this.#wake?.live === true && this.#wake.due <= wakeAt) return
    this.#stopSleeping()
    this.#wake = this.#queue.arm(wakeAt, this, 'wall')
  }

  #stopSleeping(): void {
    if (this.#wake === undefined) return
    this.#queue.cancel(this.#wake)
    this.#wake = undefined
  }
}

function rethrowLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
