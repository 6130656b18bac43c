/** Bounds how many values a label has: the first so many keep their own, all others share one. */

/** What stands for those beyond the limit. */
const OTHERS = 'other'

export class LabelLimit {
  readonly #limit: number
  readonly #known = new Set<string>()

  constructor(limit: number) {
    this.#limit = limit
  }

  of(value: string): string {
    if (this.#known.has(value)) return value
    if (this.#known.size >= this.#limit) return OTHERS
    this.#known.add(value)
    return value
  }
}
