/**
 * A worker that runs again and again in one slot, and yields the event loop between its runs.
 *
 * - `stopped`: no life; `failed`: the last one failed.
 * - `starting`: the hook `beforeStart` is under way.
 * - `waiting`: yields; its next run begins with the next turn of the event loop.
 * - `idle`: its condition does not hold, or its definition is disabled: waits until that changes.
 * - `active`: a run is live.
 * - `paused`: begins no run; what is live goes on.
 * - `backingOff`: after a failure, unless `onFailure` says otherwise.
 * - `stopping`: no run begins any more; see worker-life.ts.
 */
import {
  announce,
  BEGIN_SERVICE,
  failedState,
  RUN_ENDS_WORKER,
  SKIP_BLOCKED,
  startingState,
  startRun,
  stoppedState,
  stoppingState,
  unbornWorker,
  WORKER_COMMANDS,
  workerSetup,
} from './worker-life.ts'

const ARM = { type: 'armTick', params: { after: 'end' } } as const

export const plainWorkerMachine = workerSetup.createMachine({
  id: 'plainWorker',
  context: unbornWorker,
  initial: 'stopped',
  on: WORKER_COMMANDS,
  states: {
    stopped: stoppedState,
    failed: failedState,
    starting: startingState({ target: 'waiting', actions: [...BEGIN_SERVICE] }),
    waiting: {
      entry: ARM,
      exit: 'disarm',
      on: {
        'timer.tick': [
          { guard: 'isDisabled', target: 'idle', actions: SKIP_BLOCKED },
          { guard: 'isBlocked', target: 'idle' },
          { target: 'active', actions: ['noteRun', startRun('loop')] },
        ],
        'worker.pause': 'paused',
      },
    },
    idle: {
      on: {
        'worker.trigger': { target: 'active', actions: ['noteRun', startRun('condition')] },
        'worker.pause': 'paused',
      },
    },
    active: {
      on: {
        'run.ended': [
          ...RUN_ENDS_WORKER,
          { guard: 'isSpent', target: 'stopping', actions: ['noteEnd', 'noteDone'] },
          { guard: 'backsOff', target: 'backingOff', actions: 'noteEnd' },
          { target: 'waiting', actions: 'noteEnd' },
        ],
        'worker.pause': 'paused',
      },
    },
    paused: {
      entry: announce('paused'),
      on: {
        'run.ended': [
          ...RUN_ENDS_WORKER,
          { guard: 'isSpent', target: 'stopping', actions: ['noteEnd', 'noteDone'] },
          { actions: 'noteEnd' },
        ],
        'worker.resume': [
          { guard: 'hasLive', target: 'active', actions: announce('resumed') },
          { target: 'waiting', actions: announce('resumed') },
        ],
      },
    },
    backingOff: {
      entry: 'armBackoff',
      exit: 'disarm',
      on: { 'timer.backoff': 'waiting', 'worker.pause': 'paused' },
    },
    stopping: stoppingState,
  },
})
