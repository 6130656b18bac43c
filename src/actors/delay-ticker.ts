/** Occurrences a delay after the end of the run before: they never come while one is live, so none is missed. */
import type { TickOccasion } from '../machines/worker-model.ts'
import type { Timer, TimerOwner } from './armed-timers.ts'
import type { TickerPorts } from './grid-ticker.ts'
import type { Ticker, TickListener, TickLook } from './ticker.ts'

export interface DelayOptions {
  /** From the end of a run. */
  readonly afterMs: number
  /** Before each run, the first one, too. */
  readonly beforeMs: number
}

const DUE: TickLook = { onTime: true, missed: 0 }

export class DelayTicker implements Ticker, TimerOwner {
  readonly #options: DelayOptions
  readonly #listener: TickListener
  readonly #ports: TickerPorts
  #timer: Timer | undefined = undefined

  constructor(ports: TickerPorts, listener: TickListener, options: DelayOptions) {
    this.#ports = ports
    this.#listener = listener
    this.#options = options
  }

  get nextAt(): number | undefined {
    const { clock } = this.#ports
    return this.#timer === undefined ? undefined : clock.now() + this.#timer.due - clock.monotonic()
  }

  arm(after: TickOccasion): boolean {
    // Whatever begins now, its end decides when the next one comes.
    if (after === 'begin') this.disarm()
    else if (this.#timer === undefined) this.#arm(after === 'start')
    return true
  }

  #arm(isFirst: boolean): void {
    const { afterMs, beforeMs } = this.#options
    const { clock, timers } = this.#ports
    if (isFirst && beforeMs === 0) return this.#listener.onTick()
    const delayMs = isFirst ? beforeMs : afterMs + beforeMs
    this.#timer = timers.arm(clock.monotonic() + delayMs, this, 'timer.tick')
  }

  disarm(): void {
    if (this.#timer === undefined) return
    this.#ports.timers.cancel(this.#timer)
    this.#timer = undefined
  }

  look(): TickLook {
    return DUE
  }

  passed(): number {
    return 0
  }

  onTimer(): void {
    this.#timer = undefined
    this.#listener.onTick()
  }
}
