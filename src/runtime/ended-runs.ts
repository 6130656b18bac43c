/** The last runs that have ended, so that `get(id)` still knows them. */
import type { TaskRun } from '../actors/task-run.ts'

export class EndedRuns {
  readonly #keep: number
  readonly #runs: Map<string, TaskRun> = new Map()

  constructor(keep: number) {
    this.#keep = keep
  }

  add(run: TaskRun): void {
    if (this.#keep === 0) return
    // An id may be used again once its run has ended: the newest one is the oldest to be forgotten.
    this.#runs.delete(run.id)
    this.#runs.set(run.id, run)
    if (this.#runs.size <= this.#keep) return
    for (const oldest of this.#runs.keys()) {
      this.#runs.delete(oldest)
      return
    }
  }

  get(id: string): TaskRun | undefined {
    return this.#runs.get(id)
  }

  values(): IterableIterator<TaskRun> {
    return this.#runs.values()
  }
}
