/**
 * End conditions of runs: asked at admission, when nothing has begun yet, and watched while a run holds a slot. What
 * waits for its turn or its time is left alone, as waiting costs nothing.
 */
import type { Order } from '../machines/condition-facts.ts'
import type { TaskEvent } from '../machines/task-model.ts'
import type { ConditionWatch, ConditionWatches } from './condition-watch.ts'
import type { TaskRun } from './task-run.ts'

const END: TaskEvent = { type: 'task.terminate', reason: 'endCondition' }

export class EndConditions {
  readonly #watches: ConditionWatches
  readonly #runs = new Map<TaskRun, ConditionWatch>()

  constructor(watches: ConditionWatches) {
    this.#watches = watches
  }

  /** What a run that may be admitted gets instead, if its condition is true already. */
  atAdmission(run: TaskRun): TaskEvent | undefined {
    const { endCondition } = run.plan
    if (endCondition === undefined) return undefined
    return this.#watches.holds(endCondition, ownerOf(run, this.#watches.mark())) ? END : undefined
  }

  /** The run has been admitted. */
  watch(run: TaskRun): void {
    const { endCondition } = run.plan
    if (endCondition === undefined) return
    const owner = ownerOf(run, this.#watches.mark())
    this.#runs.set(
      run,
      this.#watches.watch(endCondition, owner, () => run.pool.deliver(run, END)),
    )
  }

  /** The run has given its slot back. */
  forget(run: TaskRun): void {
    this.#runs.get(run)?.close()
    this.#runs.delete(run)
  }
}

/** `after` in an end condition means: since this attempt was admitted. */
function ownerOf(run: TaskRun, since: Order): { task: string; since: Order } {
  return { task: run.entry.definition.name, since }
}
