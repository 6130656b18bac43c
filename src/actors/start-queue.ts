/**
 * Handlers of this loop begin in a microtask, never inside `submit`: all that were admitted in one go
 * begin in one microtask, in order of admission.
 */
export interface Startable {
  begin(): void
}

export class StartQueue {
  #waiting: Startable[] = []
  readonly #flush = (): void => {
    const batch = this.#waiting
    this.#waiting = []
    for (const attempt of batch) attempt.begin()
  }

  push(attempt: Startable): void {
    if (this.#waiting.push(attempt) === 1) queueMicrotask(this.#flush)
  }
}
