/** Occurrences on a fixed grid of the monotonic clock: from start to start, without drift. */
import { dueOf, type Grid, lookAtGrid } from '../machines/missed.ts'
import type { TickOccasion } from '../machines/worker-model.ts'
import type { Timer, TimerOwner } from './armed-timers.ts'
import type { Clock } from './clock.ts'
import type { Ticker, TickListener, TickLook } from './ticker.ts'
import type { TimerQueue } from './timer-queue.ts'

export interface TickerPorts {
  readonly clock: Clock
  readonly timers: TimerQueue
}

export interface GridOptions {
  readonly stepMs: number
  /** From now to the first occurrence. */
  readonly firstInMs: number
  readonly missedAfterMs: number
}

export class GridTicker implements Ticker, TimerOwner, Grid {
  readonly anchor: number
  readonly stepMs: number
  readonly #missedAfterMs: number
  readonly #listener: TickListener
  readonly #ports: TickerPorts
  /** Number of the first occurrence that was not looked at. */
  #next = 0
  #timer: Timer | undefined = undefined

  constructor(ports: TickerPorts, listener: TickListener, options: GridOptions) {
    this.#ports = ports
    this.#listener = listener
    this.stepMs = options.stepMs
    this.#missedAfterMs = options.missedAfterMs
    this.anchor = ports.clock.monotonic() + options.firstInMs
  }

  get nextAt(): number | undefined {
    const { clock } = this.#ports
    return this.#timer === undefined ? undefined : clock.now() + this.#timer.due - clock.monotonic()
  }

  arm(after: TickOccasion): boolean {
    if (this.#timer !== undefined) return true
    const due = dueOf(this, this.#next)
    if (after === 'start' && due <= this.#ports.clock.monotonic()) this.#listener.onTick()
    else this.#timer = this.#ports.timers.arm(due, this, 'timer.tick')
    return true
  }

  disarm(): void {
    if (this.#timer === undefined) return
    this.#ports.timers.cancel(this.#timer)
    this.#timer = undefined
  }

  look(): TickLook {
    const look = lookAtGrid(this, this.#next, this.#ports.clock.monotonic(), this.#missedAfterMs)
    this.#next = look.next
    return look
  }

  passed(): number {
    const { missed, onTime } = this.look()
    return onTime ? missed + 1 : missed
  }

  onTimer(): void {
    this.#timer = undefined
    this.#listener.onTick()
  }
}
