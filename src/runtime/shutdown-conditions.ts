/** Conditions that stop the supervisor when they turn true, from its start to its stop. */
import type { ConditionWatch, ConditionWatches } from '../actors/condition-watch.ts'
import type { Condition } from '../machines/condition.ts'
import { type ConditionLike, checkShutdownCondition, toCondition } from './condition-check.ts'

export class ShutdownConditions {
  readonly #watches: ConditionWatches
  readonly #stop: () => void
  readonly #conditions = new Map<
    object,
    { readonly condition: Condition; watch: ConditionWatch | undefined }
  >()
  #isRunning = false

  constructor(watches: ConditionWatches, stop: () => void) {
    this.#watches = watches
    this.#stop = stop
  }

  /** @returns a function that takes it away again */
  add(like: ConditionLike): () => void {
    checkShutdownCondition('shutdownWhen', like)
    const key = {}
    const entry = { condition: toCondition(like), watch: undefined }
    this.#conditions.set(key, entry)
    if (this.#isRunning) this.#watch(entry)
    return () => {
      this.#conditions.get(key)?.watch?.close()
      this.#conditions.delete(key)
    }
  }

  /** The supervisor runs. */
  begin(): void {
    this.#isRunning = true
    for (const entry of this.#conditions.values()) this.#watch(entry)
  }

  /** The supervisor does not run any more. */
  end(): void {
    this.#isRunning = false
    for (const entry of this.#conditions.values()) {
      entry.watch?.close()
      entry.watch = undefined
    }
  }

  #watch(entry: { readonly condition: Condition; watch: ConditionWatch | undefined }): void {
    const owner = { task: undefined, since: this.#watches.mark() }
    entry.watch = this.#watches.watch(entry.condition, owner, this.#stop)
    // It may have stopped the supervisor already.
    if (!this.#isRunning) this.end()
  }
}
