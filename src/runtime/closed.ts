/** The end of a supervisor as a promise: one for each of its lives. */
export class Closed {
  #life: PromiseWithResolvers<void> = life()
  #isOver = false

  get promise(): Promise<void> {
    return this.#life.promise
  }

  /** Another life begins. */
  begin(): void {
    if (!this.#isOver) return
    this.#life = life()
    this.#isOver = false
  }

  stopped(): void {
    this.#isOver = true
    this.#life.resolve()
  }

  failed(error: unknown): void {
    this.#isOver = true
    this.#life.reject(error)
  }
}

/** Nobody need look at it. */
function life(): PromiseWithResolvers<void> {
  const made = Promise.withResolvers<void>()
  made.promise.catch(() => {})
  return made
}
