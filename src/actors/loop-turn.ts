/**
 * How long the present turn of the event loop has been ours. Handlers begin in microtasks, and so does what follows
 * them: a chain that begins a run whenever one ends would never let a timer fire. Whoever begins a step of work that
 * another one may follow says so (`step`), and asks before the next one (`isLong`).
 *
 * One for all supervisors of a thread, as there is one event loop. No clock is asked before a turn has had several
 * steps: most have one.
 */

// Taken at load: tests may fake the globals.
const { setImmediate } = globalThis

/** Steps that a turn may always have. */
const STEPS = 16
/** What more than these may take, ms. */
const STRETCH_MS = 4

class LoopTurn {
  #steps = 0
  #sinceMono = 0
  #deferred = 0
  readonly #turned = (): void => {
    this.#steps = 0
  }

  /** Acts that wait for the next turn. */
  get deferred(): number {
    return this.#deferred
  }

  /** What follows is to wait for the next turn. */
  get isLong(): boolean {
    return this.#steps >= STEPS && performance.now() - this.#sinceMono >= STRETCH_MS
  }

  step(): void {
    this.#steps += 1
    if (this.#steps !== STEPS) return
    this.#sinceMono = performance.now()
    setImmediate(this.#turned).unref()
  }

  /** Acts when timers and I/O have had their turn. */
  defer(act: () => void): void {
    this.#deferred += 1
    setImmediate(() => {
      this.#deferred -= 1
      act()
    })
  }
}

export const loopTurn: LoopTurn = new LoopTurn()
