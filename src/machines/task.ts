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
 * - `running.stopping.signalled | terminating | killing`: the stop ladder. What the handler still
 *   returns is dropped. A run on the supervisor's own loop cannot be killed: after the grace it is
 *   abandoned, which ends it here while the handler may go on, fenced.
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
import type { Outcome, StopStep } from './model.ts'
import type { TaskContext, TaskEvent, TaskFact, TaskInput } from './task-model.ts'

const NEXT_BAND = { low: 'normal', normal: 'high', high: 'high', critical: 'critical' } as const

const effect = (): void => {}
const ABANDON = [{ type: 'noteStep', params: { step: 'abandon' } }, 'abandonAttempt', 'concludeStop'] as const
const toOutcome = (context: TaskContext): Outcome => {
  const { stop, step } = context
  if (stop?.by === 'cancel') return { kind: 'cancelled', reason: stop.reason, step }
  if (stop?.by === 'terminate') {
    return { kind: 'terminated', reason: stop.reason, detail: stop.detail, step }
  }
  throw new Error(`Run ${context.runId} ended as stopped without a cause`)
}

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
    isOnOwnLoop: ({ context }) => context.execution === 'main' || context.execution === 'async',
    isOnOwnLoopAndCancelled: ({ context }) =>
      context.stop?.by === 'cancel' && (context.execution === 'main' || context.execution === 'async'),
    isInProcess: ({ context }) => context.execution === 'process',
    isCancelled: ({ context }) => context.stop?.by === 'cancel',
    stopMayRepeat: ({ context }) =>
      context.stop?.by === 'terminate' && context.stop.reason === 'runTimeout' && context.delayMs >= 0,
    /** A run that would be tried again gives way to whoever wants it to end for good. */
    stopGivesWay: ({ context }) => context.stop?.by === 'terminate' && context.stop.reason === 'runTimeout',
    graceGetsShorter: ({ context, event }) =>
      event.type === 'task.terminate' &&
      event.graceMs !== undefined &&
      (context.graceMs === undefined || event.graceMs < context.graceMs),
  },
  actions: {
    armWakeUp: effect,
    armQueueTimers: effect,
    armRunTimers: effect,
    armGrace: effect,
    armKillBound: effect,
    disarmTimers: effect,
    enqueue: effect,
    dequeue: effect,
    requeue: effect,
    startAttempt: effect,
    signalAttempt: effect,
    terminateAttempt: effect,
    killAttempt: effect,
    abandonAttempt: effect,
    releaseSlot: effect,
    adoptCall: effect,
    announce: (_, _params: { fact: TaskFact }) => {},
    settle: effect,

    takeDelay: assign(({ context, event }) =>
      'delayMs' in event ? { ...context, delayMs: event.delayMs } : context,
    ),
    resetAlarms: assign(({ context }) => (context.alarms === 0 ? context : { ...context, alarms: 0 })),
    raiseAlarm: assign(({ context }, params: { alarm: number }) => ({ ...context, alarms: params.alarm })),
    promote: assign(({ context }) => ({ ...context, band: NEXT_BAND[context.band] })),
    beginAttempt: assign(({ context }) => ({ ...context, attempt: context.attempt + 1 })),
    giveBackAttempt: assign(({ context, event }) => ({
      ...context,
      attempt: context.attempt - 1,
      delayMs: event.type === 'attempt.snoozed' ? event.delayMs : 0,
    })),
    beginStep: assign(({ context, event }) =>
      event.type === 'attempt.continued'
        ? { ...context, attempt: 0, attempts: event.attempts, execution: event.execution }
        : context,
    ),
    noteFailure: assign(({ context, event }) =>
      event.type === 'attempt.failed'
        ? {
            ...context,
            lastFailure: { kind: event.kind, error: event.error },
            delayMs: event.retryInMs ?? 0,
          }
        : context,
    ),
    noteCancel: assign(({ context, event }) => ({
      ...context,
      stop: { by: 'cancel' as const, reason: event.type === 'task.cancel' ? event.reason : undefined },
    })),
    noteTermination: assign(({ context, event }) =>
      event.type === 'task.terminate'
        ? {
            ...context,
            stop: { by: 'terminate' as const, reason: event.reason, detail: event.detail },
            graceMs: event.graceMs,
          }
        : context,
    ),
    noteShorterGrace: assign(({ context, event }) =>
      event.type === 'task.terminate' ? { ...context, graceMs: event.graceMs } : context,
    ),
    noteQueueTimeout: assign(({ context }) => ({
      ...context,
      stop: { by: 'terminate' as const, reason: 'queueTimeout' as const },
    })),
    noteDeadline: assign(({ context }) => ({
      ...context,
      stop: { by: 'terminate' as const, reason: 'deadline' as const },
    })),
    noteHardStop: assign(({ context }) =>
      context.stop === undefined
        ? { ...context, stop: { by: 'terminate' as const, reason: 'stop' as const }, graceMs: 0 }
        : context,
    ),
    // A negative delay says that the timed-out attempt is the last one.
    noteRunTimeout: assign(({ context, event }) => ({
      ...context,
      stop: { by: 'terminate' as const, reason: 'runTimeout' as const },
      delayMs:
        event.type === 'timer.runTimeout' &&
        event.retryInMs !== undefined &&
        context.attempt < context.attempts
          ? event.retryInMs
          : -1,
    })),
    noteStep: assign(({ context }, params: { step: StopStep }) => ({ ...context, step: params.step })),
    forgetStop: assign(({ context }) =>
      context.stop === undefined
        ? context
        : {
            ...context,
            stop: undefined,
            graceMs: undefined,
            step: 'none' as const,
            lastFailure: { kind: 'runTimeout' as const, error: undefined },
          },
    ),
    concludeValue: assign(({ context, event }) =>
      event.type === 'attempt.returned'
        ? { ...context, outcome: { kind: 'finished' as const, value: event.value } }
        : context,
    ),
    concludeSkip: assign(({ context, event }) =>
      event.type === 'attempt.skipped'
        ? {
            ...context,
            outcome: { kind: 'finished' as const, value: undefined, skipped: event.reason },
          }
        : context,
    ),
    concludeFailure: assign(({ context, event }) =>
      event.type === 'attempt.failed'
        ? {
            ...context,
            outcome: { kind: 'failed' as const, failure: { kind: event.kind, error: event.error } },
          }
        : context,
    ),
    concludeExpiry: assign(({ context }) => ({
      ...context,
      outcome: { kind: 'failed' as const, failure: { kind: 'expired' as const, error: undefined } },
    })),
    concludeStop: assign(({ context }) => ({ ...context, outcome: toOutcome(context) })),
  },
})

