/**
 * A clock that stands still until a test moves it.
 *
 * Every timer fires at its own due time, in due order, and sees exactly that time as "now"; a timer
 * armed by a callback counts from there. (XState 5's `SimulatedClock` moves to the end of the span first, so
 * that `advance(100)` over a chain of two delays of 10 ms leaves the second one pending.)
 */
import { type Clock, MAX_DELAY_MS } from '../../actors/clock.ts'
import { type DeadlineEntry, DeadlineHeap } from '../../actors/deadline-heap.ts'
import { loopTurn } from '../../actors/loop-turn.ts'

/** Wall-clock time at which a {@link ManualClock} starts unless told otherwise: 2025-01-01T00:00:00Z. */
const DEFAULT_START_AT = Date.UTC(2025, 0, 1)

/** More timers than this, each armed and fired at one and the same instant, are an endless loop. */
const MAX_CHAIN = 10_000

/** What is under this key on `globalThis`, if anything, is told of every clock made: for leak checks. */
const REGISTRY: unique symbol = Symbol.for('stateward.testing.manual-clocks') as never

// Taken at load, so that a clock keeps working while somebody fakes the globals.
const { setImmediate } = globalThis

/** Options of {@link ManualClock}. */
export interface ManualClockOptions {
  /** Wall-clock time at the start, in epoch ms. Default 2025-01-01T00:00:00Z. */
  readonly startAt?: number | undefined
}

class Entry implements DeadlineEntry {
  readonly due: number
  readonly seq: number
  readonly fn: () => void
  live = true

  constructor(due: number, seq: number, fn: () => void) {
    this.due = due
    this.seq = seq
    this.fn = fn
  }
}

/** The first error that a callback threw; a box, because `undefined` can be thrown too. */
interface Thrown {
  readonly error: unknown
}

/**
 * A {@link Clock} moved by hand, for the supervisor's `clock` option and XState's `createActor`.
 *
 * ```ts
 * const clock = new ManualClock()
 * const actor = createActor(machine, { clock }).start()
 * await clock.advance(1_000)
 * ```
 *
 * The asynchronous movers (`advance`, `advanceTo`, `runAll`) take a turn of the event loop before the
 * first timer and after each (several, if a supervisor gives way to others in the midst of a long chain of runs): all promise jobs, `nextTick`s and immediates that a callback set off have
 * run, at the time of that callback, before the next timer fires. What leaves the event loop (I/O, a
 * thread, a process) is not waited for: await its own event. Calls are carried out one after another.
 *
 * A stop goes by this clock, too: `supervisor.stop({ wait: false })` gives a handler that ignores its signal its
 * `graceMs`, so somebody has to advance meanwhile.
 *
 * A callback that throws stops nothing: the others fire, the time is reached, and the mover then rejects
 * with (`advanceSync`: throws) the first error.
 */
export class ManualClock implements Clock {
  readonly #heap = new DeadlineHeap<Entry>()
  #startAt: number
  #elapsed = 0
  #seq = 0
  #moving = false
  #tail: Promise<unknown> = Promise.resolve()

  /** @throws RangeError when `startAt` is not a finite number */
  constructor(options: ManualClockOptions = {}) {
    const { startAt = DEFAULT_START_AT } = options
    if (!Number.isFinite(startAt)) {
      throw new RangeError(`startAt must be an instant in epoch ms, not ${startAt}.`)
    }
    this.#startAt = startAt
    const registry = (globalThis as { [REGISTRY]?: { add(clock: ManualClock): void } })[REGISTRY]
    registry?.add(this)
  }

  /** Wall-clock time in epoch ms. */
  now(): number {
    return this.#startAt + this.#elapsed
  }

  /** Ms by which the clock was advanced since it was made; `jumpWall` does not change it. */
  monotonic(): number {
    return this.#elapsed
  }

  /** Timers that are waiting to fire. */
  get pending(): number {
    return this.#heap.size
  }

  /** Epoch ms at which the next timer fires, or `undefined` when none is pending. */
  get nextDueAt(): number | undefined {
    const next = this.#heap.peek()
    return next === undefined ? undefined : this.#startAt + next.due
  }

