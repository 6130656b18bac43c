/**
 * One life of a daemon: whoever claims durable tasks from a store and has a supervisor run them.
 *
 * ```
 * idle → starting → working ⇄ backingOff
 *           │          └──────────┤
 *           └─────────────────→ draining → leaving → stopped      (every state accepts stop)
 * ```
 *
 * - `idle`: made, not started.
 * - `starting`: it enters itself in the store's list of daemons.
 * - `working.resting`: all that is due has been claimed. A wake from the store, or the next due instant, ends that.
 * - `working.claiming`: a claim is on its way. `working.nudged`: the same, and there is news since.
 * - `working.full`: more may be due than there are places for; the next free one is filled.
 * - `backingOff.waiting`: the store did not answer; it is asked again after a jittered, growing wait, or as soon as it has
 *   answered anything else that is asked of it here. What runs goes on as long as its lease holds, and what has ended is kept.
 *   `backingOff.asking`: that claim is on its way. `backingOff.silent`: the claim from before is, to a store that has kept
 *   silent for too long. News that comes meanwhile is not lost: after the answer to either the store is asked once more.
 * - `draining.waiting`: claims nothing more; what had not begun is handed back, what runs may end by itself.
 * - `draining.signalled`: what runs was told to end. `draining.killing`: the bound has come.
 * - `leaving.emptying`: nothing runs; what became of the last tasks is stored. `leaving.deregistering`: it is taken off
 *   the list. `leaving.waiting`: the store did not answer; once more after a wait.
 * - `stopped`: nothing is left of it here. What it could not tell the store, its leases tell when they run out.
 *
 * The machine is authoritative for what the daemon does next, the store for the tasks: whatever a claim brings after
 * a stop was asked for is handed back. `daemon.drained` says that neither a run nor a claim is under way.
 */
import { assign, setup } from 'xstate'

/** The bounds of a stop on the monotonic clock (ms); infinite = never. */
export interface DaemonStopPlan {
  /** When it was asked for. */
  readonly at: number
  /** When runs are told to end. */
  readonly signalAt: number
  /** When they are killed. */
  readonly killAt: number
}

export interface DaemonContext {
  /** Failures of the store in a row. */
  readonly failures: number
  readonly plan: DaemonStopPlan
}

export type DaemonEvent =
  | { readonly type: 'daemon.start' }
  | { readonly type: 'daemon.registered' }
  /** There may be something to claim, or to end. */
  | { readonly type: 'daemon.nudge' }
  /** There is room for another task. */
  | { readonly type: 'place.freed' }
  /** `isFull`: more may be due than was asked for. `answer` is the claimer's business. */
  | { readonly type: 'claim.answered'; readonly isFull: boolean; readonly answer: unknown }
  | { readonly type: 'store.failed'; readonly error: unknown }
  /** Something else that was asked of it here has come through. */
  | { readonly type: 'store.answered' }
  /** It has not answered for a while, and may yet. */
  | { readonly type: 'store.silent'; readonly error: unknown }
  | { readonly type: 'timer.backoff' }
  | { readonly type: 'daemon.stop'; readonly plan: DaemonStopPlan }
  /** Whoever stops the whole has come to the instant of its signal. */
  | { readonly type: 'daemon.hurry' }
  | { readonly type: 'daemon.kill'; readonly at: number }
  | { readonly type: 'timer.signal' }
  | { readonly type: 'timer.kill' }
  /** The last moment is over. */
  | { readonly type: 'timer.end' }
  | { readonly type: 'daemon.drained' }
  | { readonly type: 'outbox.emptied' }
  | { readonly type: 'daemon.left' }

export type DaemonEffect =
  | 'listen'
  | 'unlisten'
  | 'register'
  | 'claim'
  | 'takeClaimed'
  | 'returnClaimed'
  | 'awaitDue'
  | 'awaitPlace'
  | 'armBackoff'
  | 'disarmBackoff'
  | 'returnUnstarted'
  | 'signalRuns'
  | 'killRuns'
  | 'emptyOutbox'
  | 'leave'
  | 'armSignal'
  | 'armKill'
  | 'armEnd'
  | 'disarmBound'
  | 'announce'

