/**
 * What a daemon does for its store by the clock, whatever else it does: it takes back what other holders have lost,
 * says that it lives, and forgets old tasks. A failure waits for the next turn; its owner has the store asked at once whether
 * it is away.
 *
 * - calm: what is over by the wall clock is taken back.
 * - holding off: that clock has leapt forward (it was set, or the machine slept), so leases look older than they are. For
 *   the length of one nothing is taken back: each holder that lives renews it meanwhile.
 */
import type { Timer, TimerOwner } from '../armed-timers.ts'
import type { StoreOperation } from '../store/operations.ts'
import type { DaemonIdentity, DaemonPorts } from './daemon-ports.ts'

/** How late a lost lease may be seen. */
const TURN_MS = 500
const TURNS_PER_BEAT = 4
const TURNS_PER_PRUNE = 20
const BATCH = 500
/** How often at most it is asked whether something was left for it: news of work comes all the time. */
const HEAR_MS = 100
/** A leap of the wall clock by so much of a lease makes leases that hold look lost; a third is left of each at least. */
const LEAP = 1 / 4

/** What it says of itself. */
export interface SignOfLife {
  readonly state: string
  readonly counts: object
}

export interface UpkeepOwner {
  look(): SignOfLife
  /** Whether its own leases are in no doubt: else it might take back what it holds itself. Asked at each turn. */
  isCalm(): boolean
  /** The store did not answer. */
  failed(): void
}

export class Upkeep implements TimerOwner {
  readonly #ports: DaemonPorts
  readonly #identity: DaemonIdentity
  readonly #owner: UpkeepOwner
  #timer: Timer | undefined = undefined
  #turns = 0
  #underWay = 0
  #isPruning = false
  #saidState = ''
  #heardMono = Number.NEGATIVE_INFINITY
  /** How far the wall clock was ahead of the monotonic one, at the last look. */
  #aheadMs: number
  #holdOffMono = Number.NEGATIVE_INFINITY

  constructor(ports: DaemonPorts, identity: DaemonIdentity, owner: UpkeepOwner) {
    this.#ports = ports
    this.#identity = identity
    this.#owner = owner
    this.#aheadMs = ports.now() - ports.clock.monotonic()
  }

  start(): void {
    this.#arm()
  }

  stop(): void {
    if (this.#timer !== undefined) this.#ports.pool.timers.cancel(this.#timer)
    this.#timer = undefined
  }

  onTimer(): void {
    this.#arm()
    // A store that is slow has enough to do.
    if (this.#underWay > 0) return
    this.#turns += 1
    this.#try(this.reclaim())
    const hasNews = this.#owner.look().state !== this.#saidState
    if (hasNews || this.#turns % TURNS_PER_BEAT === 0) this.#try(this.beat())
    else this.hear()
    if (this.#turns % TURNS_PER_PRUNE === 0 || this.#isPruning) this.#try(this.prune())
  }

  /** Says that it lives, and hears what was left for it. */
  async beat(): Promise<void> {
    const { store, now, told } = this.#ports
    const { state, counts } = this.#owner.look()
    const daemon = { ...this.#identity, state, counts: JSON.stringify(counts) }
    const { message } = await store.submit({ type: 'beat', at: now(), daemon })
    this.#saidState = state
    if (message !== null) told(this.#identity, message)
  }

  /** Something was left in the store, for it perhaps. Not asked just after another time: the next turn asks. */
  hear(): void {
    const { store, clock } = this.#ports
    const now = clock.monotonic()
    if (this.#timer === undefined || now < this.#heardMono + HEAR_MS) return
    this.#heardMono = now
    this.#try(store.isTold(this.#identity.id).then((isTold) => (isTold ? this.beat() : undefined)))
  }

  async reclaim(): Promise<void> {
    const { store, now, settings } = this.#ports
    if (this.#isHoldingOff() || !this.#owner.isCalm()) return
    const { lostLimit } = settings
    const { id } = this.#identity
    const operation: StoreOperation = { type: 'reclaim', at: now(), by: id, lostLimit, limit: BATCH }
    // The store wakes whoever may claim what was taken back.
    await store.submit(operation)
  }

  #isHoldingOff(): boolean {
    const { clock, now, settings } = this.#ports
    const mono = clock.monotonic()
    const aheadMs = now() - mono
    if (aheadMs - this.#aheadMs > settings.leaseMs * LEAP) this.#holdOffMono = mono + settings.leaseMs
    this.#aheadMs = aheadMs
    return mono < this.#holdOffMono
  }

  async prune(): Promise<void> {
    const { store, now, settings } = this.#ports
    if (settings.keep.length === 0) return
    const operation: StoreOperation = { type: 'prune', at: now(), keep: settings.keep, limit: BATCH }
    const { removed } = await store.submit(operation)
    this.#isPruning = removed === BATCH
  }

  #arm(): void {
    const { pool, clock, random } = this.#ports
    // Several daemons should not come at the same instant.
    const waitMs = TURN_MS * (0.9 + 0.2 * random())
    this.#timer = pool.timers.arm(clock.monotonic() + waitMs, this, 'upkeep')
  }

  #try(act: Promise<void>): void {
    this.#underWay += 1
    act
      .catch(() => this.#owner.failed())
      .finally(() => {
        this.#underWay -= 1
      })
  }
}
