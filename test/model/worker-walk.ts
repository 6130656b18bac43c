/** The worker machines, walked: with policies that make every guard take every branch. */
import type { AnyStateMachine, SnapshotFrom } from 'xstate'
import type { plainWorkerMachine } from '../../src/machines/plain-worker.ts'
import { WORKER_DEFAULTS } from '../../src/machines/worker-life.ts'
import type { WorkerContext, WorkerEvent, WorkerSettings } from '../../src/machines/worker-model.ts'
import { type WalkEdge, walkMachine } from '../../src/runtime/testing/machine-walk.ts'

export type WorkerSnapshot = SnapshotFrom<typeof plainWorkerMachine>
export type WorkerEdge = WalkEdge<WorkerSnapshot, WorkerEvent>

const START = 'worker.start'

/** At least one event for every branch that a guard can take. */
const EVENTS: readonly WorkerEvent[] = [
  { type: 'worker.ready' },
  { type: 'worker.startFailed', error: 'start' },
  { type: 'timer.tick', block: undefined },
  { type: 'timer.tick', block: 'condition' },
  { type: 'timer.tick', block: 'disabled' },
  { type: 'timer.missed', count: 2, block: undefined },
  { type: 'timer.missed', count: 2, block: 'disabled' },
  { type: 'timer.backoff', passed: 2 },
  { type: 'schedule.ended' },
  { type: 'worker.trigger', force: false, by: 'trigger', block: undefined },
  { type: 'worker.trigger', force: false, by: 'condition', block: 'disabled' },
  { type: 'worker.trigger', force: true, by: 'trigger', block: 'disabled' },
  { type: 'worker.skipNext' },
  { type: 'worker.reschedule' },
  { type: 'worker.pause' },
  { type: 'worker.resume' },
  { type: 'run.began' },
  { type: 'run.ended', end: 'ok' },
  { type: 'run.ended', end: 'last' },
  { type: 'run.ended', end: 'failed', error: 'run' },
  { type: 'run.ended', end: 'fatal', error: 'hook' },
  { type: 'run.ended', end: 'other' },
  { type: 'hook.done', slots: 'given' },
  { type: 'hook.done', slots: 'held' },
  { type: 'hook.done', slots: 'drained' },
  { type: 'worker.stop' },
  { type: 'worker.hurry' },
  { type: 'worker.kill' },
]

export const WORKER_EVENT_TYPES: readonly string[] = [START, ...new Set(EVENTS.map(({ type }) => type))]

const settings = (own: Partial<WorkerSettings>): WorkerSettings => ({ ...WORKER_DEFAULTS, ...own })

/** Every value of every policy, and every pair that meets in a guard. */
export const WORKER_SETTINGS: readonly WorkerSettings[] = [
  settings({ overlap: 'skip', missed: 'skip', onFailure: 'continue', whileBusy: 'drop' }),
  settings({ overlap: 'skip', missed: 'once', onFailure: 'backOff', whileBusy: 'once' }),
  settings({ overlap: 'skip', missed: 'all', onFailure: 'fail', whileBusy: 'all', times: 2 }),
  settings({ overlap: 'bufferOne', missed: 'all', onFailure: 'backOff', whileBusy: 'all' }),
  settings({ overlap: 'allow', missed: 'all', onFailure: 'continue', whileBusy: 'once', times: 3 }),
  settings({ overlap: 'allow', missed: 'once', onFailure: 'backOff', whileBusy: 'drop', times: 2 }),
  settings({ overlap: 'cancelOther', missed: 'once', onFailure: 'continue', whileBusy: 'once', times: 2 }),
  settings({ overlap: 'terminateOther', missed: 'all', onFailure: 'fail', whileBusy: 'all' }),
]

/**
 * What guards look at. Of a count they only ask whether there is one, and of live runs whether there is another
 * one; what was counted for people is left out.
 */
const projectWorker = ({ live, owed, next, skips, left, exit }: WorkerContext): string =>
  [Math.min(live, 3), Math.min(owed, 2), next, Math.min(skips, 1), left, exit.kind].join()

export function walkWorker(machine: AnyStateMachine, own: WorkerSettings): WorkerEdge[] {
  return walkMachine(machine, {
    input: undefined,
    events: [{ type: START, settings: own }, ...EVENTS],
    project: projectWorker,
    // A run ends only if it lives.
    accepts: ({ context }, { type }) => (type !== 'run.ended' && type !== 'run.began') || context.live > 0,
    limit: 100_000,
  })
}
