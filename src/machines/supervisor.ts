/**
 * The life of a supervisor.
 *
 * ```
 * idle → starting → running ⇄ paused → draining → stopping → stopped      (every state accepts stop)
 *             └→ failed
 * ```
 *
 * - `idle`: made, never started. Submissions wait as queued; nothing is admitted.
 * - `starting.preparing`: threads and processes are warmed, the task log is read.
 * - `starting.startingLoops`: the loops are started, each when the one before is up.
 * - `starting.initiating`: the startup tasks run, and nothing else does.
 * - `starting.bringingUp`: children are started, each when the one before is up.
 * - `running`: admits. `paused`: admits nothing, what runs goes on.
 * - `draining.asked`: accepts no submission from outside; children are stopped in reverse order; scheduled, retrying
 *   and snoozed runs are terminated, queued ones still run until the signal is due.
 * - `draining.givingUp`: the same because its children failed too often: queued runs are terminated, too, and running
 *   ones are signalled as soon as the children have ended.
 * - `stopping.signalling`: queued runs are terminated, running ones were signalled and have their grace; children
 *   were told to hurry.
 * - `stopping.killing`: the bound has come: whatever still lives is killed or abandoned.
 * - `stopping.finishing.undisturbed`: neither run nor child lives; the shutdown tasks run, and nothing else does.
 * - `stopping.finishing.signalled`: the same when the signal is due or past: they have until the bound.
 * - `stopping.endingLoops`: the loops are ended.
 * - `stopping.closing`: threads and processes are ended. What refuses is left behind a moment after the bound.
 * - `stopped`: nothing is left. Can be started again. `failed`: could not start, or its children failed too often;
 *   nothing is left either, and the cause is in `context.error`. Can be started again, too.
 *
 * The machine is authoritative for the state of the whole; `supervisor.drained` answers when neither a run nor
 * a child lives. A second stop with a sooner bound escalates the one that is under way.
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
  /** Whether it has got to run since it was started: only then is there something to finish. */
  readonly hasRun: boolean
}

export type SupervisorEvent =
  | { readonly type: 'supervisor.start' }
  | { readonly type: 'supervisor.prepared' }
  | { readonly type: 'loops.started' }
  /** The startup tasks have all succeeded. */
  | { readonly type: 'startup.ended' }
  /** All children are up. */
  | { readonly type: 'children.started' }
  | { readonly type: 'supervisor.startFailed'; readonly error: unknown }
  | { readonly type: 'supervisor.pause' }
  | { readonly type: 'supervisor.resume' }
  | { readonly type: 'supervisor.stop'; readonly plan: StopPlan }
  /** Its children failed too often, and are being stopped. */
  | { readonly type: 'supervisor.escalate'; readonly error: unknown; readonly plan: StopPlan }
  /** No child lives any more. The plan is for the runs. */
  | { readonly type: 'children.ended'; readonly plan: StopPlan }
  | { readonly type: 'supervisor.drained' }
  /** The shutdown tasks have all ended. */
  | { readonly type: 'shutdown.ended' }
  | { readonly type: 'loops.ended' }
  | { readonly type: 'supervisor.closed' }
  | { readonly type: 'timer.signal' }
  | { readonly type: 'timer.kill' }

export type SupervisorEffect =
  | 'prepare'
  | 'beginReport'
  | 'startLoops'
  | 'runStartup'
  | 'startChildren'
  | 'stopChildren'
  | 'hurryChildren'
  | 'killChildren'
  | 'stopLoops'
  | 'killLoops'
  | 'runShutdown'
  | 'skipShutdown'
  | 'openAdmission'
  | 'openEarly'
  | 'holdAdmission'
  | 'endWaiting'
  | 'signalAll'
  | 'killAll'
  | 'closeExecutors'
  | 'leaveExecutors'
  | 'armSignalTimer'
  | 'armKillTimer'
  | 'armCloseTimer'
  | 'disarmTimers'
  | 'announce'

export type SupervisorFact = 'started' | 'paused' | 'resumed' | 'stopping' | 'stopped' | 'failed'

