/**
 * Runs that wait for a slot of one pool: a FIFO list per band and lane (execution), so that the head of
 * every lane is visible and a lane that cannot start now never hides another one.
 *
 * The links live in the runs themselves: taking one out of the middle (cancel) is O(1) and a waiting
 * run costs no further object.
 */
import { type Execution, PRIORITIES, type Priority } from '../machines/model.ts'
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
    if (run.prev === undefined) this.head = run.next
    else run.prev.next = run.next
    if (run.next === undefined) this.tail = run.prev
    else run.next.prev = run.prev
    run.list = run.prev = run.next = undefined
    this.size -= 1
  }

  *[Symbol.iterator](): Generator<TaskRun> {
    for (let run = this.head; run !== undefined; run = run.next) yield run
  }
}

export class ReadyQueue {
  size = 0
  readonly #bands: Record<Priority, Partial<Record<Execution, RunList>>> = {
    critical: {},
    high: {},
    normal: {},
    low: {},
  }
  readonly #counts: Record<Priority, number> = { critical: 0, high: 0, normal: 0, low: 0 }

  constructor(lanes: readonly Execution[]) {
    for (const band of PRIORITIES) for (const lane of lanes) this.#bands[band][lane] = new RunList()
  }

  count(band: Priority): number {
    return this.#counts[band]
  }

  head(band: Priority, lane: Execution): TaskRun | undefined {
    return this.#bands[band][lane]?.head
  }

  push(run: TaskRun, band: Priority, lane: Execution): void {
    const list = this.#bands[band][lane]
    if (list === undefined) throw new Error(`No lane for ${lane} in this pool`)
    list.push(run)
    this.#counts[band] += 1
    this.size += 1
  }

  /** @param band - the band it was pushed to */
  remove(run: TaskRun, band: Priority): void {
    run.list?.remove(run)
    this.#counts[band] -= 1
    this.size -= 1
  }
}
