/** The last `size` of what was added; the oldest give way. */
export class Ring<Item> {
  readonly #size: number
  #items: Item[] = []

  constructor(size: number) {
    this.#size = size
  }

  /** Oldest first. */
  get items(): readonly Item[] {
    return this.#items
  }

  add(items: readonly Item[]): void {
    if (items.length === 0) return
    const all = items.length >= this.#size ? items : [...this.#items, ...items]
    this.#items = all.slice(-this.#size)
  }

  clear(): void {
    this.#items = []
  }
}
