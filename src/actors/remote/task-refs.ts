/** Numbers for definitions on the wire. */

/** One counter for all executors: several may share a user's pool, and numbers must not meet there. */
let lastRef = 0

export class TaskRefs {
  readonly #byModule = new Map<string, Map<string, number>>()

  /** The number of a definition: the same for the same module, name and supervisor. */
  of(job: { readonly module: string; readonly name: string }): number {
    let names = this.#byModule.get(job.module)
    if (names === undefined) {
      names = new Map()
      this.#byModule.set(job.module, names)
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
