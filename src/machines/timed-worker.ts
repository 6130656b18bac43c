/**
 * What interval, cron and rrule workers do between `starting` and `stopping`: their occurrences come by the clock.
 *
 * - `waiting`: the next occurrence is armed.
 * - `active`: a run is live. Occurrences go on coming; `overlap` says what becomes of them.
 * - `paused`: nothing is armed. What passes meanwhile counts as missed.
 * - `backingOff`: after a failure, with `onFailure: 'backOff'`. What passes meanwhile is skipped.
 *
 * `armTick` arms the next occurrence unless one is armed. Where delays follow the end of a run, none is armed
 * while it is active: the schedule knows (`after`).
 */
import {
  announce,
  BEGIN_SERVICE,
  failedState,
  RUN_ENDS_WORKER,
  SKIP_BLOCKED,
  SKIP_MISSED,
  type Skipped,
  START_NEXT,
  skipOne,
  startingState,
  startRun,
  stoppedState,
  stoppingState,
  unbornWorker,
  WHILE_PAUSED,
  WORKER_COMMANDS,
  workerSetup,
} from './worker-life.ts'
import type { TickOccasion, WorkerEvent } from './worker-model.ts'

const arm = (after: TickOccasion) => ({ type: 'armTick', params: { after } }) as const

/** One run more, beside those that are live. */
const RUN = ['noteRun', startRun('schedule'), arm('begin')] as const
const RUN_TRIGGERED = ['noteRun', startRun('trigger'), arm('begin')] as const
const RUN_NEXT = [START_NEXT, 'takeNext', arm('begin')] as const
const BACKOFF_PASSED = {
  type: 'skip',
  params: ({ event }: { event: WorkerEvent }): Skipped => ({
    reason: 'backingOff',
    count: event.type === 'timer.backoff' ? event.passed : 0,
  }),
} as const

/** @param id - names the machine: one chart, drawn and inspected per kind */
export function timedWorker<const Id extends string>(id: Id) {
  return workerSetup.createMachine({
    id,
    context: unbornWorker,
    initial: 'stopped',
    on: { ...WORKER_COMMANDS, 'worker.skipNext': { actions: 'noteSkip' } },
    states: {
      stopped: stoppedState,
      failed: failedState,
      starting: startingState({ target: 'waiting', actions: [...BEGIN_SERVICE, arm('start')] }),
      waiting: {
        on: {
          'timer.missed': [
            { guard: 'isBlocked', actions: [SKIP_BLOCKED, arm('end')] },
            { guard: 'owesForMissed', target: 'active', actions: [SKIP_MISSED, 'noteMissed', ...RUN_NEXT] },
            { actions: [SKIP_MISSED, arm('end')] },
          ],
          'timer.tick': [
            { guard: 'isBlocked', actions: [SKIP_BLOCKED, arm('end')] },
            { guard: 'skipsOne', actions: ['takeSkip', skipOne('asked'), arm('end')] },
            { target: 'active', actions: [...RUN] },
          ],
          'worker.trigger': [
            { guard: 'isForced', target: 'active', actions: [...RUN_TRIGGERED] },
            { guard: 'isBlocked', actions: SKIP_BLOCKED },
            { target: 'active', actions: [...RUN_TRIGGERED] },
          ],
          'worker.reschedule': { actions: ['disarm', arm('end')] },
          'schedule.ended': { target: 'stopping', actions: 'noteDone' },
          'worker.pause': 'paused',
        },
      },
      active: {
        on: {
          'timer.missed': [
            // Nothing more begins: there is nothing to arm.
            { guard: 'isSpent' },
            { guard: 'isBlocked', actions: [SKIP_BLOCKED, arm('begin')] },
            { guard: 'owesForMissed', actions: [SKIP_MISSED, 'noteMissed', arm('begin')] },
            { actions: [SKIP_MISSED, arm('begin')] },
          ],
          'timer.tick': [
            { guard: 'isSpent' },
            { guard: 'isBlocked', actions: [SKIP_BLOCKED, arm('begin')] },
            { guard: 'skipsOne', actions: ['takeSkip', skipOne('asked'), arm('begin')] },
            { guard: 'mayOverlap', actions: [...RUN] },
            { guard: 'overlapBuffers', actions: ['noteNext', arm('begin')] },
            { guard: 'overlapCancels', actions: ['noteNext', 'cancelRuns', arm('begin')] },
            { guard: 'overlapTerminates', actions: ['noteNext', 'terminateRuns', arm('begin')] },
            { actions: [skipOne('overlap'), arm('begin')] },
          ],
          'worker.trigger': [
            { guard: 'isSpent', actions: skipOne('spent') },
            { guard: 'mayOverlapForced', actions: [...RUN_TRIGGERED] },
            { guard: 'isForcedAgain', actions: skipOne('coalesced') },
            { guard: 'isForced', actions: 'noteTriggeredNext' },
            { guard: 'isBlocked', actions: SKIP_BLOCKED },
            { guard: 'mayOverlap', actions: [...RUN_TRIGGERED] },
            { actions: skipOne('busy') },
          ],
          'run.ended': [
            ...RUN_ENDS_WORKER,
            { guard: 'isSpentAlone', target: 'stopping', actions: ['noteEnd', 'noteDone'] },
            { guard: 'backsOff', target: 'backingOff', actions: 'noteEnd' },
            { guard: 'nextMayBegin', actions: ['noteEnd', ...RUN_NEXT] },
            { guard: 'isAlone', target: 'waiting', actions: ['noteEnd', arm('end')] },
            { actions: 'noteEnd' },
          ],
          'worker.reschedule': { actions: ['disarm', arm('begin')] },
          'schedule.ended': { actions: 'noteSpent' },
          'worker.pause': 'paused',
        },
      },
      paused: {
        entry: ['disarm', announce('paused')],
        on: {
          ...WHILE_PAUSED,
          'worker.resume': [
            { guard: 'hasLive', target: 'active', actions: [announce('resumed'), arm('resume')] },
            { guard: 'hasNext', target: 'active', actions: [announce('resumed'), ...RUN_NEXT] },
            { target: 'waiting', actions: [announce('resumed'), arm('resume')] },
          ],
        },
      },
      backingOff: {
        entry: ['disarm', 'armBackoff'],
        exit: 'disarm',
        on: {
          'timer.backoff': [
            { guard: 'hasNext', target: 'active', actions: [BACKOFF_PASSED, ...RUN_NEXT] },
            { target: 'waiting', actions: [BACKOFF_PASSED, arm('resume')] },
          ],
          'worker.trigger': [
            { guard: 'isForced', target: 'active', actions: [...RUN_TRIGGERED] },
            { guard: 'isBlocked', actions: SKIP_BLOCKED },
            { actions: skipOne('backingOff') },
          ],
          'worker.pause': 'paused',
        },
      },
      stopping: stoppingState,
    },
  })
}
