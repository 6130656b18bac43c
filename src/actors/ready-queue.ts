/**
 * Runs that wait for a slot of one pool: a FIFO list per band and lane, so that the head of every lane is
 * visible and a lane that cannot start now never hides another one.
 *
 * The links live in the runs themselves: taking one out of the middle (cancel) is O(1) and a waiting
 * run costs no further object.
 */
import { PRIORITIES } from '../machines/model.ts'
import type { TaskRun } from './task-run.ts'

/** A doubly linked list of runs. A run is in at most one list. */
export class RunList {
  head: TaskRun | undefined = undefined
  tail: TaskRun | undefined = undefined
  size = 0

  push(run: TaskRun): void {
    run.list = this
    run.prev = this.tail
    if (this.tail === undefined) this.head = run
    else this.tail.next = run
    this.tail = run
    this.size += 1
  }

  remove(run: TaskRun): void {
    const { prev, next } = run
    if (prev === undefined) this.head = next
    else prev.next = next
    if (next === undefined) this.tail = prev
    else next.prev = prev
    run.list = run.prev = run.next = undefined
    this.size -= 1
  }
}

/** Bands and lanes by their numbers: position in `PRIORITIES`, position in the lanes of the pool. */
export class ReadyQueue {
  size = 0
  /** Waiting runs per band. */
  readonly counts: number[] = PRIORITIES.map(() => 0)
  readonly #lists: RunList[]
  readonly #lanes: number

  constructor(lanes: number) {
    this.#lanes = lanes
    this.#lists = Array.from({ length: PRIORITIES.length * lanes }, () => new RunList())
  }

  head(band: number, lane: number): TaskRun | undefined {
    return (this.#lists[band * this.#lanes + lane] as RunList).head
  }

  push(run: TaskRun, band: number, lane: number): void {
    ;(this.#lists[band * this.#lanes + lane] as RunList).push(run)
    ;(this.counts[band] as number) += 1
    this.size += 1
  }

  /** @param band - the band it was pushed to */
  remove(run: TaskRun, band: number): void {
    run.list?.remove(run)
    ;(this.counts[band] as number) -= 1
    this.size -= 1
  }
}
