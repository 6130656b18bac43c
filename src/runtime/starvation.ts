/** Reports a pool in which tasks wait and none has been admitted for long. */

import type { Timer, TimerOwner } from '../actors/armed-timers.ts'
import type { TaskPool } from '../actors/task-pool.ts'

export class Starvation implements TimerOwner {
  readonly #pool: TaskPool
  readonly #afterMs: number
  readonly #report: (waiting: number, idleMs: number) => void
  #timer: Timer | undefined = undefined
  #sinceMono = 0

  constructor(pool: TaskPool, afterMs: number, report: (waiting: number, idleMs: number) => void) {
    this.#pool = pool
    this.#afterMs = afterMs
    this.#report = report
  }

  /** A task waits. */
  watch(): void {
    if (this.#afterMs === Number.POSITIVE_INFINITY) return
    const isFirst = this.#pool.pool.size + this.#pool.processes.size <= 1
    if (isFirst) this.#sinceMono = this.#pool.now
    if (this.#timer !== undefined) return
    this.#arm(this.#sinceMono + this.#afterMs)
  }

  /** Nothing is live: no timer is held. */
  rest(): void {
    if (this.#timer !== undefined) this.#pool.timers.cancel(this.#timer)
    this.#timer = undefined
  }

  onTimer(): void {
    this.#timer = undefined
    const waiting = this.#pool.pool.size + this.#pool.processes.size
    if (waiting === 0) return
    const since = Math.max(this.#sinceMono, this.#pool.admittedMono)
    const idleMs = this.#now - since
    if (idleMs < this.#afterMs) return this.#arm(since + this.#afterMs)
    if (this.#pool.open) this.#report(waiting, idleMs)
    this.#arm(this.#now + this.#afterMs)
  }

  get #now(): number {
    return this.#pool.ports.clock.monotonic()
  }

  #arm(dueAt: number): void {
    this.#timer = this.#pool.timers.arm(dueAt, this, 'starved')
  }
}
