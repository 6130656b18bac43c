/**
 * The life of one run, from submission to its one terminal state.
 *
 * ```
 * created → scheduled → queued → running → finished | failed | cancelled | terminated
 *                          ↑        │
 *                          └─ retrying, snoozed
 * ```
 *
 * - `created`: made, not yet accepted. Transitory.
 * - `scheduled`: waits for its delay or instant. Holds no slot.
 * - `queued`: waits for a slot in its band; the queue clocks run and start again at every return.
 * - `running.starting`: admitted: it holds a slot, the handler has not begun (a thread or process may
 *   still be loading its module).
 * - `running.executing`: the handler runs; the run clock counts from here.
 * - `running.stopping.signalled | probing | terminating | killing`: the stop ladder. What the handler still
 *   returns is dropped. A run on the supervisor's own loop cannot be killed: after the grace it is
 *   abandoned, which ends it here while the handler may go on, fenced; a kill signals it first if nobody has,
 *   and leaves it no grace. One on a loop in a thread of its own shares it with others: it is `probing` whether
 *   that loop still turns. If so it is abandoned, too; if nothing in the thread can go on, the thread is ended.
 * - `retrying` / `snoozed`: waits to be queued again, after a failed attempt / by the handler's wish.
 *   Holds no slot.
 * - `finished`, `failed`, `cancelled`, `terminated`: the outcome is in `context.outcome`.
 *
 * The machine is authoritative for the state and the outcome. Time and chance come in with events:
 * timers are armed by named actions and come back as `timer.*`, a failure says in `retryInMs` after
 * how long it may be tried again. Attempts are fenced by whoever delivers `attempt.*`: only those of
 * the attempt that runs now may reach the machine.
 */
import { assign, setup } from 'xstate'
import type { Outcome, StopCause, StopStep } from './model.ts'
import type { TaskContext, TaskEvent, TaskFact, TaskInput } from './task-model.ts'
import { isCancelled, isOnOwnLoop, isShorterGrace, isTimedOut, toOutcome } from './task-stop.ts'

const NEXT_BAND = { low: 'normal', normal: 'high', high: 'high', critical: 'critical' } as const

const effect = (): void => {}
const ABANDON = [{ type: 'noteStep', params: { step: 'abandon' } }, 'abandonAttempt', 'concludeStop'] as const

