/**
 * The life that every worker has, whatever its kind: shared guards, actions and states. A kind adds what it
 * does between `starting` and `stopping`; see interval-worker.ts, event-worker.ts, plain-worker.ts.
 *
 * ```
 * stopped → starting → (idle | waiting | active | paused | backingOff) → stopping → stopped | failed
 * ```
 *
 * - `stopped`: no life. `worker.start` begins one. `failed`: the same, after a failure.
 * - `starting`: the hook `beforeStart` is under way.
 * - `idle`: waits to be triggered. `waiting`: waits for its time.
 * - `active`: a run is live.
 * - `paused`: begins no run; what is live goes on.
 * - `backingOff`: waits after a failed run.
 * - `stopping.calling`: the hook `beforeStop` is under way; no run begins any more.
 * - `stopping.draining`: live runs end by themselves, also those that wait for a slot: the supervisor works off what is
 *   queued. `stopping.finishing`: live runs end by themselves; those that wait for a slot have been ended, because a
 *   worker that ends begins nothing, and nobody knows when they would get one. `stopping.ending`: all were told to end.
 * - `stopping.closing`: no run is live; the hook `afterStop` is under way.
 * - `stopping.killing`: live runs are killed; no hook is waited for.
 *
 * Held on every edge (test/model/worker-invariants.ts): a run is counted from `startRun` to its own `run.ended`,
 * so no policy ever sees fewer live runs than there are; every state accepts stop, hurry and kill; a life has
 * exactly one `reportExit`, when nothing is live; never more than `times` runs begin.
 */
import { assign, setup } from 'xstate'
import { forgottenOf, owedFor } from './missed.ts'
import { onOverlap } from './overlap.ts'
import type {
  RunCause,
  SkipReason,
  TickOccasion,
  WorkerContext,
  WorkerEvent,
  WorkerFact,
  WorkerSettings,
} from './worker-model.ts'

const effect = (): void => {}

export const WORKER_DEFAULTS: WorkerSettings = {
  overlap: 'skip',
  missed: 'skip',
  whileBusy: 'once',
  onFailure: 'continue',
  times: Number.POSITIVE_INFINITY,
  concurrency: 1,
  onStop: 'drain',
}

/** The context of a worker that has not lived yet. */
export const unbornWorker: WorkerContext = {
  settings: WORKER_DEFAULTS,
  live: 0,
  owed: 0,
  next: undefined,
  skips: 0,
  left: Number.POSITIVE_INFINITY,
  runs: 0,
  failures: 0,
  exit: { kind: 'stopped' },
}

const failedRun = (event: WorkerEvent): boolean => event.type === 'run.ended' && event.end === 'failed'
const failuresAfter = (failures: number, event: WorkerEvent): number => {
  if (event.type !== 'run.ended' || event.end === 'other') return failures
  return event.end === 'ok' || event.end === 'last' ? 0 : failures + 1
}
const overlapIs =
  (act: ReturnType<typeof onOverlap>) =>
  ({ context: { settings, live, next } }: { context: WorkerContext }): boolean =>
    onOverlap(settings.overlap, live, next !== undefined) === act

