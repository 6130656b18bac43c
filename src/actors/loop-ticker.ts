/** The occurrence of a plain worker comes with the next turn of the event loop: others have theirs in between. */
import type { Ticker, TickListener, TickLook } from './ticker.ts'

const DUE: TickLook = { onTime: true, missed: 0 }

export class LoopTicker implements Ticker {
  readonly nextAt = undefined
  readonly #listener: TickListener
  #turn: NodeJS.Immediate | undefined = undefined

  constructor(listener: TickListener) {
    this.#listener = listener
  }

  arm(): boolean {
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined
      this.#listener.onTick()
    })
    return true
  }

  disarm(): void {
    if (this.#turn !== undefined) clearImmediate(this.#turn)
    this.#turn = undefined
  }

  look(): TickLook {
    return DUE
  }

  passed(): number {
    return 0
  }
}
