/**
 * Forgets ended tasks that nobody wants to keep. The store is authoritative: it says how many it has forgotten.
 *
 * - resting: nothing more is to be forgotten, for all that is known. Whoever has the clock says when to look.
 * - pruning: a batch is on its way. One that fails waits for the next look.
 * - pausing: there is more; others write meanwhile.
 * - stopped: for good.
 */
import { LEAST_BATCH, nextBatch } from '../../machines/prune-pace.ts'
import type { Timer, TimerOwner } from '../armed-timers.ts'
import type { DaemonPorts } from './daemon-ports.ts'

export class Pruner implements TimerOwner {
  readonly #ports: DaemonPorts
  readonly #failed: () => void
  #phase: 'resting' | 'pruning' | 'pausing' | 'stopped' = 'resting'
  #timer: Timer | undefined = undefined
  #limit = LEAST_BATCH

  /** @param failed - told when the store did not answer */
  constructor(ports: DaemonPorts, failed: () => void) {
    this.#ports = ports
    this.#failed = failed
  }

  /** There may be something. */
  look(): void {
    if (this.#phase !== 'resting' || this.#ports.settings.keep.length === 0) return
    this.#limit = LEAST_BATCH
    this.#begin()
  }

  stop(): void {
    this.#phase = 'stopped'
    if (this.#timer !== undefined) this.#ports.pool.timers.cancel(this.#timer)
    this.#timer = undefined
  }

  onTimer(): void {
    this.#timer = undefined
    this.#begin()
  }

  #begin(): void {
    this.#phase = 'pruning'
    this.#prune().catch(() => {
      if (this.#phase === 'pruning') this.#phase = 'resting'
      this.#failed()
    })
  }

  async #prune(): Promise<void> {
    const { store, clock, now, settings, pool } = this.#ports
    const limit = this.#limit
    const from = clock.monotonic()
    const { removed } = await store.submit({ type: 'prune', at: now(), keep: settings.keep, limit })
    if (this.#phase !== 'pruning') return
    const next = nextBatch({ limit, removed, tookMs: clock.monotonic() - from })
    this.#phase = next === undefined ? 'resting' : 'pausing'
    if (next === undefined) return
    this.#limit = next.limit
    this.#timer = pool.timers.arm(clock.monotonic() + next.pauseMs, this, 'prune')
  }
}
