/** Renews the leases of one daemon and ends what it has lost; its life is machines/lease-keeper.ts. */
import { compile } from '../../machines/compile.ts'
import {
  type LeaseKeeperEvent,
  type LeaseKeeperFact,
  leaseKeeperMachine,
} from '../../machines/lease-keeper.ts'
import type { Timer, TimerKind, TimerOwner } from '../armed-timers.ts'
import { type DriverEffects, MachineDriver } from '../machine-driver.ts'
import type { RenewAnswer } from '../store/operations.ts'
import type { DaemonIdentity, DaemonPorts } from './daemon-ports.ts'
import type { HeldTask } from './held-task.ts'
import type { HeldTasks } from './held-tasks.ts'
import type { LeaseTerm } from './lease-term.ts'

/** How long the first renewal after a pause of this process may take before overdue tasks are ended. */
const OVERDUE_MS = 100

/** What became of renewals, one for each lease that was asked for. */
export interface RenewalCounts {
  renewed: number
  /** Somebody else has the task. */
  lost: number
  /** The store did not answer. */
  failed: number
}

export interface LeaseKeeperOwner {
  readonly term: LeaseTerm
  /** No lease is in doubt any more. */
  calm(): void
}

const logic = compile(leaseKeeperMachine)

export class LeaseKeeper implements TimerOwner {
  readonly renewals: RenewalCounts = { renewed: 0, lost: 0, failed: 0 }
  readonly #ports: DaemonPorts
  readonly #identity: DaemonIdentity
  readonly #tasks: HeldTasks
  readonly #owner: LeaseKeeperOwner
  readonly #driver: MachineDriver<LeaseKeeper, typeof leaseKeeperMachine>
  #renew: Timer | undefined = undefined
  #overdue: Timer | undefined = undefined

  constructor(ports: DaemonPorts, identity: DaemonIdentity, tasks: HeldTasks, owner: LeaseKeeperOwner) {
    this.#ports = ports
    this.#identity = identity
    this.#tasks = tasks
    this.#owner = owner
    this.#driver = new MachineDriver<LeaseKeeper, typeof leaseKeeperMachine>(this, {
      logic,
      input: undefined,
      effects,
      onError: (error) => ports.onError(error, 'lease keeper'),
    })
  }

  /** Whether no lease is in doubt. After a pause of this process they are, whatever timer comes first. */
  look(): boolean {
    const now = this.#now
    const isOver = [...this.#tasks.byId.values()].some(({ leaseEndMono }) => leaseEndMono <= now)
    this.#driver.send({ type: 'keeper.look', isOver })
    const { state } = this.#driver
    return state === 'idle' || state === 'resting'
  }

  taken(): void {
    if (this.#driver.state === 'idle') this.#driver.send({ type: 'lease.taken' })
  }

  stop(): void {
    this.#driver.send({ type: 'keeper.stop' })
  }

  onTimer(kind: TimerKind): void {
    if (kind === 'renew') this.#renew = undefined
    else this.#overdue = undefined
    this.#driver.send({ type: kind === 'renew' ? 'timer.renew' : 'timer.overdue' })
  }

  // From here on: what the machine asks for.

  armRenew(fraction: number): void {
    this.#renew = this.#arm(this.#now + this.#ports.settings.leaseMs * fraction, 'renew')
  }

  disarm(): void {
    if (this.#renew !== undefined) this.#ports.pool.timers.cancel(this.#renew)
    this.#renew = undefined
  }

  disarmOverdue(): void {
    if (this.#overdue !== undefined) this.#ports.pool.timers.cancel(this.#overdue)
    this.#overdue = undefined
  }

  armOverdue(): void {
    this.disarmOverdue()
    let first = Number.POSITIVE_INFINITY
    for (const { leaseEndMono } of this.#tasks.byId.values()) first = Math.min(first, leaseEndMono)
    if (first === Number.POSITIVE_INFINITY) return
    this.#overdue = this.#arm(Math.max(first, this.#now + OVERDUE_MS), 'overdue')
  }

  endOverdue(): void {
    const now = this.#now
    for (const held of this.#tasks.byId.values()) if (held.leaseEndMono <= now) this.#lose(held)
  }

  announce(fact: LeaseKeeperFact, event: LeaseKeeperEvent): void {
    const { size } = this.#tasks
    if (fact === 'renewalWorks') this.#ports.renewalWorks(this.#identity, size)
    else this.#ports.renewalFailed(this.#identity, size, 'error' in event ? event.error : undefined)
  }

  reportCalm(): void {
    this.#owner.calm()
  }

  async renew(): Promise<void> {
    const { store, now } = this.#ports
    const { term } = this.#owner
    const leases = [...this.#tasks.byId.values()].filter(({ leaseEndMono }) => leaseEndMono !== LOST)
    if (leases.length === 0) return this.#driver.send({ type: 'store.answered', held: 0 })
    const lease = term.ask(this.#now)
    const at = now()
    try {
      const leaseUntil = at + Math.round(lease.ms)
      const { items } = await store.submit({ type: 'renew', at, leaseUntil, leases })
      term.granted(lease, this.#now)
      for (const [index, held] of leases.entries())
        this.#hear(held, items[index] as RenewAnswer, lease.endMono)
      if (items.some(({ kind }) => kind === 'locked')) this.#driver.send({ type: 'store.locked' })
      else this.#driver.send({ type: 'store.answered', held: this.#tasks.size })
    } catch (error) {
      this.renewals.failed += leases.length
      this.#driver.send({ type: 'store.failed', error })
    }
  }

  #hear(held: HeldTask, answer: RenewAnswer, endMono: number): void {
    if (this.#tasks.byId.get(held.id) !== held || held.leaseEndMono === LOST) return
    if (answer.kind === 'locked') return
    this.renewals[answer.kind === 'lost' ? 'lost' : 'renewed'] += 1
    if (answer.kind === 'lost') return this.#lose(held)
    held.extend(endMono, this.#now)
    if (answer.request !== null) held.end(answer.request)
  }

  #lose(held: HeldTask): void {
    held.leaseEndMono = LOST
    this.#tasks.lose(held)
  }

  #arm(due: number, kind: 'renew' | 'overdue'): Timer {
    return this.#ports.pool.timers.arm(due, this, kind)
  }

  get #now(): number {
    return this.#ports.clock.monotonic()
  }
}

/** The end of a lease that is lost: it is never renewed, and never overdue again. */
const LOST = Number.POSITIVE_INFINITY

const effects: DriverEffects<LeaseKeeper, typeof leaseKeeperMachine> = {
  armRenew: (keeper) => keeper.armRenew(1 / 3),
  armRetry: (keeper) => keeper.armRenew(1 / 20),
  disarm: (keeper) => keeper.disarm(),
  renew: (keeper) => void keeper.renew(),
  armOverdue: (keeper) => keeper.armOverdue(),
  disarmOverdue: (keeper) => keeper.disarmOverdue(),
  endOverdue: (keeper) => keeper.endOverdue(),
  announce: (keeper, { fact }: { fact: LeaseKeeperFact }, event) => keeper.announce(fact, event),
  reportCalm: (keeper) => keeper.reportCalm(),
}
