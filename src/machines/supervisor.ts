/**
 * The life of a supervisor.
 *
 * ```
 * idle → starting → running ⇄ paused → draining → stopping → stopped      (every state accepts stop)
 *             └→ failed
 * ```
 *
 * - `idle`: made, never started. Submissions wait as queued; nothing is admitted.
 * - `starting`: threads and processes are warmed, the task log is read.
 * - `running`: admits. `paused`: admits nothing, what runs goes on.
 * - `draining`: accepts no submission from outside; scheduled, retrying and snoozed runs are terminated,
 *   queued ones still run until the signal is due.
 * - `stopping.signalling`: queued runs are terminated, running ones were signalled and have their grace.
 * - `stopping.killing`: the bound has come: whatever still runs is killed or abandoned.
 * - `stopping.closing`: no run is live; threads and processes are ended.
 * - `stopped`: nothing is left. Can be started again. `failed`: could not start; the cause is in
 *   `context.error`. Can be started again, too.
 *
 * The machine is authoritative for the state of the whole; the task pool answers `pool.drained` when
 * no run is live. A second stop with a sooner bound escalates the one that is under way.
 */
import { assign, setup } from 'xstate'

/** The bounds of a stop as instants on the supervisor's monotonic clock (ms); infinite = never. */
export interface StopPlan {
  /** When the stop was asked for. */
  readonly at: number
  /** When running handlers are signalled and queued runs terminated. */
  readonly signalAt: number
  /** When whatever is left is killed. */
  readonly killAt: number
  /** Whether queued runs are terminated at once instead of run until the signal. */
  readonly endQueued: boolean
}

export interface SupervisorContext {
  readonly id: string
  readonly plan: StopPlan | undefined
  readonly error: unknown
}

export type SupervisorEvent =
  | { readonly type: 'supervisor.start' }
  | { readonly type: 'supervisor.ready' }
  | { readonly type: 'supervisor.startFailed'; readonly error: unknown }
  | { readonly type: 'supervisor.pause' }
  | { readonly type: 'supervisor.resume' }
  | { readonly type: 'supervisor.stop'; readonly plan: StopPlan }
  | { readonly type: 'pool.drained' }
  | { readonly type: 'supervisor.closed' }
  | { readonly type: 'timer.signal' }
  | { readonly type: 'timer.kill' }

export type SupervisorEffect =
  | 'prepare'
  | 'openAdmission'
  | 'holdAdmission'
  | 'endWaiting'
  | 'signalAll'
  | 'killAll'
  | 'closeExecutors'
  | 'armSignalTimer'
  | 'armKillTimer'
  | 'disarmTimers'
  | 'announce'

export type SupervisorFact = 'started' | 'paused' | 'resumed' | 'stopping' | 'stopped' | 'failed'

const effect = (): void => {}
const BEGIN_STOP = ['notePlan', { type: 'announce', params: { fact: 'stopping' } }] as const

