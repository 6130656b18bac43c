/** How long to wait before a failed attempt is tried again. Chance comes in as an argument. */

/**
 * - `fixed`: always `initialMs`.
 * - `linear`: `initialMs` × the number of the failed attempt.
 * - `exponential`: `initialMs` × `factor` ^ (failed attempt − 1).
 *
 * `maxMs` bounds every kind before jitter. `jitter` spreads the wait: `'full'` takes it uniformly from
 * 0..wait, `'equal'` from wait/2..wait (both as in "Exponential Backoff And Jitter", AWS Architecture
 * Blog 2015), a number from 0 to 1 from wait×(1−jitter)..wait×(1+jitter).
 */
export interface Backoff {
  /** @defaultValue 'exponential' */
  readonly kind?: 'fixed' | 'linear' | 'exponential'
  /** @defaultValue 100 */
  readonly initialMs?: number
  /** Growth of `exponential`. @defaultValue 2 */
  readonly factor?: number
  /** @defaultValue 60000 */
  readonly maxMs?: number
  /** @defaultValue 'equal' */
  readonly jitter?: 'none' | 'full' | 'equal' | number
}

export const BACKOFF_DEFAULTS = {
  kind: 'exponential',
  initialMs: 100,
  factor: 2,
  maxMs: 60_000,
  jitter: 'equal',
} as const satisfies Required<Backoff>

/**
 * @param attempt - the attempt that failed, from 1
 * @param random01 - a random number, 0 ≤ r < 1
 * @returns the wait in ms, finite and never negative
 */
export function backoffMs(options: Backoff, attempt: number, random01: number): number {
  const {
    kind = BACKOFF_DEFAULTS.kind,
    initialMs = BACKOFF_DEFAULTS.initialMs,
    factor = BACKOFF_DEFAULTS.factor,
    maxMs = BACKOFF_DEFAULTS.maxMs,
    jitter = BACKOFF_DEFAULTS.jitter,
  } = options
  const growth = kind === 'fixed' ? 1 : kind === 'linear' ? attempt : factor ** (attempt - 1)
  // Late attempts grow without end, and nothing times infinity is no number.
  const wait = initialMs === 0 ? 0 : Math.min(maxMs, initialMs * growth)
  if (jitter === 'none') return wait
  if (jitter === 'full') return wait * random01
  if (jitter === 'equal') return wait / 2 + (wait / 2) * random01
  return Math.min(Number.MAX_VALUE, wait * (1 + jitter * (2 * random01 - 1)))
}