/** Guards and actions of all kinds. `live` in a guard of `run.ended` still counts the run that ends. */
export const workerSetup = setup({
  types: { context: {} as WorkerContext, events: {} as WorkerEvent },
  guards: {
    isBlocked: ({ event }) =>
      (event.type === 'timer.tick' || event.type === 'timer.missed' || event.type === 'worker.trigger') &&
      event.block !== undefined,
    isDisabled: ({ event }) => event.type === 'timer.tick' && event.block === 'disabled',
    isForced: ({ event }) => event.type === 'worker.trigger' && event.force,
    isForcedAgain: ({ context, event }) =>
      event.type === 'worker.trigger' && event.force && context.next !== undefined,
    mayOverlapForced: ({ context, event }) =>
      event.type === 'worker.trigger' && event.force && context.settings.overlap === 'allow',
    /** No further run may begin in this life. */
    isSpent: ({ context }) => context.left === 0,
    skipsOne: ({ context }) => context.skips > 0,
    owesForMissed: ({ context: { settings, left } }) => settings.missed !== 'skip' && left > 0,
    hasNext: ({ context: { next, owed, left } }) => (next !== undefined || owed > 0) && left > 0,
    /** The run that ends makes room for the one that waits. */
    nextMayBegin: ({ context: { settings, live, next, owed, left } }) =>
      (next !== undefined || owed > 0) && left > 0 && (live === 1 || settings.overlap === 'allow'),
    isNextTaken: ({ context }) => context.next !== undefined,
    hasLive: ({ context }) => context.live > 0,
    noneLive: ({ context }) => context.live === 0,
    isAlone: ({ context }) => context.live === 1,
    mayOverlap: ({ context }) => context.settings.overlap === 'allow',
    overlapBuffers: overlapIs('buffer'),
    overlapCancels: overlapIs('cancel'),
    overlapTerminates: overlapIs('terminate'),
    dropsWhileBusy: ({ context }) => context.settings.whileBusy === 'drop',
    keepsAllWhileBusy: ({ context }) => context.settings.whileBusy === 'all',
    saidLast: ({ event }) => event.type === 'run.ended' && event.end === 'last',
    failsWorker: ({ context, event }) =>
      (event.type === 'run.ended' && event.end === 'fatal') ||
      (failedRun(event) && context.settings.onFailure === 'fail'),
    backsOff: ({ context, event }) =>
      failedRun(event) && context.settings.onFailure === 'backOff' && context.live === 1,
    /** The run that ends was the last that `times`, or its schedule, allows. */
    isSpentAlone: ({ context }) => context.left === 0 && context.live === 1,
    queueIsDrained: ({ event }) => event.type === 'hook.done' && event.slots === 'drained',
    hasFailed: ({ context }) => context.exit.kind === 'failed',
    hasFailedAndNoneLive: ({ context }) => context.exit.kind === 'failed' && context.live === 0,
  },
  actions: {
    callBeforeStart: effect,
    reportReady: effect,
    callBeforeStop: effect,
    callAfterStop: effect,
    reportExit: effect,
    armTick: (_, _params: { after: TickOccasion }) => {},
    armBackoff: effect,
    disarm: effect,
    startRun: (_, _params: { by: RunCause }) => {},
    cancelRuns: effect,
    terminateRuns: effect,
    endUnbegun: effect,
    signalRuns: effect,
    killRuns: effect,
    skip: (_, _params: { readonly reason: SkipReason; readonly count: number }) => {},
    announce: (_, _params: { fact: WorkerFact }) => {},
    beginLife: assign(({ event }) =>
      event.type === 'worker.start'
        ? { ...unbornWorker, settings: event.settings, left: event.settings.times }
        : {},
    ),
    /** A run begins. */
    noteRun: assign(({ context: { live, left } }) => ({ live: live + 1, left: left - 1 })),
    /** The run that waited begins. */
    takeNext: assign(({ context: { live, left, next, owed } }) => ({
      live: live + 1,
      left: left - 1,
      next: undefined,
      owed: next === undefined ? owed - 1 : owed,
    })),
    noteEnd: assign(({ context: { live, runs, failures }, event }) => ({
      live: live - 1,
      runs: runs + 1,
      failures: failuresAfter(failures, event),
    })),
    noteNext: assign({ next: 'schedule' }),
    noteTriggeredNext: assign({ next: 'trigger' }),
    oweOne: assign({ owed: ({ context }) => context.owed + 1 }),
    noteMissed: assign(({ context: { settings, owed }, event }) =>
      event.type === 'timer.missed' ? { owed: owedFor(settings.missed, owed, event.count) } : {},
    ),
    noteSkip: assign({ skips: ({ context }) => context.skips + 1 }),
    takeSkip: assign({ skips: ({ context }) => context.skips - 1 }),
    /** No further occurrence comes; what is owed still runs. */
    noteSpent: assign(({ context: { left, owed, next } }) => ({
      left: Math.min(left, owed + (next === undefined ? 0 : 1)),
    })),
    noteStop: assign({ exit: { kind: 'stopped' } }),
    noteDone: assign({ exit: { kind: 'done', output: undefined } }),
    noteFailure: assign(({ event }) =>
      event.type === 'run.ended' || event.type === 'worker.startFailed' || event.type === 'source.failed'
        ? { exit: { kind: 'failed', error: event.error } }
        : {},
    ),
  },
})

/** Occurrences or triggers that came to nothing. */
export interface Skipped {
  readonly reason: SkipReason
  readonly count: number
}

/** What was skipped because something keeps the worker from running: its condition, or a disabled definition. */
export const SKIP_BLOCKED = {
  type: 'skip',
  params: ({ event }: { event: WorkerEvent }): Skipped => ({
    reason: ('block' in event ? event.block : undefined) ?? 'condition',
    count: event.type === 'timer.missed' ? event.count : 1,
  }),
} as const

/** Missed occurrences that nobody makes up for. Stands before `noteMissed`. */
export const SKIP_MISSED = {
  type: 'skip',
  params: ({
    context: { settings, owed },
    event,
  }: {
    context: WorkerContext
    event: WorkerEvent
  }): Skipped => ({
    reason: 'missed',
    count: event.type === 'timer.missed' ? forgottenOf(settings.missed, owed, event.count) : 0,
  }),
} as const

