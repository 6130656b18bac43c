/**
 * Every run that is live, in order of submission, and the last that have ended; by id those that have
 * one. Ids are made when somebody asks for one, so most runs never enter the map.
 */
import { RunIds } from './run-id.ts'
import type { TaskRun } from './task-run.ts'

export class RunRegistry {
  /** Live runs. */
  size = 0
  #oldest: TaskRun | undefined = undefined
  #newest: TaskRun | undefined = undefined
  readonly #byId: Map<string, TaskRun> = new Map()
  readonly #kept: TaskRun[] = []
  readonly #keep: number
  #next = 0
  readonly #ids = new RunIds()
  readonly #now: () => number

  /**
   * @param keep - how many ended runs are remembered
   * @param now - wall clock, epoch ms
   */
  constructor(keep: number, now: () => number) {
    this.#keep = keep
    this.#now = now
  }

  add(run: TaskRun): void {
    run.older = this.#newest
    if (this.#newest === undefined) this.#oldest = run
    else this.#newest.newer = run
    this.#newest = run
    this.size += 1
    const { knownId } = run
    if (knownId !== undefined) this.#byId.set(knownId, run)
  }

  /** Gives an id to a run that has none. */
  identify(run: TaskRun): string {
    const id = this.#ids.next(this.#now())
    if (run.place !== 'gone') this.#byId.set(id, run)
    return id
  }

  /** A live run, or one of the last that ended. */
  get(id: string): TaskRun | undefined {
    return this.#byId.get(id)
  }

  isLive(id: string): boolean {
    return this.#byId.get(id)?.place === 'live'
  }

  /** The run has ended. */
  end(run: TaskRun): void {
    const { older, newer } = run
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    run.older = run.newer = undefined
    this.size -= 1
    if (this.#keep === 0) return this.#forget(run)
    run.place = 'kept'
    const evicted = this.#kept[this.#next]
    this.#kept[this.#next] = run
    this.#next = (this.#next + 1) % this.#keep
    if (evicted !== undefined) this.#forget(evicted)
  }

  /** Live runs, oldest first. Those that end meanwhile are left out if they have not been passed. */
  live(): TaskRun[] {
    const runs: TaskRun[] = []
    for (let run = this.#oldest; run !== undefined; run = run.newer) runs.push(run)
    return runs
  }

  /** Remembered runs that have ended, oldest first. */
  ended(): TaskRun[] {
    return [...this.#kept.slice(this.#next), ...this.#kept.slice(0, this.#next)]
  }

  #forget(run: TaskRun): void {
    run.place = 'gone'
    const { knownId } = run
    // The id may belong to a newer run by now.
    if (knownId !== undefined && this.#byId.get(knownId) === run) this.#byId.delete(knownId)
  }
}
