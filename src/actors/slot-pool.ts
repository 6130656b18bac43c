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
  /** How many runs the lane may hold for another one of each band; `undefined`: nothing physical bounds it. */
  room: readonly number[] | undefined
}

const BANDS: Readonly<Record<Priority, number>> = { critical: 0, high: 1, normal: 2, low: 3 }
const CRITICAL = 0
const thresholds = (limits: Limits): readonly number[] => PRIORITIES.map((band) => threshold(limits, band))

export class SlotPool {
  readonly #queue: ReadyQueue
  /** Runs that are admitted before all others, also while nobody else is. */
  readonly #early: ReadyQueue
  onlyEarly = false
  /** Slots taken. One that is lent counts once. */
  active = 0
  /** Told when runs of a lane lend their slots: as many more threads or processes may be needed. */
  onLending: ((lane: Execution, lending: number) => void) | undefined = undefined
  #limits: Limits
  #thresholds: readonly number[]
  readonly #lanes: readonly Lane[]

  constructor(lanes: readonly Execution[], limits: Limits) {
    this.#queue = new ReadyQueue(lanes.length)
    this.#early = new ReadyQueue(lanes.length)
    this.#limits = limits
    this.#thresholds = thresholds(limits)
    this.#lanes = lanes.map((name) => ({
      name,
      active: 0,
      lending: 0,
      room: name === 'main' ? PRIORITIES.map(() => 1) : undefined,
    }))
  }

  get limits(): Limits {
    return this.#limits
  }

  /** Pre-empts nothing: after a shrink, admission rests until `active` is below the thresholds. */
  resize(limits: Limits, lane: Execution, size: LaneSize): void {
    this.#limits = limits
    this.#thresholds = thresholds(limits)
    const bounds = thresholds(laneLimits(limits, size.max))
    this.#lane(lane).room = bounds.map((bound, band) =>
      band === CRITICAL ? size.max + size.overflow : Math.min(bound, size.max),
    )
  }

  /** How many runs wait. */
  get size(): number {
    return this.#queue.size + this.#early.size
  }

  waiting(band: Priority): number {
    return (this.#queue.counts[BANDS[band]] as number) + (this.#early.counts[BANDS[band]] as number)
  }

  /** How many runs of the lane lend their slot. */
  lending(lane: Execution): number {
    return this.#lane(lane).lending
  }

  enqueue(run: TaskRun): void {
    const { band, execution } = run.snapshot.context
    this.#queueOf(run).push(run, BANDS[band], this.#laneNumber(execution))
  }

  /** @param band - the band it was queued in */
  dequeue(run: TaskRun, band: Priority): void {
    this.#queueOf(run).remove(run, BANDS[band])
  }

  /**
   * The run that is to be admitted next, or `undefined`: the most urgent band whose threshold allows
   * it, and in it the one that waits longest among the lanes that have room.
   *
   * @param exclusive - a main task runs: only critical tasks of threads and processes may start
   */
  next(exclusive: boolean): TaskRun | undefined {
    if (this.#early.size > 0) {
      const run = this.#nextOf(this.#early, exclusive)
      if (run !== undefined) return run
    }
    return this.onlyEarly ? undefined : this.#nextOf(this.#queue, exclusive)
  }

  #queueOf(run: TaskRun): ReadyQueue {
    return run.early ? this.#early : this.#queue
  }

  #nextOf(queue: ReadyQueue, exclusive: boolean): TaskRun | undefined {
    if (queue.size === 0) return undefined
    for (let band = 0; band < PRIORITIES.length; band += 1) {
      if (queue.counts[band] === 0) continue
      // Thresholds fall with the band: what is closed here is closed below.
      if (this.active >= (this.#thresholds[band] as number)) return undefined
      if (exclusive && band !== CRITICAL) return undefined
      let best: TaskRun | undefined
      for (let lane = 0; lane < this.#lanes.length; lane += 1) {
        const head = queue.head(band, lane)
        if (head === undefined || (best !== undefined && best.seq < head.seq)) continue
        const bounds = this.#lanes[lane] as Lane
        if (exclusive && (bounds.name === 'main' || bounds.name === 'async')) continue
        if (hasRoom(bounds, band)) best = head
      }
      if (best !== undefined) return best
    }
    return undefined
  }

  /** Takes a slot for `run`, or its lender's. */
  take(run: TaskRun): void {
    run.holdsSlot = true
    if (run.lender === undefined) this.active += 1
    this.#lane(run.execution).active += 1
  }

  /**
   * Gives the slot of `run` back: to its lender, to the child that runs on it, or to the pool.
   *
   * @param execution - where it ran
   */
  release(run: TaskRun, execution: Execution): void {
    const lane = this.#lane(execution)
    run.holdsSlot = false
    lane.active -= 1
    const { lender, borrower } = run
    if (lender === undefined && borrower === undefined) {
      this.active -= 1
      return
    }
    run.lender = run.borrower = undefined
    if (borrower !== undefined) {
      // It ends before its child: the slot stays where it is used, further up or as the child's own.
      this.#lendingChanged(lane, -1)
      borrower.lender = lender
      if (lender !== undefined) lender.borrower = borrower
    } else if (lender !== undefined) {
      lender.borrower = undefined
      this.#lendingChanged(this.#lane(lender.execution), -1)
    }
  }

  /** Whether `child`, which waits, may run on the slot of `parent`, which awaits it. */
  canLend(parent: TaskRun, child: TaskRun): boolean {
    if (!parent.holdsSlot || parent.borrower !== undefined) return false
    if (parent.execution === child.execution) return true
    return hasRoom(this.#lane(child.execution), BANDS[child.snapshot.context.band])
  }

  lend(parent: TaskRun, child: TaskRun): void {
    parent.borrower = child
    child.lender = parent
    this.#lendingChanged(this.#lane(parent.execution), 1)
  }

  /** A lent slot that is not used after all. */
  takeBack(child: TaskRun): void {
    const { lender } = child
    if (lender === undefined) return
    child.lender = lender.borrower = undefined
    this.#lendingChanged(this.#lane(lender.execution), -1)
  }

  #lendingChanged(lane: Lane, by: number): void {
    lane.lending += by
    this.onLending?.(lane.name, lane.lending)
  }

  #laneNumber(name: Execution): number {
    for (let lane = 0; lane < this.#lanes.length; lane += 1) if (this.#lanes[lane]?.name === name) return lane
    throw new Error(`No lane for ${name} in this pool`)
  }

  #lane(name: Execution): Lane {
    return this.#lanes[this.#laneNumber(name)] as Lane
  }
}

/** Whether a thread, a process or the loop can be there for one more run of the lane. */
function hasRoom(lane: Lane, band: number): boolean {
  return lane.room === undefined || lane.active - lane.lending < (lane.room[band] as number)
}