const definition = setup({
  types: {
    context: {} as TaskContext,
    events: {} as TaskEvent,
    input: {} as TaskInput,
    output: {} as Outcome,
  },
  guards: {
    isDelayed: ({ event }) => event.type === 'task.submit' && event.delayMs > 0,
    attemptMayRepeat: ({ context, event }) =>
      'retryInMs' in event && event.retryInMs !== undefined && context.attempt < context.attempts,
    canAge: ({ context }) => context.band === 'low' || context.band === 'normal',
    notWarned: ({ context }) => context.alarms === 0,
    notCritical: ({ context }) => context.alarms < 2,
    isOnOwnLoop: ({ context }) => isOnOwnLoop(context),
    isOnOwnLoopAndCancelled: ({ context }) => isCancelled(context) && isOnOwnLoop(context),
    isOnNamedLoop: ({ context }) => context.loop !== undefined,
    isOnNamedLoopAndGivesWay: ({ context }) => context.loop !== undefined && isTimedOut(context),
    loopAnswered: ({ event }) => event.type === 'timer.probe' && event.answered,
    loopAnsweredAndIsCancelled: ({ context, event }) =>
      event.type === 'timer.probe' && event.answered && isCancelled(context),
    isInProcess: ({ context }) => context.execution === 'process',
    isCancelled: ({ context }) => isCancelled(context),
    stopMayRepeat: ({ context }) => isTimedOut(context) && context.delayMs >= 0,
    /** A run that would be tried again gives way to whoever wants it to end for good. */
    stopGivesWay: ({ context }) => isTimedOut(context),
    stopGivesWayAtOnce: ({ context, event }) => isTimedOut(context) && isShorterGrace(context, event),
    graceGetsShorter: ({ context, event }) => isShorterGrace(context, event),
  },
  actions: {
    armWakeUp: effect,
    armQueueTimers: effect,
    startRunClock: effect,
    armRunTimers: effect,
    armGrace: effect,
    armKillBound: effect,
    armProbeBound: effect,
    disarmTimers: effect,
    enqueue: effect,
    dequeue: effect,
    requeue: effect,
    startAttempt: effect,
    signalAttempt: effect,
    probeLoop: effect,
    terminateAttempt: effect,
    killAttempt: effect,
    abandonAttempt: effect,
    releaseSlot: effect,
    adoptCall: effect,
    announce: (_, _params: { fact: TaskFact }) => {},
    settle: effect,

    takeDelay: assign({
      delayMs: ({ context, event }) => ('delayMs' in event ? event.delayMs : context.delayMs),
    }),
    resetAlarms: assign({ alarms: 0 }),
    raiseAlarm: assign({ alarms: (_, params: { alarm: number }) => params.alarm }),
    promote: assign({ band: ({ context }) => NEXT_BAND[context.band] }),
    beginAttempt: assign({ attempt: ({ context }) => context.attempt + 1 }),
    giveBackAttempt: assign({ attempt: ({ context }) => context.attempt - 1 }),
    beginStep: assign({
      attempt: 0,
      attempts: ({ context, event }) =>
        event.type === 'attempt.continued' ? event.attempts : context.attempts,
      execution: ({ context, event }) =>
        event.type === 'attempt.continued' ? event.execution : context.execution,
      loop: ({ context, event }) => (event.type === 'attempt.continued' ? event.loop : context.loop),
    }),
    noteFailure: assign({
      lastFailure: ({ context, event }) =>
        event.type === 'attempt.failed' ? { kind: event.kind, error: event.error } : context.lastFailure,
      delayMs: ({ event }) => (event.type === 'attempt.failed' ? (event.retryInMs ?? 0) : 0),
    }),
    noteCancel: assign({
      stop: ({ event }): StopCause => ({
        by: 'cancel',
        reason: event.type === 'task.cancel' ? event.reason : undefined,
      }),
    }),
    noteTermination: assign({
      stop: ({ context, event }): StopCause | undefined =>
        event.type === 'task.terminate'
          ? { by: 'terminate', reason: event.reason, detail: event.detail }
          : context.stop,
      graceMs: ({ event }) => (event.type === 'task.terminate' ? event.graceMs : undefined),
    }),
    /** The grace that is under way goes on. */
    noteNewCause: assign({
      stop: ({ context, event }): StopCause | undefined =>
        event.type === 'task.terminate'
          ? { by: 'terminate', reason: event.reason, detail: event.detail }
          : context.stop,
    }),
    noteShorterGrace: assign({
      graceMs: ({ context, event }) => (event.type === 'task.terminate' ? event.graceMs : context.graceMs),
    }),
    noteQueueTimeout: assign({ stop: { by: 'terminate', reason: 'queueTimeout' } }),
    noteDeadline: assign({ stop: { by: 'terminate', reason: 'deadline' } }),
    noteHardStop: assign({ stop: { by: 'terminate', reason: 'stop' }, graceMs: 0 }),
    noteRunTimeout: assign({
      stop: { by: 'terminate', reason: 'runTimeout' },
      // A negative delay says that the timed-out attempt is the last one.
      delayMs: ({ context, event }) =>
        event.type === 'timer.runTimeout' &&
        event.retryInMs !== undefined &&
        context.attempt < context.attempts
          ? event.retryInMs
          : -1,
    }),
    noteStep: assign({ step: (_, params: { step: StopStep }) => params.step }),
    forgetStop: assign({
      lastFailure: ({ context }) =>
        context.stop === undefined ? context.lastFailure : { kind: 'runTimeout' as const, error: undefined },
      stop: undefined,
      graceMs: undefined,
      step: 'none',
    }),
    concludeValue: assign({
      outcome: ({ event }): Outcome | undefined =>
        event.type === 'attempt.returned' ? { kind: 'finished', value: event.value } : undefined,
    }),
    concludeSkip: assign({
      outcome: ({ event }): Outcome | undefined =>
        event.type === 'attempt.skipped'
          ? { kind: 'finished', value: undefined, skipped: event.reason }
          : undefined,
    }),
    concludeFailure: assign({
      outcome: ({ event }): Outcome | undefined =>
        event.type === 'attempt.failed'
          ? { kind: 'failed', failure: { kind: event.kind, error: event.error } }
          : undefined,
    }),
    concludeExpiry: assign({ outcome: { kind: 'failed', failure: { kind: 'expired', error: undefined } } }),
    concludeStop: assign({ outcome: ({ context }) => toOutcome(context) }),
  },
})

