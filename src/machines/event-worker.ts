/**
 * A worker that runs when it is triggered: by hand, or by a condition that turns true.
 *
 * - `stopped`: no life; `failed`: the last one failed.
 * - `starting`: the hook `beforeStart` is under way.
 * - `idle`: waits for a trigger.
 * - `active.triggered`: its handler has not begun: further triggers mean the same run.
 * - `active.running`: the handler runs. A trigger is dropped, or kept for one more run, or each for one.
 * - `paused`: triggers are dropped, forced ones kept for later. What is live goes on.
 * - `backingOff`: after a failure, with `onFailure: 'backOff'`.
 * - `stopping`: no run begins any more; see worker-life.ts.
 */
import {
  announce,
  BEGIN_SERVICE,
  failedState,
  RUN_ENDS_WORKER,
  SKIP_BLOCKED,
  START_NEXT,
  skipOne,
  startingState,
  stoppedState,
  stoppingState,
  unbornWorker,
  WHILE_PAUSED,
  WORKER_COMMANDS,
  workerSetup,
} from './worker-life.ts'
import type { RunCause, WorkerEvent } from './worker-model.ts'

const RUN = [
  'noteRun',
  {
    type: 'startRun',
    params: ({ event }: { event: WorkerEvent }): { by: RunCause } => ({
      by: event.type === 'worker.trigger' ? event.by : 'trigger',
    }),
  },
] as const
const RUN_NEXT = [START_NEXT, 'takeNext'] as const

export const eventWorkerMachine = workerSetup.createMachine({
  id: 'eventWorker',
  context: unbornWorker,
  initial: 'stopped',
  on: WORKER_COMMANDS,
  states: {
    stopped: stoppedState,
    failed: failedState,
    starting: startingState({ target: 'idle', actions: [...BEGIN_SERVICE] }),
    idle: {
      on: {
        'worker.trigger': [
          { guard: 'isForced', target: 'active', actions: [...RUN] },
          { guard: 'isBlocked', actions: SKIP_BLOCKED },
          { target: 'active', actions: [...RUN] },
        ],
        'worker.pause': 'paused',
      },
    },
    active: {
      initial: 'triggered',
      on: {
        'run.ended': [
          ...RUN_ENDS_WORKER,
          { guard: 'isSpentAlone', target: 'stopping', actions: ['noteEnd', 'noteDone'] },
          { guard: 'backsOff', target: 'backingOff', actions: 'noteEnd' },
          { guard: 'nextMayBegin', target: '.triggered', actions: ['noteEnd', ...RUN_NEXT] },
          { target: 'idle', actions: 'noteEnd' },
        ],
        'worker.pause': 'paused',
      },
      states: {
        triggered: {
          on: {
            'run.began': 'running',
            'worker.trigger': { actions: skipOne('coalesced') },
          },
        },
        running: {
          on: {
            'worker.trigger': [
              { guard: 'isSpent', actions: skipOne('spent') },
              { guard: 'isForcedAgain', actions: skipOne('coalesced') },
              { guard: 'isForced', actions: 'noteTriggeredNext' },
              { guard: 'isBlocked', actions: SKIP_BLOCKED },
              { guard: 'dropsWhileBusy', actions: skipOne('busy') },
              { guard: 'keepsAllWhileBusy', actions: 'oweOne' },
              { guard: 'isNextTaken', actions: skipOne('coalesced') },
              { actions: 'noteTriggeredNext' },
            ],
          },
        },
      },
    },
    paused: {
      entry: announce('paused'),
      on: {
        ...WHILE_PAUSED,
        'worker.resume': [
          // Whether its handler has begun is not looked at: a trigger now is one for a busy worker.
          { guard: 'hasLive', target: 'active.running', actions: announce('resumed') },
          { guard: 'hasNext', target: 'active', actions: [announce('resumed'), ...RUN_NEXT] },
          { target: 'idle', actions: announce('resumed') },
        ],
      },
    },
    backingOff: {
      entry: 'armBackoff',
      exit: 'disarm',
      on: {
        'timer.backoff': [{ guard: 'hasNext', target: 'active', actions: [...RUN_NEXT] }, { target: 'idle' }],
        'worker.trigger': [
          { guard: 'isForced', target: 'active', actions: [...RUN] },
          { guard: 'isBlocked', actions: SKIP_BLOCKED },
          { guard: 'isNextTaken', actions: skipOne('coalesced') },
          // It waits for its turn: the failure, not the trigger, is what holds it up.
          { actions: 'noteTriggeredNext' },
        ],
        'worker.pause': 'paused',
      },
    },
    stopping: stoppingState,
  },
})
