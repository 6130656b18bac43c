/**
 * Notices that a store keeps a daemon waiting. One that fails says so by itself; a file that another program has locked, or
 * a server that is stuck, says nothing for a long while.
 *
 * - resting: nothing was asked, no timer runs.
 * - watching: from the first question on, until all are answered. Each answer, also a bad one, begins the wait anew.
 *
 * It is a hint for whoever looks: the questions go on, and their answers are authoritative. That one has come through is told
 * as well: who waits before he asks again need not wait any longer.
 */
import type { Timer, TimerOwner } from '../armed-timers.ts'
import { StoreError } from '../store/store-error.ts'
import type { DaemonPorts, DaemonStore } from './daemon-ports.ts'

/** Silence that is worth a word: a third of the lease, within these bounds. */
const LEAST_MS = 500
const MOST_MS = 2_000
/** Later than that, this process was paused and not the store: an answer may be there already. */
const LATE_MS = 50

export interface StoreWatchListener {
  /** It keeps whoever has asked it waiting. */
  silent(error: StoreError): void
  /** It has done what it was asked for. */
  answered(): void
}

export class StoreWatch implements TimerOwner {
  /** The store, watched. */
  readonly store: DaemonStore
  readonly #ports: DaemonPorts
  readonly #listener: StoreWatchListener
  readonly #quietMs: number
  #asked = 0
  #sinceMono = 0
  #timer: Timer | undefined = undefined
  #isStopped = false

  constructor(ports: DaemonPorts, listener: StoreWatchListener) {
    this.#ports = ports
    this.#listener = listener
    this.#quietMs = Math.max(LEAST_MS, Math.min(MOST_MS, ports.settings.leaseMs / 3))
    const { store } = ports
    const submit: DaemonStore['submit'] = (operation) => {
      const answer = store.submit(operation)
      this.#await(answer)
      return answer
    }
    this.store = { ...store, submit }
  }

  stop(): void {
    this.#isStopped = true
    if (this.#timer !== undefined) this.#ports.pool.timers.cancel(this.#timer)
    this.#timer = undefined
  }

  onTimer(): void {
    const due = this.#timer?.due ?? 0
    this.#timer = undefined
    if (this.#asked === 0) return
    const now = this.#ports.clock.monotonic()
    if (now - due > LATE_MS) return this.#arm(now + LATE_MS)
    if (now < this.#sinceMono + this.#quietMs) return this.#arm(this.#sinceMono + this.#quietMs)
    const said = `The database has not answered for ${Math.round(now - this.#sinceMono)} ms; it is still being asked.`
    this.#listener.silent(new StoreError('ERR_STORE_BUSY', said))
  }

  #await(answer: Promise<unknown>): void {
    const now = this.#ports.clock.monotonic()
    if (this.#asked === 0) this.#sinceMono = now
    this.#asked += 1
    if (this.#timer === undefined) this.#arm(now + this.#quietMs)
    const heard = (): void => {
      this.#asked -= 1
      this.#sinceMono = this.#ports.clock.monotonic()
    }
    answer.then(() => {
      heard()
      this.#listener.answered()
    }, heard)
  }

  #arm(due: number): void {
    if (!this.#isStopped) this.#timer = this.#ports.pool.timers.arm(due, this, 'silence')
  }
}
