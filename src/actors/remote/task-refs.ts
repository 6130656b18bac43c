/** Numbers for definitions on the wire. */
import type { Job } from '../attempt.ts'

/** One counter for all executors: several may share a user's pool, and numbers must not meet there. */
let lastRef = 0

export class TaskRefs {
  readonly #byModule = new Map<string, Map<string, number>>()
  /** Of those whose results are stored. */
  readonly #stored = new Map<string, Map<string, number>>()

  /** The number of a definition: the same for the same module, name and supervisor, and what becomes of its results. */
  of(job: Pick<Job, 'module' | 'name' | 'isStored'>): number {
    const byModule = job.isStored === true ? this.#stored : this.#byModule
    let names = byModule.get(job.module)
    if (names === undefined) {
      names = new Map()
      byModule.set(job.module, names)
    }
    let ref = names.get(job.name)
    if (ref === undefined) {
      lastRef += 1
      ref = lastRef
      names.set(job.name, ref)
    }
    return ref
  }
}
