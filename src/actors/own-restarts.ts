/** The restarts of a child that counts them by itself. */
import { admitsRestart, noteRestart, type RestartLimits } from '../machines/restart.ts'

export class OwnRestarts {
  readonly #limits: RestartLimits
  /** Their instants, as far as they count. */
  #times: readonly number[] = []

  constructor(limits: RestartLimits) {
    this.#limits = limits
  }

  /** Counts one that is due, unless they are used up. */
  note(at: number): 'own' | 'spent' {
    if (!admitsRestart(this.#times, at, this.#limits)) return 'spent'
    this.#times = noteRestart(this.#times, at, this.#limits)
    return 'own'
  }

  forget(): void {
    this.#times = []
  }
}
