/**
 * A worker that runs once for each item of a queue, `concurrency` at a time.
 *
 * - `stopped`: no life; `failed`: the last one failed. Items that wait are kept.
 * - `starting`: the hook `beforeStart` is under way.
 * - `idle`: no item waits.
 * - `active`: runs are live. When one ends, the next item begins.
 * - `paused`: no item begins; items are accepted all the same. What is live goes on.
 * - `backingOff`: after a failure, with `onFailure: 'backOff'`. Items are kept.
 * - `stopping`: as in worker-life.ts, but `draining` begins the items that wait, unless they are to be handed back, no
 *   slots are given, or the worker ends for another reason than that it was asked to; then `finishing` lets the runs end
 *   that have begun.
 *
 * The items themselves are in a buffer outside (actors/item-buffer.ts), which is authoritative for their number:
 * `item.ready` says that one waits, `more` in `run.ended` that another one does, `pullItems` asks for as many
 * `item.ready` as there are items and places. The machine is authoritative for how many begin.
 */
import { assign } from 'xstate'
import {
  announce,
  BEGIN_SERVICE,
  failedState,
  RUN_ENDS_WORKER,
  startingState,
  startRun,
  stoppedState,
  stoppingState,
  unbornWorker,
  WORKER_COMMANDS,
  workerSetup,
} from './worker-life.ts'
import type { WorkerContext } from './worker-model.ts'

const queueSetup = workerSetup.extend({
  guards: {
    hasPlace: ({ context }) => hasPlace(context, context.live),
    /** What mostly happens: looked at first. */
    isWellAndNextMayBegin: ({ context, event }) =>
      event.type === 'run.ended' &&
      event.end === 'ok' &&
      event.more === true &&
      hasPlace(context, context.live - 1),
    /** The place of the run that ends is for the item that waits. */
    nextItemMayBegin: ({ context, event }) =>
      event.type === 'run.ended' && event.more === true && hasPlace(context, context.live - 1),
    /** Others may be live: all wait for the backoff. */
    queueBacksOff: ({ context, event }) =>
      event.type === 'run.ended' && event.end === 'failed' && context.settings.onFailure === 'backOff',
    drains: ({ context, event }) =>
      context.settings.onStop === 'drain' &&
      context.exit.kind === 'stopped' &&
      event.type === 'hook.done' &&
      event.slots !== 'held',
  },
  actions: {
    openSource: () => {},
    closeSource: () => {},
    pullItems: () => {},
    /** The run that was to begin has found no item. */
    forgetRun: assign(({ context: { live, left } }) => ({ live: live - 1, left: left + 1 })),
    /**
     * `noteEnd` and `noteRun` in one, for what a queue mostly does: the place goes to the next item. A whole context
     * is merged several times as fast as a part.
     */
    noteNextRun: assign(({ context, event }) => ({
      ...context,
      left: context.left - 1,
      runs: context.runs + 1,
      failures: event.type === 'run.ended' && event.end === 'failed' ? context.failures + 1 : 0,
    })),
    noteConcurrency: assign(({ context: { settings }, event }) =>
      event.type === 'queue.resize' ? { settings: { ...settings, concurrency: event.concurrency } } : {},
    ),
  },
})

/** @param live - runs beside the one that would begin */
function hasPlace({ settings, left }: WorkerContext, live: number): boolean {
  return left > 0 && live < settings.concurrency
}

const RUN = ['noteRun', startRun('item')] as const
const NEXT_RUN = ['noteNextRun', startRun('item')] as const
const ENDED = { target: 'stopping', actions: ['noteEnd', 'noteDone'] } as const
const SOURCE_FAILED = { target: 'stopping', actions: 'noteFailure' } as const
/** The source has ended while no item begins. */
const SOURCE_ENDED = [
  { guard: 'noneLive', target: 'stopping', actions: 'noteDone' },
  { actions: 'noteSpent' },
] as const
const REST = {
  'item.gone': { actions: 'forgetRun' },
  'run.ended': [...RUN_ENDS_WORKER, { guard: 'isSpentAlone', ...ENDED }, { actions: 'noteEnd' }],
  'schedule.ended': SOURCE_ENDED,
  'source.failed': SOURCE_FAILED,
} as const

