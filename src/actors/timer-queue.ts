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
import {
  ArmedTimers,
  type Timer,
  type TimerErrorListener,
  type TimerKind,
  type TimerOwner,
} from './armed-timers.ts'
import { type Clock, MAX_DELAY_MS } from './clock.ts'

/** No clock timer is set. */
const ASLEEP = Number.POSITIVE_INFINITY

export class TimerQueue {
  readonly #clock: Clock
  readonly #armed: ArmedTimers
  readonly #onWake = (): void => this.#fire()
  #wakeId: unknown
  /** When the clock timer fires, as `monotonic()` ms. */
  #wakeAt = ASLEEP

  /**
   * @param onError told of every callback that threw; without it the error is thrown again from a
   *   microtask, where it is an uncaught exception. The other timers fire in both cases.
   */
  constructor(clock: Clock, onError?: TimerErrorListener) {
    this.#clock = clock
    this.#armed = new ArmedTimers(onError)
  }

  /** Live timers. */
  get size(): number {
    return this.#armed.size
  }

  /** Timers held in memory, the cancelled ones that were not yet swept out included. */
  get held(): number {
    return this.#armed.held
  }

  /** `monotonic()` ms of the first live timer, or `undefined` when there is none. */
  get nextDue(): number | undefined {
    return this.#armed.nextDue
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
    const timer = this.#armed.arm(due, owner, kind)
    if (due < this.#wakeAt && !this.#armed.firing) this.#wake(due)
    return timer
  }

  /**
   * Disarms a timer of this queue.
   * @returns false when it was not live any more
   */
  cancel(timer: Timer): boolean {
    if (!this.#armed.cancel(timer)) return false
    if (this.#armed.size === 0) this.#sleep()
    return true
  }

  /** Cancels everything and refuses new timers. Callable from a callback, and twice. */
  close(): void {
    this.#armed.close()
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
    this.#armed.fire(this.#clock.monotonic())
    const next = this.#armed.nextDue
    if (next !== undefined) this.#wake(next)
  }
}