  /**
   * Arms a timer. As with Node's own, a negative or missing delay is 0; unlike with Node's, 0 fires at
   * the very same instant, the next time the clock is moved (also by 0).
   * @param ms delay in ms
   * @throws RangeError when `ms` is above 2^31-1, where Node's timer would fire at once
   */
  setTimeout(fn: () => void, ms: number): unknown {
    if (ms > MAX_DELAY_MS) {
      throw new RangeError(
        `A timer of ${ms} ms cannot be set: above ${MAX_DELAY_MS} ms Node's timers fire at once. Arm it in steps.`,
      )
    }
    const entry = new Entry(this.#elapsed + (ms > 0 ? ms : 0), this.#seq++, fn)
    this.#heap.push(entry)
    return entry
  }

  /** Forgets a timer; unknown handles and timers that have fired are ignored. */
  clearTimeout(id: unknown): void {
    if (!(id instanceof Entry) || !id.live) return
    id.live = false
    this.#heap.cancelled()
  }

  /**
   * Moves both clocks on by `ms` and fires on the way what is due, the end included.
   * @param ms 0 or more; 0 fires what is due now
   * @throws RangeError (rejects) when `ms` is negative or not finite
   */
  async advance(ms: number): Promise<void> {
    checkSpan(ms)
    await this.#enqueue(() => this.#moveTo(this.#elapsed + ms))
  }

  /**
   * Like `advance`, within the call: no promise job runs between the timers.
   * @throws RangeError when `ms` is negative or not finite
   * @throws Error while another move is under way
   */
  advanceSync(ms: number): void {
    checkSpan(ms)
    if (this.#moving) {
      throw new Error(
        'The clock is already moving: a callback cannot call advanceSync, nor can code it set off.',
      )
    }
    this.#moving = true
    const target = this.#elapsed + ms
    const chain = new Chain()
    let thrown: Thrown | undefined
    try {
      for (let entry = this.#take(target); entry !== undefined; entry = this.#take(target)) {
        chain.check(entry, this.#seq)
        thrown = fire(entry, thrown)
      }
      this.#elapsed = target
    } finally {
      this.#moving = false
    }
    if (thrown !== undefined) throw thrown.error
  }

  /**
   * Advances until `now()` is `at`.
   * @param at epoch ms, not before `now()`
   * @throws RangeError (rejects) when `at` is in the past of this clock or not finite
   */
  async advanceTo(at: number): Promise<void> {
    await this.#enqueue(() => {
      if (!Number.isFinite(at) || at < this.now()) {
        throw new RangeError(`The clock can be advanced to ${this.now()} (now) or later, not to ${at}.`)
      }
      return this.#moveTo(at - this.#startAt)
    })
  }

  /**
   * Fires timer after timer, also those armed meanwhile, until none is pending; the clock stays at the
   * last one.
   * @param limit the most timers to fire. Default 10,000
   * @returns how many fired
   * @throws Error (rejects) when timers are left after `limit`: something re-arms itself
   */
  async runAll(limit = 10_000): Promise<number> {
    if (!(limit >= 0)) throw new RangeError(`The limit of runAll must be 0 or more, not ${limit}.`)
    return await this.#enqueue(async () => {
      let fired = 0
      let thrown: Thrown | undefined
      await turn()
      while (this.pending > 0) {
        if (fired >= limit) {
          const cause = thrown === undefined ? undefined : { cause: thrown.error }
          throw new Error(`Timers are still pending (${this.pending}) after ${limit} have fired.`, cause)
        }
        const entry = this.#take(Number.POSITIVE_INFINITY) as Entry
        fired++
        thrown = fire(entry, thrown)
        await turn()
      }
      if (thrown !== undefined) throw thrown.error
      return fired
    })
  }

  /**
   * Sets the wall clock forward or (negative) back, as an administrator or NTP would. No timer notices:
   * they follow the monotonic clock.
   * @throws RangeError when `ms` is not finite
   */
  jumpWall(ms: number): void {
    if (!Number.isFinite(ms)) throw new RangeError(`The wall clock can jump by a number of ms, not by ${ms}.`)
    this.#startAt += ms
  }

  /** One move after another. A call made by a callback therefore starts when the present move is over. */
  #enqueue<Result>(move: () => Result | Promise<Result>): Promise<Result> {
    const result = this.#tail.then(async () => {
      this.#moving = true
      try {
        return await move()
      } finally {
        this.#moving = false
      }
    })
    this.#tail = result.catch(() => {})
    return result
  }

  async #moveTo(target: number): Promise<void> {
    const chain = new Chain()
    let thrown: Thrown | undefined
    await turn()
    for (let entry = this.#take(target); entry !== undefined; entry = this.#take(target)) {
      chain.check(entry, this.#seq)
      thrown = fire(entry, thrown)
      await turn()
    }
    this.#elapsed = target
    if (thrown !== undefined) throw thrown.error
  }

  /** Removes the next timer that is due by `target` and moves to its due time. */
  #take(target: number): Entry | undefined {
    const next = this.#heap.peek()
    if (next === undefined || next.due > target) return undefined
    this.#heap.pop()
    next.live = false
    this.#elapsed = next.due
    return next
  }
}

/** Sees through callbacks that arm each other without end at one instant. */
class Chain {
  #due = Number.NaN
  #firstSeq = 0
  #length = 0

  /** @param seq the next timer's, before `entry` fires */
  check(entry: Entry, seq: number): void {
    if (entry.due !== this.#due) {
      this.#due = entry.due
      this.#firstSeq = seq
      this.#length = 0
    } else if (entry.seq >= this.#firstSeq && ++this.#length > MAX_CHAIN) {
      throw new Error(
        `${MAX_CHAIN} timers were armed and fired at one instant: a callback re-arms itself at once.`,
      )
    }
  }
}

function checkSpan(ms: number): void {
  if (!Number.isFinite(ms) || ms < 0) {
    throw new RangeError(`The clock can be advanced by 0 ms or more, not by ${ms}.`)
  }
}

function fire(entry: Entry, thrown: Thrown | undefined): Thrown | undefined {
  try {
    entry.fn()
  } catch (error) {
    return thrown ?? { error }
  }
  return thrown
}

/** One turn of the event loop: all promise jobs and immediates that are waiting have run; more if work was put off. */
async function turn(): Promise<void> {
  do {
    await new Promise<void>((resolve) => {
      setImmediate(() => resolve())
    })
  } while (loopTurn.deferred > 0)
}
