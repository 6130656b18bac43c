/**
 * When what happened to a run happened, on the wall clock. Each instant is reckoned once, from the monotonic clock: two clocks
 * that are read one after the other do not say the same to the millisecond twice, and the wall clock may be set.
 */
import type { TaskRun } from '../actors/task-run.ts'

type Moment = 'submittedMono' | 'startedMono' | 'endedMono'

interface Reckoned {
  readonly mono: number
  /** Epoch ms. */
  readonly at: number
}

/** Of runs that somebody has looked at. */
const known = new WeakMap<TaskRun, Partial<Record<Moment, Reckoned>>>()

/** @returns epoch ms; `undefined` for what has not happened */
export function wallInstant(run: TaskRun, moment: Moment): number | undefined {
  const mono = run[moment]
  if (mono < 0) return undefined
  const own = known.get(run) ?? {}
  const before = own[moment]
  // A later attempt begins anew.
  if (before?.mono === mono) return before.at
  const { clock } = run.pool.ports
  const at = Math.round(clock.now() - (clock.monotonic() - mono))
  own[moment] = { mono, at }
  known.set(run, own)
  return at
}
