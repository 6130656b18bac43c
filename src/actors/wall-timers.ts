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
import {
  ArmedTimers,
  type Timer,
  type TimerErrorListener,
  type TimerKind,
  type TimerOwner,
} from './armed-timers.ts'
import type { Clock } from './clock.ts'
import type { TimerQueue } from './timer-queue.ts'

/** The longest sleep before the wall clock is looked at again: so late may a timer be after a jump. */
export const MAX_SLEEP_MS = 30_000

export class WallTimers implements TimerOwner {
  readonly #clock: Clock
  readonly #queue: TimerQueue
  readonly #armed: ArmedTimers
  #wake: Timer | undefined

  /**
   * @param onError told of every callback that threw; without it the error is thrown again from a microtask
   */
  constructor(clock: Clock, queue: TimerQueue, onError?: TimerErrorListener) {
    this.#clock = clock
    this.#queue = queue
    this.#armed = new ArmedTimers(onError)
  }

  /** Live timers. */
  get size(): number {
    return this.#armed.size
  }

  /**
   * Calls `owner.onTimer(kind)` once the wall clock has reached an instant, never synchronously.
   * @param due epoch ms, at any finite distance
   * @throws RangeError when `due` is not finite
   * @throws Error after `close()`
   */
  arm(due: number, owner: TimerOwner, kind: TimerKind): Timer {
    const timer = this.#armed.arm(due, owner, kind)
    if (!this.#armed.firing) this.#sleepUntil(due)
    return timer
  }

  /**
   * Disarms one of these timers.
   * @returns false when it was not live any more
   */
  cancel(timer: Timer): boolean {
    if (!this.#armed.cancel(timer)) return false
    if (this.#armed.size === 0) this.#stopSleeping()
    return true
  }

  /** Cancels everything and refuses new timers. */
  close(): void {
    this.#armed.close()
    this.#stopSleeping()
  }

  /** Time to look at the wall clock. For the queue only. */
  onTimer(): void {
    this.#wake = undefined
    this.#armed.fire(this.#clock.now())
    const next = this.#armed.nextDue
    if (next !== undefined) this.#sleepUntil(next)
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
