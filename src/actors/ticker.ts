/**
 * When the occurrences of a worker come. One ticker per life; it keeps the one armed timer and knows what has
 * come since it was last asked. The worker's machine says when to arm it.
 */
import type { TickOccasion } from '../machines/worker-model.ts'

/** Whoever a ticker wakes. */
export interface TickListener {
  /** Its occurrence may have come: look. */
  onTick(): void
}

export interface TickLook {
  /** The last occurrence has come and is on time. */
  readonly onTime: boolean
  /** Occurrences that came and are not on time any more. */
  readonly missed: number
}

export interface Ticker {
  /**
   * Arms the next occurrence, unless one is armed. May wake the listener within the call when it has come.
   *
   * @returns false when there is no further occurrence, ever
   */
  arm(after: TickOccasion): boolean
  disarm(): void
  /** What has come since the last look. */
  look(): TickLook
  /** How many have come since the last look, on time or not. */
  passed(): number
  /** Epoch ms of what is armed. */
  readonly nextAt: number | undefined
}
