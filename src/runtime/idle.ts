/** Lets callers wait until no run is live. */
export class Idle {
  readonly #isIdle: () => boolean
  #waiting: (() => void)[] = []

  constructor(isIdle: () => boolean) {
    this.#isIdle = isIdle
  }

  wait(): Promise<void> {
    return this.#isIdle() ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** No run is live. */
  reached(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