const { states: stopping, ...stoppingRoot } = stoppingState

export const queueWorkerMachine = queueSetup.createMachine({
  id: 'queueWorker',
  context: unbornWorker,
  initial: 'stopped',
  on: { ...WORKER_COMMANDS, 'queue.resize': { actions: 'noteConcurrency' } },
  states: {
    stopped: stoppedState,
    failed: failedState,
    starting: startingState({ target: 'idle', actions: [...BEGIN_SERVICE, 'openSource', 'pullItems'] }),
    idle: {
      on: {
        'item.ready': { guard: 'hasPlace', target: 'active', actions: [...RUN] },
        'schedule.ended': { target: 'stopping', actions: 'noteDone' },
        'source.failed': SOURCE_FAILED,
        'worker.pause': 'paused',
      },
    },
    active: {
      on: {
        'item.ready': { guard: 'hasPlace', actions: [...RUN] },
        'item.gone': [{ guard: 'isAlone', target: 'idle', actions: 'forgetRun' }, { actions: 'forgetRun' }],
        'run.ended': [
          { guard: 'isWellAndNextMayBegin', actions: [...NEXT_RUN] },
          ...RUN_ENDS_WORKER,
          { guard: 'isSpentAlone', ...ENDED },
          { guard: 'queueBacksOff', target: 'backingOff', actions: 'noteEnd' },
          { guard: 'nextItemMayBegin', actions: [...NEXT_RUN] },
          { guard: 'isAlone', target: 'idle', actions: 'noteEnd' },
          { actions: 'noteEnd' },
        ],
        'schedule.ended': { actions: 'noteSpent' },
        'source.failed': SOURCE_FAILED,
        'queue.resize': { actions: ['noteConcurrency', 'pullItems'] },
        'worker.pause': 'paused',
      },
    },
    paused: {
      entry: announce('paused'),
      on: {
        ...REST,
        'worker.resume': [
          { guard: 'hasLive', target: 'active', actions: [announce('resumed'), 'pullItems'] },
          { target: 'idle', actions: [announce('resumed'), 'pullItems'] },
        ],
      },
    },
    backingOff: {
      entry: 'armBackoff',
      exit: 'disarm',
      on: {
        ...REST,
        'timer.backoff': [
          { guard: 'hasLive', target: 'active', actions: 'pullItems' },
          { target: 'idle', actions: 'pullItems' },
        ],
        'worker.pause': 'paused',
      },
    },
    stopping: {
      ...stoppingRoot,
      entry: ['disarm', 'closeSource'],
      on: { ...stoppingRoot.on, 'item.gone': { actions: 'forgetRun' } },
      states: {
        calling: {
          ...stopping.calling,
          on: { 'hook.done': [{ guard: 'drains', target: 'draining' }, { target: 'finishing' }] },
        },
        draining: {
          entry: 'pullItems',
          on: {
            'item.ready': [
              { guard: 'hasPlace', actions: [...RUN] },
              { guard: 'noneLive', target: 'closing' },
            ],
            'queue.resize': { actions: ['noteConcurrency', 'pullItems'] },
            'items.none': { guard: 'noneLive', target: 'closing' },
            'item.gone': [
              { guard: 'isAlone', target: 'closing', actions: 'forgetRun' },
              { actions: 'forgetRun' },
            ],
            'run.ended': [
              { guard: 'saidLast', target: 'finishing', actions: 'noteEnd' },
              { guard: 'failsWorker', target: 'finishing', actions: 'noteEnd' },
              { guard: 'nextItemMayBegin', actions: [...NEXT_RUN] },
              { guard: 'isAlone', target: 'closing', actions: 'noteEnd' },
              { actions: 'noteEnd' },
            ],
          },
        },
        finishing: stopping.finishing,
        ending: stopping.ending,
        closing: stopping.closing,
        killing: stopping.killing,
      },
    },
  },
})
