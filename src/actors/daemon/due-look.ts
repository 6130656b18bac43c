/**
 * Acts on the store when something in it is due: whoever of the daemons comes first, for all of them. The store is authoritative:
 * it says with every claim when somebody has to look next.
 *
 * - resting: nothing comes, as far as is known. armed: it looks when the timer fires.
 * - looking: the act is under way. What a claim says meanwhile was so before; what follows the act knows.
 * - stopped: for good.
 */
import type { Timer, TimerKind, TimerOwner } from '../armed-timers.ts'
import type { DaemonPorts } from './daemon-ports.ts'

/** The wall clock may be set: the timer is armed anew at least so often. */
const MAX_WAIT_MS = 30_000
/** A look that changes nothing is not repeated at once. */
const LOOK_MS = 250

export interface Looked {
  readonly hasChanged: boolean
  /** When somebody has to look next, epoch ms; `null`: never. `undefined`: the next claim says it. */
  readonly nextAt?: number | null
}

export interface DueLookOptions {
  readonly ports: DaemonPorts
  readonly timer: TimerKind
  /** Has the store asked again: a claim says when somebody has to look next, or that the store is away. */
  nudge(): void
  /** @param isStopped - whether there is nothing to be done any more */
  act(isStopped: () => boolean): Promise<Looked>
}

export class DueLook implements TimerOwner {
  readonly #options: DueLookOptions
  #phase: 'resting' | 'armed' | 'looking' | 'stopped' = 'resting'
  #timer: Timer | undefined = undefined
  #idleMono = Number.NEGATIVE_INFINITY

  constructor(options: DueLookOptions) {
    this.#options = options
  }

  /** @param at - when somebody has to look, epoch ms; `null`: never, for all that is known */
  planned(at: number | null): void {
    if (this.#phase === 'looking' || this.#phase === 'stopped') return
    this.#disarm()
    this.#phase = 'resting'
    if (at === null) return
    const { ports, timer } = this.#options
    const { pool, clock, now } = ports
    const waitMs = Math.min(MAX_WAIT_MS, Math.max(0, at - now()))
    this.#phase = 'armed'
    const due = Math.max(clock.monotonic() + waitMs, this.#idleMono + LOOK_MS)
    this.#timer = pool.timers.arm(due, this, timer)
  }

  stop(): void {
    this.#phase = 'stopped'
    this.#disarm()
  }

  onTimer(): void {
    this.#timer = undefined
    this.#phase = 'looking'
    const over = (nextAt: number | null | undefined): void => {
      if (this.#phase !== 'looking') return
      this.#phase = 'resting'
      if (nextAt === undefined) this.#options.nudge()
      else this.planned(nextAt)
    }
    this.#look().then(over, () => over(undefined))
  }

  async #look(): Promise<number | null | undefined> {
    const { ports, act } = this.#options
    const { hasChanged, nextAt } = await act(() => this.#phase === 'stopped')
    if (!hasChanged) this.#idleMono = ports.clock.monotonic()
    return nextAt
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#options.ports.pool.timers.cancel(this.#timer)
    this.#timer = undefined
  }
}