/** The statechart of one run. Pure: every effect is a named action (see `TaskEffect` in task-model.ts). */
export const taskMachine = definition.createMachine({
  id: 'task',
  context: ({ input }) => ({
    runId: input.runId,
    name: input.name,
    band: input.priority,
    execution: input.execution,
    attempts: input.attempts,
    attempt: 0,
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
      entry: ['resetAlarms', 'enqueue', 'armQueueTimers', { type: 'announce', params: { fact: 'queued' } }],
      exit: ['dequeue', 'disarmTimers'],
      on: {
        'task.admit': 'running',
        'timer.queueWarning': {
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
        'attempt.snoozed': { target: 'snoozed', actions: 'giveBackAttempt' },
        'attempt.continued': { target: 'queued', actions: ['beginStep', 'adoptCall'] },
        'attempt.failed': [
          { guard: 'attemptMayRepeat', target: 'retrying', actions: 'noteFailure' },
          { target: 'failed', actions: ['noteFailure', 'concludeFailure'] },
        ],
        'task.cancel': { target: '.stopping', actions: 'noteCancel' },
        'task.terminate': { target: '.stopping', actions: 'noteTermination' },
        'task.kill': [
          { guard: 'isOnOwnLoop', target: 'terminated', actions: ['noteHardStop', ...ABANDON] },
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
          entry: ['armRunTimers', { type: 'announce', params: { fact: 'started' } }],
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
            'task.terminate': [
              { guard: 'stopGivesWay', actions: ['noteTermination', 'armGrace'] },
              { guard: 'graceGetsShorter', actions: ['noteShorterGrace', 'armGrace'] },
              {},
            ],
            'timer.deadline': [{ guard: 'stopGivesWay', actions: 'noteDeadline' }, {}],
            'task.kill': [
              { guard: 'isOnOwnLoopAndCancelled', target: '#task.cancelled', actions: [...ABANDON] },
              { guard: 'isOnOwnLoop', target: '#task.terminated', actions: [...ABANDON] },
              { target: '.killing' },
            ],
          },
          states: {
            signalled: {
              entry: [{ type: 'noteStep', params: { step: 'signal' } }, 'signalAttempt', 'armGrace'],
              on: {
                'timer.grace': [
                  {
                    guard: 'isOnOwnLoopAndCancelled',
                    target: '#task.cancelled',
                    actions: [...ABANDON],
                  },
                  { guard: 'isOnOwnLoop', target: '#task.terminated', actions: [...ABANDON] },
                  { guard: 'isInProcess', target: 'terminating' },
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
      on: { 'timer.wakeUp': 'queued' },
    },
    snoozed: {
      entry: ['armWakeUp', { type: 'announce', params: { fact: 'snoozed' } }],
      exit: 'disarmTimers',
      on: { 'timer.wakeUp': 'queued' },
    },
    finished: { type: 'final', entry: 'settle' },
    failed: { type: 'final', entry: 'settle' },
    cancelled: { type: 'final', entry: 'settle' },
    terminated: { type: 'final', entry: 'settle' },
  },
})