/** The statechart of the supervisor. Pure: every effect is a named action (see {@link SupervisorEffect}). */
export const supervisorMachine = setup({
  types: {
    context: {} as SupervisorContext,
    events: {} as SupervisorEvent,
    input: {} as { readonly id: string },
  },
  guards: {
    signalIsDue: ({ event }) => event.type === 'supervisor.stop' && event.plan.signalAt <= event.plan.at,
    isSooner: ({ context, event }) =>
      event.type === 'supervisor.stop' &&
      context.plan !== undefined &&
      (event.plan.killAt < context.plan.killAt || event.plan.signalAt < context.plan.signalAt),
    endsMore: ({ context, event }) =>
      event.type === 'supervisor.stop' && event.plan.endQueued && context.plan?.endQueued === false,
  },
  actions: {
    prepare: effect,
    openAdmission: effect,
    holdAdmission: effect,
    endWaiting: effect,
    signalAll: effect,
    killAll: effect,
    closeExecutors: effect,
    armSignalTimer: effect,
    armKillTimer: effect,
    disarmTimers: effect,
    announce: (_, _params: { fact: SupervisorFact }) => {},
    notePlan: assign(({ event }) => (event.type === 'supervisor.stop' ? { plan: event.plan } : {})),
    /** An escalation only ever brings an instant nearer. */
    noteSoonerPlan: assign(({ context, event }) =>
      event.type === 'supervisor.stop' && context.plan !== undefined
        ? {
            plan: {
              at: event.plan.at,
              signalAt: Math.min(event.plan.signalAt, context.plan.signalAt),
              killAt: Math.min(event.plan.killAt, context.plan.killAt),
              endQueued: event.plan.endQueued || context.plan.endQueued,
            },
          }
        : {},
    ),
    noteError: assign(({ event }) => (event.type === 'supervisor.startFailed' ? { error: event.error } : {})),
    forget: assign({ plan: undefined, error: undefined }),
  },
}).createMachine({
  id: 'supervisor',
  context: ({ input }) => ({ id: input.id, plan: undefined, error: undefined }),
  initial: 'idle',
  on: {
    'supervisor.stop': [
      { guard: 'signalIsDue', target: '.stopping', actions: [...BEGIN_STOP] },
      { target: '.draining', actions: [...BEGIN_STOP] },
    ],
  },
  states: {
    idle: {
      on: {
        'supervisor.start': 'starting',
        // It never ran anything: what waits is terminated, not run for the first time by a stop.
        'supervisor.stop': { target: 'stopping', actions: [...BEGIN_STOP] },
      },
    },
    starting: {
      entry: ['forget', 'prepare'],
      on: {
        'supervisor.ready': { target: 'running', actions: { type: 'announce', params: { fact: 'started' } } },
        'supervisor.startFailed': { target: 'failed', actions: 'noteError' },
      },
    },
    running: {
      entry: 'openAdmission',
      on: { 'supervisor.pause': 'paused' },
    },
    paused: {
      entry: ['holdAdmission', { type: 'announce', params: { fact: 'paused' } }],
      on: {
        'supervisor.resume': {
          target: 'running',
          actions: { type: 'announce', params: { fact: 'resumed' } },
        },
      },
    },
    draining: {
      entry: ['armSignalTimer', 'openAdmission', 'endWaiting'],
      exit: 'disarmTimers',
      on: {
        'pool.drained': 'stopping.closing',
        'timer.signal': 'stopping',
        'supervisor.stop': [
          { guard: 'signalIsDue', target: 'stopping', actions: 'noteSoonerPlan' },
          { guard: 'endsMore', actions: ['noteSoonerPlan', 'armSignalTimer', 'endWaiting'] },
          { guard: 'isSooner', actions: ['noteSoonerPlan', 'armSignalTimer'] },
          {},
        ],
      },
    },
    stopping: {
      initial: 'signalling',
      states: {
        signalling: {
          entry: ['holdAdmission', 'armKillTimer', 'signalAll'],
          exit: 'disarmTimers',
          on: {
            'pool.drained': 'closing',
            'timer.kill': 'killing',
            'supervisor.stop': [
              { guard: 'isSooner', actions: ['noteSoonerPlan', 'armKillTimer', 'signalAll'] },
              {},
            ],
          },
        },
        killing: {
          entry: 'killAll',
          on: { 'pool.drained': 'closing', 'supervisor.stop': {} },
        },
        closing: {
          entry: ['holdAdmission', 'closeExecutors'],
          on: {
            'supervisor.closed': {
              target: '#supervisor.stopped',
              actions: { type: 'announce', params: { fact: 'stopped' } },
            },
            'supervisor.stop': {},
          },
        },
      },
    },
    stopped: {
      on: { 'supervisor.start': 'starting', 'supervisor.stop': {} },
    },
    failed: {
      entry: { type: 'announce', params: { fact: 'failed' } },
      on: {
        'supervisor.start': 'starting',
        'supervisor.stop': { target: 'stopping', actions: [...BEGIN_STOP] },
      },
    },
  },
})
