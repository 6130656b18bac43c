/** Where whoever debugs or inspects hears of every step of every machine of one supervisor. */

/** A machine took an event. States are dotted paths; `from` and `to` may be the same. */
export interface Step {
  readonly machine: string
  readonly id: string
  readonly event: string
  readonly from: string
  readonly to: string
}

/** Must not throw, and must read the step before it returns. */
export type StepListener = (step: Step) => void

export class Tracer {
  /** Set while somebody listens: whoever drives a machine looks here first, and makes nothing for nobody. */
  listener: StepListener | undefined = undefined
  readonly #listeners: StepListener[] = []

  /** @returns a function that takes the listener away again */
  add(listener: StepListener): () => void {
    this.#listeners.push(listener)
    this.#look()
    return () => {
      const index = this.#listeners.indexOf(listener)
      if (index >= 0) this.#listeners.splice(index, 1)
      this.#look()
    }
  }

  #look(): void {
    const listeners = [...this.#listeners]
    this.listener =
      listeners.length < 2
        ? listeners[0]
        : (step) => {
            for (const listener of listeners) listener(step)
          }
  }
}
