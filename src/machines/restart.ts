/**
 * Restart policies, in OTP's meaning: who is followed by another life, how many restarts a group allows, and
 * which siblings a restart takes along. Time comes in as an argument.
 */

/**
 * Whether another incarnation follows one that ended: `permanent` always, `transient` only after a
 * failure, `temporary` never, and then it is no longer listed. One that was asked to end is never followed.
 */
export type RestartType = 'permanent' | 'transient' | 'temporary'

export const RESTART_TYPES = ['permanent', 'transient', 'temporary'] as const

/**
 * What a restart takes along: nobody, every sibling, or those that were started later. Siblings end in reverse
 * order of start and are started again in that order.
 */
export type Strategy = 'one-for-one' | 'one-for-all' | 'rest-for-one'

export const STRATEGIES = ['one-for-one', 'one-for-all', 'rest-for-one'] as const

/** How an incarnation ended: by itself, abnormally, or because it was asked to. */
export type ChildExit =
  | { readonly kind: 'done'; readonly output: unknown }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'stopped' }

/** What becomes of a child that has ended: another life, rest, or it is no longer listed. */
export type Decision = 'restart' | 'leave' | 'remove'

export function decide(exit: ChildExit, restart: RestartType): Decision {
  if (restart === 'temporary') return 'remove'
  if (exit.kind === 'stopped') return 'leave'
  return restart === 'permanent' || exit.kind === 'failed' ? 'restart' : 'leave'
}

/** More than `intensity` restarts within `periodMs` are too many. */
export interface RestartLimits {
  /** @defaultValue 3 */
  readonly intensity: number
  /** @defaultValue 5000 */
  readonly periodMs: number
}

/** Whether one more restart at `now` is within the limits. `times`: instants of earlier ones, in order. */
export function admitsRestart(times: readonly number[], now: number, limits: RestartLimits): boolean {
  const { intensity, periodMs } = limits
  if (intensity <= 0) return false
  // Only the earliest of the last `intensity` restarts matters.
  const earliest = times[times.length - intensity]
  return earliest === undefined || now - earliest >= periodMs
}

/**
 * Whose restarts the one counts towards that an end asks for: those of all children of its group together (`shared`), or those
 * of the child alone (`own`), which may be used up (`spent`).
 */
export type RestartAccount = 'shared' | 'own' | 'spent'

/** The instants that still count, and `now`. */
export function noteRestart(
  times: readonly number[],
  now: number,
  { intensity, periodMs }: RestartLimits,
): number[] {
  // They are in order: what counts no longer is at the front.
  let first = Math.max(0, times.length - intensity + 1)
  while (first < times.length && now - (times[first] as number) >= periodMs) first += 1
  return [...times.slice(first), now]
}

/** Where the siblings stand that a restart at `position` takes along, itself included: `[from, to)`. */
export function affectedRange(
  strategy: Strategy,
  position: number,
  count: number,
): readonly [from: number, to: number] {
  if (strategy === 'one-for-one') return [position, position + 1]
  return [strategy === 'one-for-all' ? 0 : position, count]
}

/**
 * The number of a restart among those in a row, from 1: for the backoff. Whoever lived for `periodMs` has
 * recovered, and the count begins anew.
 */
export function nextStreak(streak: number, livedMs: number, periodMs: number): number {
  return livedMs >= periodMs ? 1 : streak + 1
}