export type DaemonFact = 'started' | 'storeLost' | 'storeFound' | 'stopping' | 'stopped'

const NEVER: DaemonStopPlan = {
  at: 0,
  signalAt: Number.POSITIVE_INFINITY,
  killAt: Number.POSITIVE_INFINITY,
}

const effect = (): void => {}
const tell = (fact: DaemonFact) => ({ type: 'announce', params: { fact } }) as const
const STORE_LOST = { target: '#daemon.backingOff', actions: ['countFailure', tell('storeLost')] } as const
const SILENT = { target: '#daemon.backingOff.silent', actions: tell('storeLost') } as const
const ASK_SILENT = { target: '#daemon.backingOff.asking', actions: tell('storeLost') } as const
const HEARD = {
  // News that came since the claim was sent would wake nobody: it is asked for.
  'claim.answered': {
    target: '#daemon.working.claiming',
    actions: ['forgetFailures', tell('storeFound'), 'takeClaimed'],
  },
  'store.failed': { target: '#daemon.backingOff.waiting', actions: 'countFailure' },
} as const
const KILL = { target: '#daemon.draining.killing', actions: 'noteKill' } as const

/** The statechart of a daemon. Pure: every effect is a named action (see {@link DaemonEffect}). */
export const daemonMachine = setup({
  types: { context: {} as DaemonContext, events: {} as DaemonEvent },
  guards: {
    isFull: ({ event }) => event.type === 'claim.answered' && event.isFull,
    signalIsDue: ({ event }) => event.type === 'daemon.stop' && event.plan.signalAt <= event.plan.at,
    isSooner: ({ context, event }) =>
      event.type === 'daemon.stop' &&
      (event.plan.signalAt < context.plan.signalAt || event.plan.killAt < context.plan.killAt),
  },
  actions: {
    listen: effect,
    unlisten: effect,
    register: effect,
    claim: effect,
    takeClaimed: effect,
    returnClaimed: effect,
    awaitDue: effect,
    awaitPlace: effect,
    armBackoff: effect,
    disarmBackoff: effect,
    returnUnstarted: effect,
    signalRuns: effect,
    killRuns: effect,
    emptyOutbox: effect,
    leave: effect,
    armSignal: effect,
    armKill: effect,
    armEnd: effect,
    disarmBound: effect,
    announce: (_, _params: { fact: DaemonFact }) => {},
    countFailure: assign({ failures: ({ context }) => context.failures + 1 }),
    forgetFailures: assign({ failures: 0 }),
    notePlan: assign(({ event }) => ('plan' in event ? { plan: event.plan } : {})),
    /** An instant only ever comes nearer. */
    noteSoonerPlan: assign(({ context, event }) =>
      event.type === 'daemon.stop'
        ? {
            plan: {
              at: event.plan.at,
              signalAt: Math.min(event.plan.signalAt, context.plan.signalAt),
              killAt: Math.min(event.plan.killAt, context.plan.killAt),
            },
          }
        : {},
    ),
    noteKill: assign(({ event }) =>
      event.type === 'daemon.kill' ? { plan: { at: event.at, signalAt: event.at, killAt: event.at } } : {},
    ),
  },
}).createMachine({
  id: 'daemon',
  context: { failures: 0, plan: NEVER },
  initial: 'idle',
  on: {
    'daemon.stop': [
      { guard: 'signalIsDue', target: '.draining.signalled', actions: 'notePlan' },
      { target: '.draining', actions: 'notePlan' },
    ],
    'daemon.kill': KILL,
    // A claim that was on its way when the stop came.
    'claim.answered': { actions: 'returnClaimed' },
  },
  states: {
    idle: {
      on: {
        'daemon.start': 'starting',
        'daemon.stop': 'stopped',
        'daemon.kill': 'stopped',
      },
    },
    starting: {
      entry: ['listen', 'register'],
      on: {
        'daemon.registered': { target: 'working', actions: tell('started') },
        // It comes up all the same: who waits for the store does so in one place.
        'store.failed': {
          target: 'backingOff',
          actions: ['countFailure', tell('started'), tell('storeLost')],
        },
        'store.silent': { target: 'backingOff.asking', actions: [tell('started'), tell('storeLost')] },
      },
    },
    working: {
      initial: 'claiming',
      states: {
        resting: {
          entry: 'awaitDue',
          on: { 'daemon.nudge': 'claiming', 'store.silent': ASK_SILENT },
        },
        full: {
          entry: 'awaitPlace',
          on: { 'place.freed': 'claiming', 'daemon.nudge': 'claiming', 'store.silent': ASK_SILENT },
        },
        claiming: {
          entry: 'claim',
          on: {
            'daemon.nudge': 'nudged',
            'claim.answered': [
              { guard: 'isFull', target: 'full', actions: 'takeClaimed' },
              { target: 'resting', actions: 'takeClaimed' },
            ],
            'store.failed': STORE_LOST,
            'store.silent': SILENT,
          },
        },
        nudged: {
          on: {
            'claim.answered': { target: 'claiming', actions: 'takeClaimed' },
            'store.failed': STORE_LOST,
            'store.silent': SILENT,
          },
        },
      },
    },
    backingOff: {
      initial: 'waiting',
      states: {
        waiting: {
          entry: 'armBackoff',
          exit: 'disarmBackoff',
          on: { 'timer.backoff': 'asking', 'store.answered': 'asking' },
        },
        asking: { entry: 'claim', on: HEARD },
        silent: { on: HEARD },
      },
    },
    draining: {
      entry: ['unlisten', tell('stopping'), 'returnUnstarted'],
      exit: 'disarmBound',
      initial: 'waiting',
      on: { 'daemon.drained': 'leaving' },
      states: {
        waiting: {
          entry: 'armSignal',
          on: {
            'timer.signal': 'signalled',
            'daemon.hurry': 'signalled',
            'daemon.stop': [
              { guard: 'signalIsDue', target: 'signalled', actions: 'noteSoonerPlan' },
              { guard: 'isSooner', actions: ['noteSoonerPlan', 'armSignal'] },
              {},
            ],
            'daemon.kill': { target: 'killing', actions: 'noteKill' },
          },
        },
        signalled: {
          entry: ['armKill', 'signalRuns'],
          on: {
            'timer.kill': 'killing',
            'daemon.stop': [{ guard: 'isSooner', actions: ['noteSoonerPlan', 'armKill', 'signalRuns'] }, {}],
            'daemon.kill': { target: 'killing', actions: 'noteKill' },
          },
        },
        killing: {
          entry: ['armEnd', 'killRuns'],
          on: {
            'timer.end': '#daemon.stopped',
            'daemon.stop': {},
            'daemon.kill': {},
          },
        },
      },
    },
    leaving: {
      entry: 'armEnd',
      exit: ['disarmBound', 'disarmBackoff'],
      initial: 'emptying',
      on: {
        'timer.end': 'stopped',
        'daemon.stop': [{ guard: 'isSooner', actions: ['noteSoonerPlan', 'armEnd'] }, {}],
        'daemon.kill': { actions: ['noteKill', 'armEnd'] },
      },
      states: {
        emptying: {
          entry: 'emptyOutbox',
          on: { 'outbox.emptied': 'deregistering' },
        },
        deregistering: {
          entry: 'leave',
          on: {
            'daemon.left': '#daemon.stopped',
            'store.failed': { target: 'waiting', actions: 'countFailure' },
          },
        },
        waiting: {
          entry: 'armBackoff',
          on: { 'timer.backoff': 'deregistering' },
        },
      },
    },
    stopped: { type: 'final', entry: tell('stopped') },
  },
})