const effect = (): void => {}
const BEGIN_STOP = ['notePlan', 'beginReport', { type: 'announce', params: { fact: 'stopping' } }] as const
const STOPPED = { type: 'announce', params: { fact: 'stopped' } } as const
const GIVE_UP = { target: 'draining.givingUp', actions: ['noteError', ...BEGIN_STOP] } as const

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
    hasFailed: ({ context }) => context.error !== undefined,
    hasRun: ({ context }) => context.hasRun,
  },
  actions: {
    prepare: effect,
    beginReport: effect,
    startLoops: effect,
    runStartup: effect,
    startChildren: effect,
    stopChildren: effect,
    hurryChildren: effect,
    killChildren: effect,
    stopLoops: effect,
    killLoops: effect,
    runShutdown: effect,
    skipShutdown: effect,
    openAdmission: effect,
    openEarly: effect,
    holdAdmission: effect,
    endWaiting: effect,
    signalAll: effect,
    killAll: effect,
    closeExecutors: effect,
    leaveExecutors: effect,
    armSignalTimer: effect,
    armKillTimer: effect,
    armCloseTimer: effect,
    disarmTimers: effect,
    announce: (_, _params: { fact: SupervisorFact }) => {},
    notePlan: assign(({ event }) => ('plan' in event ? { plan: event.plan } : {})),
    /** An escalation only ever brings an instant nearer. */
    noteSoonerPlan: assign(({ context, event }) =>
      'plan' in event && context.plan !== undefined
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
    // A cause may be `undefined`, a failure must not.
    noteError: assign(({ event }) =>
      'error' in event ? { error: event.error ?? new Error('unknown') } : {},
    ),
    forgetError: assign({ error: undefined }),
    noteRun: assign({ hasRun: true }),
    forget: assign({ plan: undefined, error: undefined, hasRun: false }),
  },
}).createMachine({
  id: 'supervisor',
  context: ({ input }) => ({ id: input.id, plan: undefined, error: undefined, hasRun: false }),
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
      entry: 'forget',
      initial: 'preparing',
      on: {
        // What has come up already is ended again.
        'supervisor.startFailed': { target: 'stopping.endingLoops', actions: 'noteError' },
      },
      states: {
        preparing: {
          entry: 'prepare',
          on: { 'supervisor.prepared': 'startingLoops' },
        },
        startingLoops: {
          entry: 'startLoops',
          on: { 'loops.started': 'initiating' },
        },
        initiating: {
          entry: ['openEarly', 'runStartup'],
          exit: 'holdAdmission',
          on: { 'startup.ended': 'bringingUp' },
        },
        bringingUp: {
          entry: 'startChildren',
          on: {
            'children.started': {
              target: '#supervisor.running',
              actions: { type: 'announce', params: { fact: 'started' } },
            },
          },
        },
      },
    },
    running: {
      entry: ['noteRun', 'openAdmission'],
      on: { 'supervisor.pause': 'paused', 'supervisor.escalate': GIVE_UP },
    },
    paused: {
      entry: ['holdAdmission', { type: 'announce', params: { fact: 'paused' } }],
      on: {
        'supervisor.resume': {
          target: 'running',
          actions: { type: 'announce', params: { fact: 'resumed' } },
        },
        'supervisor.escalate': GIVE_UP,
      },
    },
    draining: {
      initial: 'asked',
      entry: ['armSignalTimer', 'endWaiting', 'openAdmission', 'stopChildren'],
      exit: 'disarmTimers',
      on: {
        'supervisor.drained': [
          { guard: 'hasRun', target: 'stopping.finishing' },
          { target: 'stopping.endingLoops' },
        ],
        'timer.signal': 'stopping',
        'supervisor.stop': [
          { guard: 'signalIsDue', target: 'stopping', actions: 'noteSoonerPlan' },
          { guard: 'endsMore', actions: ['noteSoonerPlan', 'armSignalTimer', 'endWaiting'] },
          { guard: 'isSooner', actions: ['noteSoonerPlan', 'armSignalTimer'] },
          {},
        ],
      },
      states: {
        asked: {},
        givingUp: {
          on: { 'children.ended': { target: '#supervisor.stopping', actions: 'noteSoonerPlan' } },
        },
      },
    },
    stopping: {
      initial: 'signalling',
      states: {
        signalling: {
          entry: ['holdAdmission', 'armKillTimer', 'hurryChildren', 'signalAll'],
          exit: 'disarmTimers',
          on: {
            'supervisor.drained': [
              { guard: 'hasRun', target: 'finishing.signalled' },
              { target: 'endingLoops' },
            ],
            'timer.kill': 'killing',
            'supervisor.stop': [
              { guard: 'isSooner', actions: ['noteSoonerPlan', 'armKillTimer', 'signalAll'] },
              {},
            ],
          },
        },
        killing: {
          entry: ['killChildren', 'killAll'],
          on: {
            'supervisor.drained': { target: 'endingLoops', actions: 'skipShutdown' },
            'supervisor.stop': {},
          },
        },
        finishing: {
          entry: ['openEarly', 'runShutdown'],
          exit: 'holdAdmission',
          initial: 'undisturbed',
          on: { 'shutdown.ended': 'endingLoops' },
          states: {
            undisturbed: {
              entry: 'armSignalTimer',
              exit: 'disarmTimers',
              on: {
                'timer.signal': { target: 'signalled', actions: 'signalAll' },
                'supervisor.stop': [
                  { guard: 'signalIsDue', target: 'signalled', actions: ['noteSoonerPlan', 'signalAll'] },
                  { guard: 'isSooner', actions: ['noteSoonerPlan', 'armSignalTimer'] },
                  {},
                ],
              },
            },
            signalled: {
              entry: 'armKillTimer',
              exit: 'disarmTimers',
              on: {
                'timer.kill': { actions: 'killAll' },
                'supervisor.stop': [
                  { guard: 'isSooner', actions: ['noteSoonerPlan', 'armKillTimer', 'signalAll'] },
                  {},
                ],
              },
            },
          },
        },
        endingLoops: {
          entry: ['holdAdmission', 'armKillTimer', 'stopLoops'],
          exit: 'disarmTimers',
          on: {
            'loops.ended': 'closing',
            'timer.kill': { actions: 'killLoops' },
            'supervisor.stop': [{ guard: 'isSooner', actions: ['noteSoonerPlan', 'armKillTimer'] }, {}],
          },
        },
        closing: {
          entry: ['armCloseTimer', 'closeExecutors'],
          exit: 'disarmTimers',
          on: {
            'supervisor.closed': [
              { guard: 'hasFailed', target: '#supervisor.failed' },
              { target: '#supervisor.stopped', actions: STOPPED },
            ],
            'timer.kill': [
              { guard: 'hasFailed', target: '#supervisor.failed', actions: 'leaveExecutors' },
              { target: '#supervisor.stopped', actions: ['leaveExecutors', STOPPED] },
            ],
            'supervisor.stop': [{ guard: 'isSooner', actions: ['noteSoonerPlan', 'armCloseTimer'] }, {}],
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
        'supervisor.stop': { target: 'stopping', actions: ['forgetError', ...BEGIN_STOP] },
      },
    },
  },
})
