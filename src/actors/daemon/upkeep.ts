/**
 * What a daemon does for its store by the clock, whatever else it does: it takes back what other holders have lost,
 * says that it lives, and has old tasks forgotten (pruner.ts). The first turn comes at once, since a daemon may live for a moment only. A failure
 * waits for the next turn; its owner has the store asked at once whether it is away.
 *
 * Turns:
 * - resting: the next one comes by the clock. busy: what it does is on its way.
 * - late: another one has come meanwhile. A store that is slow has enough to do; it is made up for as soon as it has answered,
 *   so that a lost lease is seen {@link TURN_MS} and an answer after its end at the latest.
 *
 * Taking back:
 * - calm: what is over by the wall clock is taken back.
 * - doubtful: leases of our own are in doubt. It is made up for as soon as they are not.
 * - holding off: that clock has leapt forward (it was set, or the machine slept), so leases look older than they are. For
 *   the length of one nothing is taken back: each holder that lives renews it meanwhile.
 */
import type { Timer, TimerOwner } from '../armed-timers.ts'
import type { StoreOperation } from '../store/operations.ts'
import type { DaemonIdentity, DaemonPorts } from './daemon-ports.ts'
import { Pruner } from './pruner.ts'

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
  readonly #pruner: Pruner
  #timer: Timer | undefined = undefined
  #turns = 0
  #phase: 'resting' | 'busy' | 'late' = 'resting'
  #taking: 'calm' | 'doubtful' = 'calm'
  #underWay = 0
  #saidState = ''
  #heardMono = Number.NEGATIVE_INFINITY
  /** How far the wall clock was ahead of the monotonic one, at the last look, at most. */
  #aheadMs: number
  #holdOffMono = Number.NEGATIVE_INFINITY

  constructor(ports: DaemonPorts, identity: DaemonIdentity, owner: UpkeepOwner) {
    this.#ports = ports
    this.#identity = identity
    this.#owner = owner
    this.#pruner = new Pruner(ports, () => owner.failed())
    this.#aheadMs = ports.now() - ports.clock.monotonic()
  }

  start(): void {
    this.#arm()
    this.#try(this.reclaim())
  }

  stop(): void {
    if (this.#timer !== undefined) this.#ports.pool.timers.cancel(this.#timer)
    this.#timer = undefined
    this.#pruner.stop()
  }

  onTimer(): void {
    this.#arm()
    if (this.#phase !== 'resting') {
      this.#phase = 'late'
      return
    }
    this.#turn()
  }

  /** Leases of our own are in no doubt any more. */
  calmed(): void {
    if (this.#taking === 'doubtful' && this.#timer !== undefined) this.#try(this.reclaim())
  }

  #turn(): void {
    this.#turns += 1
    this.#try(this.reclaim())
    const hasNews = this.#owner.look().state !== this.#saidState
    if (hasNews || this.#turns % TURNS_PER_BEAT === 0) this.#try(this.beat())
    else this.#hear()
    if (this.#turns % TURNS_PER_PRUNE === 0) this.#pruner.look()
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
    const isSoon = this.#ports.clock.monotonic() < this.#heardMono + HEAR_MS
    if (this.#timer !== undefined && this.#phase === 'resting' && !isSoon) this.#hear()
  }

  #hear(): void {
    const { store, clock } = this.#ports
    this.#heardMono = clock.monotonic()
    this.#try(store.isTold(this.#identity.id).then((isTold) => (isTold ? this.beat() : undefined)))
  }

  async reclaim(): Promise<void> {
    const { store, now, settings } = this.#ports
    this.#taking = this.#owner.isCalm() ? 'calm' : 'doubtful'
    if (this.#isHoldingOff() || this.#taking === 'doubtful') return
    const { lostLimit } = settings
    const { id } = this.#identity
    const operation: StoreOperation = { type: 'reclaim', at: now(), by: id, lostLimit, limit: BATCH }
    // The store wakes whoever may claim what was taken back.
    await store.submit(operation)
  }

  #isHoldingOff(): boolean {
    const { clock, now, settings } = this.#ports
    // This process may be paused between two looks: neither is taken for later than it was.
    const before = clock.monotonic()
    const wall = now()
    const mono = clock.monotonic()
    if (wall - mono - this.#aheadMs > settings.leaseMs * LEAP) this.#holdOffMono = mono + settings.leaseMs
    this.#aheadMs = wall - before
    return mono < this.#holdOffMono
  }

  #arm(): void {
    const { pool, clock, random } = this.#ports
    // Several daemons should not come at the same instant.
    const waitMs = TURN_MS * (0.9 + 0.2 * random())
    this.#timer = pool.timers.arm(clock.monotonic() + waitMs, this, 'upkeep')
  }

  #try(act: Promise<void>): void {
    this.#underWay += 1
    if (this.#phase === 'resting') this.#phase = 'busy'
    act.catch(() => this.#owner.failed()).finally(() => this.#done())
  }

  #done(): void {
    this.#underWay -= 1
    if (this.#underWay > 0) return
    const isLate = this.#phase === 'late'
    this.#phase = 'resting'
    if (isLate && this.#timer !== undefined) this.#turn()
  }
}
