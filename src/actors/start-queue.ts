/**
 * Handlers of this loop begin in a microtask, never inside `submit`: all that were admitted in one go
 * begin in one microtask, in order of admission. When handlers have had the turn for long, it is the next turn.
 */
import { loopTurn } from './loop-turn.ts'

export interface Startable {
  begin(): void
}

export class StartQueue {
  #waiting: Startable[] = []
  readonly #flush = (): void => {
    loopTurn.step()
    const batch = this.#waiting
    this.#waiting = []
    for (const attempt of batch) attempt.begin()
  }

  push(attempt: Startable): void {
    if (this.#waiting.push(attempt) > 1) return
    if (loopTurn.isLong) loopTurn.defer(this.#flush)
    else queueMicrotask(this.#flush)
  }
}