export function skipOne(reason: SkipReason): { readonly type: 'skip'; readonly params: Skipped } {
  return { type: 'skip', params: { reason, count: 1 } }
}

export function startRun(by: RunCause): { readonly type: 'startRun'; readonly params: { by: RunCause } } {
  return { type: 'startRun', params: { by } }
}

export function announce(fact: WorkerFact): {
  readonly type: 'announce'
  readonly params: { fact: WorkerFact }
} {
  return { type: 'announce', params: { fact } }
}

/** The run whose turn it is begins. Stands before `takeNext`. */
export const START_NEXT = {
  type: 'startRun',
  params: ({ context }: { context: WorkerContext }): { by: RunCause } => ({ by: context.next ?? 'missed' }),
} as const

/** Ends that a run brings about in every state with live runs. First among the candidates of `run.ended`. */
export const RUN_ENDS_WORKER = [
  { guard: 'saidLast', target: '#stopping', actions: ['noteEnd', 'noteDone'] },
  { guard: 'failsWorker', target: '#stopping', actions: ['noteEnd', 'noteFailure'] },
] as const

/** What a paused worker answers to the end of a run, and to a trigger. */
export const WHILE_PAUSED = {
  'run.ended': [
    ...RUN_ENDS_WORKER,
    { guard: 'isSpentAlone', target: '#stopping', actions: ['noteEnd', 'noteDone'] },
    { actions: 'noteEnd' },
  ],
  'worker.trigger': [
    { guard: 'isForcedAgain', actions: skipOne('coalesced') },
    { guard: 'isForced', actions: 'noteTriggeredNext' },
    { actions: skipOne('paused') },
  ],
} as const

/** Transitions of the root: stop is accepted in every state. */
export const WORKER_COMMANDS = {
  'worker.stop': { target: '.stopping', actions: 'noteStop' },
  'worker.hurry': { target: '.stopping.ending', actions: 'noteStop' },
  'worker.kill': { target: '.stopping.killing', actions: 'noteStop' },
} as const

const NO_LIFE = {
  'worker.start': 'starting',
  'worker.stop': {},
  'worker.hurry': {},
  'worker.kill': {},
} as const

export const stoppedState = workerSetup.createStateConfig({ id: 'stopped', on: NO_LIFE })
export const failedState = workerSetup.createStateConfig({ id: 'failed', on: NO_LIFE })

/** Actions with which a life begins to serve: on the way out of `starting`. */
export const BEGIN_SERVICE = ['reportReady', announce('started')] as const

/**
 * `starting`, whose way out is the kind's own.
 *
 * @param ready - the transitions of `worker.ready`; their actions begin with {@link BEGIN_SERVICE}
 */
export function startingState<const Ready>(ready: Ready) {
  return {
    entry: ['beginLife', 'callBeforeStart'],
    on: {
      'worker.ready': ready,
      'worker.startFailed': { target: 'failed', actions: ['noteFailure', announce('failed'), 'reportExit'] },
      // The hook `beforeStart` may have opened what `afterStop` closes; nothing ran that could be drained.
      'worker.stop': { target: 'stopping.closing', actions: 'noteStop' },
      'worker.hurry': { target: 'stopping.closing', actions: 'noteStop' },
      'worker.pause': {},
    },
  } as const
}

const NONE_LIVE = { guard: 'noneLive', target: 'closing' } as const
const EXITS_FAILED = { target: '#failed', actions: [announce('failed'), 'reportExit'] } as const
const EXITS = { target: '#stopped', actions: [announce('stopped'), 'reportExit'] } as const

export const stoppingState = workerSetup.createStateConfig({
  id: 'stopping',
  initial: 'calling',
  entry: 'disarm',
  on: {
    'worker.stop': {},
    'worker.hurry': '.ending',
    'worker.kill': '.killing',
    'run.ended': { actions: 'noteEnd' },
  },
  states: {
    calling: {
      entry: 'callBeforeStop',
      on: { 'hook.done': [{ guard: 'queueIsDrained', target: 'draining' }, { target: 'finishing' }] },
    },
    draining: { always: NONE_LIVE },
    finishing: { entry: 'endUnbegun', always: NONE_LIVE },
    ending: { entry: 'signalRuns', always: NONE_LIVE, on: { 'worker.hurry': {} } },
    closing: {
      entry: 'callAfterStop',
      on: { 'hook.done': [{ guard: 'hasFailed', ...EXITS_FAILED }, EXITS], 'worker.hurry': {} },
    },
    killing: {
      entry: 'killRuns',
      always: [
        { guard: 'hasFailedAndNoneLive', ...EXITS_FAILED },
        { guard: 'noneLive', ...EXITS },
      ],
      on: { 'worker.hurry': {}, 'worker.kill': {} },
    },
  },
})
