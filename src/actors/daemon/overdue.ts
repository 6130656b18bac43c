/**
 * Ends tasks that wait for longer than they may: whoever of the daemons comes first, for all of them, whatever it may claim. The
 * store is authoritative: it says with every claim when the first one is overdue, and which of them are when it ends them.
 *
 * - resting: no wait is bounded, as far as is known. armed: it looks when the timer fires.
 * - ending: the store ends a batch. What a claim says meanwhile was so before; the answer knows.
 * - stopped: for good.
 */
import type { Timer, TimerOwner } from '../armed-timers.ts'
import type { DaemonIdentity, DaemonPorts } from './daemon-ports.ts'

const BATCH = 500
/** The wall clock may be set: the timer is armed anew at least so often. */
const MAX_WAIT_MS = 30_000
/** When nothing could be ended, it is not tried again at once: somebody else has what is overdue locked. */
const LOOK_MS = 250

export class Overdue implements TimerOwner {
  readonly #ports: DaemonPorts
  readonly #identity: DaemonIdentity
  readonly #nudge: () => void
  #phase: 'resting' | 'armed' | 'ending' | 'stopped' = 'resting'
  #timer: Timer | undefined = undefined
  #idleMono = Number.NEGATIVE_INFINITY

  /** @param nudge - has the store asked again, since it did not answer: a claim says when somebody has to look next */
  constructor(ports: DaemonPorts, identity: DaemonIdentity, nudge: () => void) {
    this.#ports = ports
    this.#identity = identity
    this.#nudge = nudge
  }

  /** @param at - when the first one is overdue, epoch ms; `null`: none, for all that is known */
  planned(at: number | null): void {
    if (this.#phase === 'ending' || this.#phase === 'stopped') return
    this.#disarm()
    this.#phase = 'resting'
    if (at === null) return
    const { pool, clock, now } = this.#ports
    const waitMs = Math.min(MAX_WAIT_MS, Math.max(0, at - now()))
    this.#phase = 'armed'
    const due = Math.max(clock.monotonic() + waitMs, this.#idleMono + LOOK_MS)
    this.#timer = pool.timers.arm(due, this, 'overdue')
  }

  stop(): void {
    this.#phase = 'stopped'
    this.#disarm()
  }

  onTimer(): void {
    this.#timer = undefined
    this.#phase = 'ending'
    const over = (nextAt: number | null | undefined): void => {
      if (this.#phase !== 'ending') return
      this.#phase = 'resting'
      if (nextAt === undefined) this.#nudge()
      else this.planned(nextAt)
    }
    this.#end().then(over, () => over(undefined))
  }

  async #end(): Promise<number | null> {
    const { store, now, clock, overdue } = this.#ports
    const { id } = this.#identity
    const { tasks, nextAt } = await store.submit({ type: 'overdue', at: now(), by: id, limit: BATCH })
    if (tasks.length === 0) this.#idleMono = clock.monotonic()
    for (const task of tasks) overdue(this.#identity, task)
    return nextAt
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#ports.pool.timers.cancel(this.#timer)
    this.#timer = undefined
  }
}
