/**
 * For how long one daemon claims and renews: as its settings say, unless the store takes so long that leases come to their end on
 * the way. Each answer that comes too late doubles the term, and each that comes in time takes a little off it: where the store or
 * the machine has too much to do, work gets done all the same, and what a daemon holds that dies then is taken back later.
 */
import { safeLeaseMs } from './daemon-ports.ts'

/** The longest term, in terms of the settings. */
const MOST = 32
const SHRINK = 0.9

/** A lease that is being asked for. */
export interface AskedLease {
  /** Its length, from when the store was asked. */
  readonly ms: number
  /** Until when it certainly holds, on the monotonic clock. */
  readonly endMono: number
}

export class LeaseTerm {
  readonly #leastMs: number
  #ms: number

  /** @param leastMs - what the settings say */
  constructor(leastMs: number) {
    this.#leastMs = leastMs
    this.#ms = leastMs
  }

  /** @param mono - now, before the store is asked */
  ask(mono: number): AskedLease {
    return { ms: this.#ms, endMono: mono + safeLeaseMs(this.#ms) }
  }

  /** The store has granted it. @returns whether too little is left of it to begin anything */
  granted({ ms, endMono }: AskedLease, mono: number): boolean {
    const isLate = endMono - mono < ms / 3
    // Several may have been asked for at once: only what this one shows counts.
    if (isLate) this.#ms = Math.min(this.#leastMs * MOST, Math.max(this.#ms, ms * 2))
    else this.#ms = Math.max(this.#leastMs, this.#ms * SHRINK)
    return isLate
  }
}
