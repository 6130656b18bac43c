/**
 * Makes the tasks of schedules when they are due: whoever of the daemons looks first, for all of them. The store is
 * authoritative: it says with every claim when somebody has to look next, and takes what a look has decided only
 * from the one whose view of the schedule is still true.
 *
 * - resting: nothing is scheduled, as far as the last claim knows. armed: it looks when the timer fires.
 * - looking: schedules are read and their occurrences stored. What a claim says meanwhile was so before; the next one knows.
 */
import type { Timer, TimerOwner } from '../armed-timers.ts'
import type { OccurOperation } from '../store/operations.ts'
import type { DaemonIdentity, DaemonPorts } from './daemon-ports.ts'

/** The wall clock may be set: the timer is armed anew at least so often. */
const MAX_WAIT_MS = 30_000
/** A look that changes nothing is not repeated at once. */
const LOOK_MS = 250

export class Schedules implements TimerOwner {
  readonly #ports: DaemonPorts
  readonly #identity: DaemonIdentity
  readonly #nudge: () => void
  #phase: 'resting' | 'armed' | 'looking' | 'stopped' = 'resting'
  #timer: Timer | undefined = undefined
  #idleMono = Number.NEGATIVE_INFINITY

  /** @param nudge - has the store asked again: a claim says when somebody has to look next, or that the store is away */
  constructor(ports: DaemonPorts, identity: DaemonIdentity, nudge: () => void) {
    this.#ports = ports
    this.#identity = identity
    this.#nudge = nudge
  }

  /** @param at - when somebody has to look, epoch ms; `null`: never, for all that is known */
  planned(at: number | null): void {
    if (this.#phase === 'looking' || this.#phase === 'stopped') return
    this.#disarm()
    if (at === null) {
      this.#phase = 'resting'
      return
    }
    const { pool, clock, now } = this.#ports
    const mono = clock.monotonic()
    const waitMs = Math.min(MAX_WAIT_MS, Math.max(0, at - now()))
    this.#phase = 'armed'
    this.#timer = pool.timers.arm(Math.max(mono + waitMs, this.#idleMono + LOOK_MS), this, 'schedules')
  }

  stop(): void {
    this.#phase = 'stopped'
    this.#disarm()
  }

  onTimer(): void {
    this.#timer = undefined
    this.#phase = 'looking'
    const over = (): void => {
      if (this.#phase !== 'looking') return
      this.#phase = 'resting'
      this.#nudge()
    }
    this.#look().then(over, over)
  }

  async #look(): Promise<void> {
    const { store, now, occurrences } = this.#ports
    const due = await store.dueSchedules(now())
    if (this.#phase !== 'looking') return
    const { id } = this.#identity
    const operations = due.flatMap((schedule) => occurrences(schedule, now(), id))
    if (operations.length === 0) this.#idleMono = this.#ports.clock.monotonic()
    await Promise.all(operations.map((operation) => this.#occur(operation)))
  }

  async #occur(operation: OccurOperation): Promise<void> {
    const { store, scheduleExhausted } = this.#ports
    const { task, plan, name } = operation
    const { kind } = await store.submit(operation)
    const isLast = task === null && plan.nextAt === null && plan.owed === null && plan.lookAt === null
    if (isLast && kind === 'occurred') scheduleExhausted(this.#identity, name)
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#ports.pool.timers.cancel(this.#timer)
    this.#timer = undefined
  }
}
