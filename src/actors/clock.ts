/** Time as everything above the machines sees it: injected, so that tests can move it by hand. */

/** The longest delay in ms that Node's timers hold (about 24.8 days); a longer one fires after 1 ms. */
export const MAX_DELAY_MS: number = 2 ** 31 - 1

/**
 * A source of time and of timers. Fits XState's `clock` option of `createActor`, which uses only the
 * two timer methods.
 *
 * `now()` says what to show and to store; `monotonic()` says how long something takes. Deadlines are
 * computed from `monotonic()`, so that a wall clock that is set forward or back moves none of them.
 */
export interface Clock {
  /** Wall-clock time in epoch ms. May jump in both directions. */
  now(): number
  /**
   * Ms since an arbitrary origin; never goes back, may have fractions. Means nothing outside this
   * process, so it is never stored or sent. Whether it counts the time a machine was suspended is up
   * to the operating system.
   */
  monotonic(): number
  /**
   * Calls `fn` once, `ms` or more from now, unless it is cleared before. `ms` is at most 2^31 - 1;
   * whoever needs longer arms it in steps.
   * @returns the handle for `clearTimeout`
   */
  setTimeout(fn: () => void, ms: number): unknown
  /** Forgets a timer. Unknown handles and timers that have fired are ignored. */
  clearTimeout(id: unknown): void
}

/**
 * The clock of the machine. Its timers are unref'd: none of them keeps the process alive, what they
 * guard (a thread, a socket, the supervisor) does that. A delay above {@link MAX_DELAY_MS} is the
 * caller's business: Node would warn and fire it after 1 ms.
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (fn, ms) => setTimeout(fn, ms).unref(),
  clearTimeout: (id) => clearTimeout(id as NodeJS.Timeout),
}
