/** Ctrl-C and SIGTERM: the first asks the job to stop, the next insists. */

/** Signals that stop the job, and what a program that ends by them exits with. */
export const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const

export type StopSignal = keyof typeof EXIT_CODES

export class Interrupt implements Disposable {
  /** The first that came. */
  signal: StopSignal | undefined = undefined
  /** Aborted with the first. */
  readonly stopping: AbortSignal
  readonly #onSignal: (signal: StopSignal) => void

  /** @param act - called per signal; `again` from the second on */
  constructor(act: (signal: StopSignal, again: boolean) => void) {
    const controller = new AbortController()
    this.stopping = controller.signal
    this.#onSignal = (signal) => {
      const again = this.signal !== undefined
      this.signal ??= signal
      act(signal, again)
      controller.abort()
    }
    for (const signal of Object.keys(EXIT_CODES)) process.on(signal, this.#onSignal)
  }

  [Symbol.dispose](): void {
    for (const signal of Object.keys(EXIT_CODES)) process.off(signal, this.#onSignal)
  }
}
