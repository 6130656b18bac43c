/**
 * The slots of one pool: who holds one, who waits, who may be next.
 *
 * Two pools exist: `pool` (lanes main, async and thread share one counter) and `processes`. The rule is
 * machines/admission.ts; this class adds what is physical: a thread task needs a thread, a main task
 * has the loop to itself, and a slot may be lent to a child.
 */
import { type Limits, laneLimits, threshold } from '../machines/admission.ts'
import { type Execution, PRIORITIES, type Priority } from '../machines/model.ts'
import { ReadyQueue } from './ready-queue.ts'
import type { TaskRun } from './task-run.ts'

/** Physical bounds of a lane of threads or processes. */
export interface LaneSize {
  /** Most threads or processes for tasks below critical. */
  readonly max: number
  /** How many more a critical task may bring into being. */
  readonly overflow: number
}

interface Lane {
  readonly name: Execution
  /** Runs of this lane that are admitted. */
  active: number
  /** Of those, how many lend their slot: their thread idles until the child has ended. */
  lending: number
  /** `undefined`: nothing physical bounds it. */
  size: LaneSize | undefined
  /** Thresholds of the lane inside the pool. */
  limits: Limits | undefined
}

export class SlotPool {
  readonly name: 'pool' | 'processes'
  readonly queue: ReadyQueue
  /** Slots taken. One that is lent counts once. */
  active = 0
  /** Told when runs of a lane lend their slots: as many more threads or processes may be needed. */
  onLending: ((lane: Execution, lending: number) => void) | undefined = undefined
  #limits: Limits
  readonly #lanes: Lane[]

  constructor(name: 'pool' | 'processes', lanes: readonly Execution[], limits: Limits) {
    this.name = name
    this.queue = new ReadyQueue(lanes)
    this.#limits = limits
    this.#lanes = lanes.map((lane) => ({
      name: lane,
      active: 0,
      lending: 0,
      size: undefined,
      limits: undefined,
    }))
  }

  get limits(): Limits {
    return this.#limits
  }

  /** Pre-empts nothing: after a shrink, admission rests until `active` is below the thresholds. */
  resize(limits: Limits, lane: Execution, size: LaneSize): void {
    this.#limits = limits
    const found = this.lane(lane)
    found.size = size
    found.limits = laneLimits(limits, size.max)
  }

  lane(name: Execution): Lane {
    const lane = this.#lanes.find((candidate) => candidate.name === name)
    if (lane === undefined) throw new Error(`No lane for ${name} in ${this.name}`)
    return lane
  }

  /** Whether a thread or process can be there for one more run of the lane. */
  hasRoom(lane: Lane, band: Priority): boolean {
    if (lane.name === 'main') return lane.active - lane.lending < 1
    if (lane.size === undefined || lane.limits === undefined) return true
    const busy = lane.active - lane.lending
    return band === 'critical'
      ? busy < lane.size.max + lane.size.overflow
      : busy < threshold(lane.limits, band) && busy < lane.size.max
  }

  /**
   * The run that is to be admitted next, or `undefined`: the most urgent band whose threshold allows
   * it, and in it the one that waits longest among the lanes that have room.
   *
   * @param exclusive - a main task runs: only critical tasks of threads and processes may start
   */
  next(exclusive: boolean): TaskRun | undefined {
    if (this.queue.size === 0) return undefined
    for (const band of PRIORITIES) {
      if (this.queue.count(band) === 0) continue
      // Thresholds fall with the band: what is closed here is closed below.
      if (this.active >= threshold(this.#limits, band)) return undefined
      if (exclusive && band !== 'critical') return undefined
      let best: TaskRun | undefined
      for (const lane of this.#lanes) {
        const head = this.queue.head(band, lane.name)
        if (head === undefined || (best !== undefined && best.seq < head.seq)) continue
        if (exclusive && (lane.name === 'main' || lane.name === 'async')) continue
        if (this.hasRoom(lane, band)) best = head
      }
      if (best !== undefined) return best
    }
    return undefined
  }

  /** Takes a slot for `run`, or its lender's. */
  take(run: TaskRun): void {
    run.holdsSlot = true
    if (run.lender === undefined) this.active += 1
    this.lane(run.execution).active += 1
  }

  /**
   * Gives the slot of `run` back: to its lender, to the child that runs on it, or to the pool.
   *
   * @returns the lender that has its slot again
   */
  release(run: TaskRun, execution: Execution): TaskRun | undefined {
    const lane = this.lane(execution)
    run.holdsSlot = false
    lane.active -= 1
    const { lender, borrower } = run
    run.lender = run.borrower = undefined
    if (borrower !== undefined) {
      // It ends before its child: the slot stays where it is used, further up or as the child's own.
      this.#lendingChanged(lane, -1)
      borrower.lender = lender
      if (lender !== undefined) lender.borrower = borrower
      return undefined
    }
    if (lender !== undefined) {
      lender.borrower = undefined
      this.#lendingChanged(this.lane(lender.execution), -1)
      return lender
    }
    this.active -= 1
    return undefined
  }

  /** Whether `child`, which waits, may run on the slot of `parent`, which awaits it. */
  canLend(parent: TaskRun, child: TaskRun): boolean {
    if (!parent.holdsSlot || parent.borrower !== undefined) return false
    if (parent.execution === child.execution) return true
    return this.hasRoom(this.lane(child.execution), child.snapshot.context.band)
  }

  lend(parent: TaskRun, child: TaskRun): void {
    parent.borrower = child
    child.lender = parent
    this.#lendingChanged(this.lane(parent.execution), 1)
  }

  #lendingChanged(lane: Lane, by: number): void {
    lane.lending += by
    this.onLending?.(lane.name, lane.lending)
  }
}
