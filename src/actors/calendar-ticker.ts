/**
 * Occurrences at instants of a calendar, by the wall clock. A clock that is set forward makes what lies between
 * missed; one that is set back makes the next occurrence wait, and none comes twice.
 */

import type { Timer, TimerOwner } from './armed-timers.ts'
import type { Calendar } from './calendar.ts'
import type { Clock } from './clock.ts'
import type { Ticker, TickListener, TickLook } from './ticker.ts'
import type { WallTimers } from './wall-timers.ts'

export interface CalendarPorts {
  readonly clock: Clock
  readonly wall: WallTimers
  random(): number
}

export interface CalendarTickerOptions {
  readonly calendar: Calendar
  /** Each occurrence comes up to so much later, but never as late as its successor. */
  readonly jitterMs: number
  readonly missedAfterMs: number
}

/** So many occurrences are counted one by one; whoever slept through more is told of these, and owes these. */
const MOST_COUNTED = 100_000

const NOTHING: TickLook = { onTime: false, missed: 0 }

export class CalendarTicker implements Ticker, TimerOwner {
  readonly calendar: Calendar
  readonly #options: CalendarTickerOptions
  readonly #listener: TickListener
  readonly #ports: CalendarPorts
  /** The first occurrence that was not looked at; `undefined`: there is none. */
  #next: number | undefined
  /** When it is to come, with its jitter. */
  #dueAt: number | undefined = undefined
  #timer: Timer | undefined = undefined

  constructor(ports: CalendarPorts, listener: TickListener, options: CalendarTickerOptions) {
    this.calendar = options.calendar
    this.#ports = ports
    this.#listener = listener
    this.#options = options
    this.#next = options.calendar.next(ports.clock.now())
  }

  get nextAt(): number | undefined {
    return this.#timer?.due
  }

  arm(): boolean {
    if (this.#timer !== undefined) return true
    if (this.#next === undefined) return false
    this.#dueAt ??= this.#next + this.#jitter(this.#next)
    this.#timer = this.#ports.wall.arm(this.#dueAt, this, 'timer.tick')
    return true
  }

  disarm(): void {
    if (this.#timer === undefined) return
    this.#ports.wall.cancel(this.#timer)
    this.#timer = undefined
  }

  look(): TickLook {
    const now = this.#ports.clock.now()
    let last = this.#next
    if (last === undefined || (this.#dueAt ?? last) > now) return NOTHING
    let come = 1
    let dueAt = this.#dueAt ?? last
    let next = this.calendar.next(last)
    while (next !== undefined && next <= now) {
      if (come === MOST_COUNTED) {
        // Too many to count: go on with what comes from now on.
        this.#moveTo(this.calendar.next(now))
        return { onTime: false, missed: come }
      }
      last = next
      dueAt = next
      come += 1
      next = this.calendar.next(last)
    }
    this.#moveTo(next)
    const onTime = now - dueAt <= this.#options.missedAfterMs
    return { onTime, missed: onTime ? come - 1 : come }
  }

  passed(): number {
    const { missed, onTime } = this.look()
    return onTime ? missed + 1 : missed
  }

  onTimer(): void {
    this.#timer = undefined
    this.#listener.onTick()
  }

  #moveTo(next: number | undefined): void {
    this.#next = next
    this.#dueAt = undefined
  }

  #jitter(at: number): number {
    const { jitterMs } = this.#options
    if (jitterMs === 0) return 0
    const successor = this.calendar.next(at) ?? Number.POSITIVE_INFINITY
    return Math.min(Math.floor(this.#ports.random() * jitterMs), successor - at - 1)
  }
}