/** The statechart of one run. Pure: every effect is a named action (see `TaskEffect` in task-model.ts). */
export const taskMachine = definition.createMachine({
  id: 'task',
  context: ({ input }) => ({
    name: input.name,
    band: input.priority,
    execution: input.execution,
    loop: input.loop,
    attempts: input.attempts,
    attempt: input.attempt ?? 0,
    delayMs: 0,
    alarms: 0,
    graceMs: undefined,
    stop: undefined,
    step: 'none',
    lastFailure: undefined,
    outcome: undefined,
  }),
  initial: 'created',
  output: ({ context }) => context.outcome as Outcome,
  on: {
    'task.cancel': { target: '.cancelled', actions: ['noteCancel', 'concludeStop'] },
    'task.terminate': { target: '.terminated', actions: ['noteTermination', 'concludeStop'] },
    'task.kill': { target: '.terminated', actions: ['noteHardStop', 'concludeStop'] },
    'timer.deadline': { target: '.terminated', actions: ['noteDeadline', 'concludeStop'] },
  },
  states: {
    created: {
      on: {
        'task.submit': [
          { guard: 'isDelayed', target: 'scheduled', actions: 'takeDelay' },
          { target: 'queued' },
        ],
      },
    },
    scheduled: {
      entry: ['armWakeUp', { type: 'announce', params: { fact: 'scheduled' } }],
      exit: 'disarmTimers',
      on: {
        'timer.wakeUp': 'queued',
        'timer.expiry': { target: 'failed', actions: 'concludeExpiry' },
      },
    },
    queued: {
      entry: ['enqueue', 'armQueueTimers', { type: 'announce', params: { fact: 'queued' } }],
      exit: ['dequeue', 'disarmTimers'],
      on: {
        'task.admit': 'running',
        'timer.queueWarning': {
          guard: 'notWarned',
          actions: [
            { type: 'raiseAlarm', params: { alarm: 1 } },
            { type: 'announce', params: { fact: 'queueWarning' } },
            'armQueueTimers',
          ],
        },
        'timer.queueCritical': [
          {
            guard: 'notWarned',
            actions: [
              { type: 'raiseAlarm', params: { alarm: 2 } },
              { type: 'announce', params: { fact: 'queueWarning' } },
              { type: 'announce', params: { fact: 'queueCritical' } },
              'armQueueTimers',
            ],
          },
          {
            guard: 'notCritical',
            actions: [
              { type: 'raiseAlarm', params: { alarm: 2 } },
              { type: 'announce', params: { fact: 'queueCritical' } },
              'armQueueTimers',
            ],
          },
        ],
        'timer.aged': { guard: 'canAge', actions: ['promote', 'requeue', 'armQueueTimers'] },
        'timer.queueTimeout': { target: 'terminated', actions: ['noteQueueTimeout', 'concludeStop'] },
        'timer.expiry': { target: 'failed', actions: 'concludeExpiry' },
      },
    },
    running: {
      initial: 'starting',
      entry: ['beginAttempt', 'startAttempt', { type: 'announce', params: { fact: 'admitted' } }],
      exit: ['releaseSlot', 'disarmTimers'],
      on: {
        'attempt.returned': { target: 'finished', actions: 'concludeValue' },
        'attempt.skipped': { target: 'finished', actions: 'concludeSkip' },
        'attempt.snoozed': { target: 'snoozed', actions: ['giveBackAttempt', 'takeDelay'] },
        'attempt.continued': { target: 'queued', actions: ['beginStep', 'resetAlarms', 'adoptCall'] },
        'attempt.failed': [
          { guard: 'attemptMayRepeat', target: 'retrying', actions: 'noteFailure' },
          { target: 'failed', actions: ['noteFailure', 'concludeFailure'] },
        ],
        'task.cancel': { target: '.stopping', actions: 'noteCancel' },
        'task.terminate': { target: '.stopping', actions: 'noteTermination' },
        'task.kill': [
          { guard: 'isOnOwnLoop', target: '.stopping', actions: 'noteHardStop' },
          {
            guard: 'isOnNamedLoop',
            target: '.stopping.probing',
            actions: ['noteHardStop', { type: 'noteStep', params: { step: 'signal' } }, 'signalAttempt'],
          },
          { target: '.stopping.killing', actions: 'noteHardStop' },
        ],
        'timer.deadline': { target: '.stopping', actions: 'noteDeadline' },
      },
      states: {
        starting: {
          entry: 'armRunTimers',
          on: { 'attempt.started': 'executing' },
        },
        executing: {
          entry: ['startRunClock', 'armRunTimers', { type: 'announce', params: { fact: 'started' } }],
          on: { 'timer.runTimeout': { target: 'stopping', actions: 'noteRunTimeout' } },
        },
        stopping: {
          initial: 'signalled',
          on: {
            // Whatever the attempt still says only tells that it has ended.
            'attempt.*': [
              { guard: 'isCancelled', target: '#task.cancelled', actions: 'concludeStop' },
              { guard: 'stopMayRepeat', target: '#task.retrying' },
              { target: '#task.terminated', actions: 'concludeStop' },
            ],
            'attempt.started': {},
            // The empty transitions keep these events from starting the ladder anew one level up.
            'task.cancel': [{ guard: 'stopGivesWay', actions: 'noteCancel' }, {}],
            'task.terminate': [{ guard: 'stopGivesWay', actions: 'noteNewCause' }, {}],
            'timer.deadline': [{ guard: 'stopGivesWay', actions: 'noteDeadline' }, {}],
            'task.kill': [
              { guard: 'isOnOwnLoopAndCancelled', target: '#task.cancelled', actions: [...ABANDON] },
              { guard: 'isOnOwnLoop', target: '#task.terminated', actions: [...ABANDON] },
              { guard: 'isOnNamedLoopAndGivesWay', target: '.probing', actions: 'noteHardStop' },
              { guard: 'isOnNamedLoop', target: '.probing' },
              { guard: 'stopGivesWay', target: '.killing', actions: 'noteHardStop' },
              { target: '.killing' },
            ],
          },
          states: {
            signalled: {
              entry: [{ type: 'noteStep', params: { step: 'signal' } }, 'signalAttempt', 'armGrace'],
              on: {
                // Only here is there a grace to shorten.
                'task.terminate': [
                  { guard: 'stopGivesWayAtOnce', actions: ['noteTermination', 'armGrace'] },
                  { guard: 'stopGivesWay', actions: 'noteNewCause' },
                  { guard: 'graceGetsShorter', actions: ['noteShorterGrace', 'armGrace'] },
                  {},
                ],
                'timer.grace': [
                  {
                    guard: 'isOnOwnLoopAndCancelled',
                    target: '#task.cancelled',
                    actions: [...ABANDON],
                  },
                  { guard: 'isOnOwnLoop', target: '#task.terminated', actions: [...ABANDON] },
                  { guard: 'isOnNamedLoop', target: 'probing' },
                  { guard: 'isInProcess', target: 'terminating' },
                  { target: 'killing' },
                ],
              },
            },
            probing: {
              entry: ['probeLoop', 'armProbeBound'],
              on: {
                'task.kill': [{ guard: 'stopGivesWay', actions: 'noteHardStop' }, {}],
                'loop.answered': [
                  { guard: 'isCancelled', target: '#task.cancelled', actions: [...ABANDON] },
                  { target: '#task.terminated', actions: [...ABANDON] },
                ],
                'timer.probe': [
                  { guard: 'loopAnsweredAndIsCancelled', target: '#task.cancelled', actions: [...ABANDON] },
                  { guard: 'loopAnswered', target: '#task.terminated', actions: [...ABANDON] },
                  { target: 'killing' },
                ],
              },
            },
            terminating: {
              entry: [
                { type: 'noteStep', params: { step: 'terminate' } },
                'terminateAttempt',
                'armKillBound',
              ],
              on: { 'timer.killBound': 'killing' },
            },
            killing: {
              entry: [{ type: 'noteStep', params: { step: 'kill' } }, 'killAttempt', 'armKillBound'],
              on: {
                'task.kill': [{ guard: 'stopGivesWay', actions: 'noteHardStop' }, {}],
                // The thread sits in a native call: the run ends now, the thread when the call returns.
                'timer.killBound': [
                  { guard: 'isCancelled', target: '#task.cancelled', actions: 'concludeStop' },
                  { guard: 'stopMayRepeat', target: '#task.retrying' },
                  { target: '#task.terminated', actions: 'concludeStop' },
                ],
              },
            },
          },
        },
      },
    },
    retrying: {
      entry: ['forgetStop', 'armWakeUp', { type: 'announce', params: { fact: 'retrying' } }],
      exit: 'disarmTimers',
      on: {
        'timer.wakeUp': { target: 'queued', actions: 'resetAlarms' },
        'timer.expiry': { target: 'failed', actions: 'concludeExpiry' },
      },
    },
    snoozed: {
      entry: ['armWakeUp', { type: 'announce', params: { fact: 'snoozed' } }],
      exit: 'disarmTimers',
      on: {
        'timer.wakeUp': { target: 'queued', actions: 'resetAlarms' },
        'timer.expiry': { target: 'failed', actions: 'concludeExpiry' },
      },
    },
    finished: { type: 'final', entry: 'settle' },
    failed: { type: 'final', entry: 'settle' },
    cancelled: { type: 'final', entry: 'settle' },
    terminated: { type: 'final', entry: 'settle' },
  },
})
