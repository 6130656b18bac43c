/**
 * A worker whose runs come at the instants of a recurrence rule, until it ends (COUNT, UNTIL).
 *
 * - `stopped`: no life; `failed`: the last one failed.
 * - `starting`: the hook `beforeStart` is under way.
 * - `waiting`: the next occurrence is armed.
 * - `active`: a run is live. Occurrences go on coming; `overlap` says what becomes of them.
 * - `paused`: nothing is armed. What passes meanwhile counts as missed.
 * - `backingOff`: after a failure, with `onFailure: 'backOff'`. What passes meanwhile is skipped.
 * - `stopping`: no run begins any more; see worker-life.ts.
 */
import { timedWorker } from './timed-worker.ts'

export const rruleWorkerMachine = timedWorker('rruleWorker')
