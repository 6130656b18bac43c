import { ManualClock } from '../../src/runtime/testing/index.ts'

/** A manual clock whose time can pass while no timer can fire: the event loop is blocked, the machine sleeps. */
export class StallingClock extends ManualClock {
  #stalledMs = 0

  /** Time passes; what is due meanwhile fires with the next move. */
  stall(ms: number): void {
    this.#stalledMs += ms
  }

  override now(): number {
    return super.now() + this.#stalledMs
  }

  override monotonic(): number {
    return super.monotonic() + this.#stalledMs
  }
}
