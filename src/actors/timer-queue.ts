/**
 * The one owner of all deadlines of a task pool: 100,000 and more of them behind one clock timer.
 *
 * - idle: no live timer; no clock timer is held either.
 * - waiting: one clock timer is set, for the first deadline or an earlier, since cancelled one (then it
 *   wakes for nothing and is set again).
 * - firing: everything due fires, in due order, ties in arming order; the clock timer is set afterwards.
 * - closed: for good.
 *
 * The queue is authoritative for when, the owner for what. A callback that throws stops no other.
 */
import { type Clock, MAX_DELAY_MS } from './clock.ts'
import { type DeadlineEntry, DeadlineHeap } from './deadline-heap.ts'

/** Names a timer among those of its owner. */
export type TimerKind = string | number

/** Whoever arms timers. One object for all of them, so that a timer costs no closure. */
export interface TimerOwner {
  onTimer(kind: TimerKind): void
}

/** An armed timer: keep it to cancel it. It holds on to its owner only while it is live. */
export interface Timer {
  /** `clock.monotonic()` ms at which it fires. */
  readonly due: number
  /** What it was armed as. */
  readonly kind: TimerKind
  /** False once it has fired, was cancelled, or its queue was closed. */
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

/** No clock timer is set. */
const ASLEEP = Number.POSITIVE_INFINITY

export class TimerQueue {
  readonly #clock: Clock
  readonly #onError: TimerErrorListener | undefined
  readonly #heap = new DeadlineHeap<Entry>()
  readonly #onWake = (): void => this.#fire()
  #seq = 0
  #wakeId: unknown
  /** When the clock timer fires, as `monotonic()` ms. */
  #wakeAt = ASLEEP
  #firing = false
  #closed = false

  /**
   * @param onError told of every callback that threw; without it the error is thrown again from a
   *   microtask, where it is an uncaught exception. The other timers fire in both cases.
   */
  constructor(clock: Clock, onError?: TimerErrorListener) {
    this.#clock = clock
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

  /** `monotonic()` ms of the first live timer, or `undefined` when there is none. */
  get nextDue(): number | undefined {
    return this.#heap.peek()?.due
  }

  /**
   * Calls `owner.onTimer(kind)` once `clock.monotonic()` has reached `due`, never before and never
   * synchronously: what is due already fires at the clock's next turn. Any finite distance works; longer
   * delays than a clock timer holds are armed in steps.
   * @param due `clock.monotonic()` ms
   * @throws RangeError when `due` is not finite (a deadline that never passes needs no timer)
   * @throws Error after `close()`
   */
  arm(due: number, owner: TimerOwner, kind: TimerKind): Timer {
    if (!Number.isFinite(due)) throw new RangeError(`A timer must be due at a finite instant, not at ${due}.`)
    if (this.#closed) throw new Error('A timer cannot be armed: its queue is closed.')
    const entry = new Entry(due, this.#seq++, owner, kind)
    this.#heap.push(entry)
    if (due < this.#wakeAt && !this.#firing) this.#wake(due)
    return entry
  }

  /**
   * Disarms a timer of this queue.
   * @returns false when it was not live any more
   */
  cancel(timer: Timer): boolean {
    const entry = timer as Entry
    if (!entry.live) return false
    entry.live = false
    entry.owner = undefined
    this.#heap.cancelled()
    if (this.#heap.size === 0) this.#sleep()
    return true
  }

  /** Cancels everything and refuses new timers. Callable from a callback, and twice. */
  close(): void {
    this.#closed = true
    for (const entry of this.#heap.clear()) {
      entry.live = false
      entry.owner = undefined
    }
    this.#sleep()
  }

  #wake(due: number): void {
    this.#sleep()
    const now = this.#clock.monotonic()
    // Clock timers count whole milliseconds: rounding up spares a wake-up just before the deadline.
    const delay = Math.min(Math.max(Math.ceil(due - now), 0), MAX_DELAY_MS)
    // Nothing can be sooner than the clock's next turn.
    this.#wakeAt = delay === 0 ? Number.NEGATIVE_INFINITY : now + delay
    this.#wakeId = this.#clock.setTimeout(this.#onWake, delay)
  }

  #sleep(): void {
    if (this.#wakeAt === ASLEEP) return
    this.#wakeAt = ASLEEP
    this.#clock.clearTimeout(this.#wakeId)
    this.#wakeId = undefined
  }

  #fire(): void {
    this.#wakeAt = ASLEEP
    this.#wakeId = undefined
    this.#firing = true
    const now = this.#clock.monotonic()
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
    const next = this.#heap.peek()
    if (next !== undefined) this.#wake(next.due)
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
