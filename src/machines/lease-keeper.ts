/**
 * Keeps the leases of a daemon: all of them are renewed in one batch, each third of the length that the settings say. They may be
 * longer for a while (actors/daemon/lease-term.ts).
 *
 * ```
 * idle → resting ⇄ doubtful (renewing → retrying ⇄ again; renewing ⇄ locked)
 *  ↑───────┴─────────┘
 * ```
 *
 * - `idle`: nothing is held.
 * - `resting`: every lease has at least a third of its length left, unless this process did not come to its turn in time.
 *   Who wants to take back what others have lost asks first (`keeper.look`): where a lease of our own is over, all are in
 *   doubt at once, and nobody here takes anything back before the store has answered. Then he is told (`reportCalm`).
 * - `doubtful.locked`: all but some were renewed, whose rows an open transaction of somebody else has locked; they are asked for again
 *   after a short wait.
 * - `doubtful.renewing`: a renewal is on its way. `doubtful.retrying`: it failed, which is told once; once more after a
 *   short wait. `doubtful.again`: that renewal is on its way.
 *
 * The store is authoritative: what it calls lost is lost. While in doubt a lease may come to its end without an
 * answer; then its task is ended here as well (`timer.overdue`), because somebody else may have it by now.
 */
import { setup } from 'xstate'

export type LeaseKeeperEvent =
  | { readonly type: 'lease.taken' }
  /** `held`: how many leases there are now. */
  | { readonly type: 'store.answered'; readonly held: number }
  /** Some could be neither renewed nor are they lost: their rows are locked. */
  | { readonly type: 'store.locked' }
  | { readonly type: 'store.failed'; readonly error: unknown }
  /** Somebody is about to take back what was lost. `isOver`: one of the leases here is, by the clock. */
  | { readonly type: 'keeper.look'; readonly isOver: boolean }
  | { readonly type: 'timer.renew' }
  /** A lease has ended that could not be renewed. */
  | { readonly type: 'timer.overdue' }
  | { readonly type: 'keeper.stop' }

export type LeaseKeeperEffect =
  | 'armRenew'
  | 'armRetry'
  | 'disarm'
  | 'renew'
  | 'announce'
  | 'armOverdue'
  | 'disarmOverdue'
  | 'endOverdue'
  | 'reportCalm'

/** Told when the renewal fails, and when it works again. */
export type LeaseKeeperFact = 'renewalFailed' | 'renewalWorks'

const effect = (): void => {}
const tell = (fact: LeaseKeeperFact) => ({ type: 'announce', params: { fact } }) as const

/** The statechart of a lease keeper. Pure: every effect is a named action. */
export const leaseKeeperMachine = setup({
  types: {} as { events: LeaseKeeperEvent },
  guards: {
    oneIsOver: ({ event }) => event.type === 'keeper.look' && event.isOver,
    nothingIsHeld: ({ event }) => event.type === 'store.answered' && event.held === 0,
  },
  actions: {
    armRenew: effect,
    armRetry: effect,
    disarm: effect,
    renew: effect,
    armOverdue: effect,
    disarmOverdue: effect,
    endOverdue: effect,
    announce: (_, _params: { fact: LeaseKeeperFact }) => {},
    reportCalm: effect,
  },
}).createMachine({
  id: 'leaseKeeper',
  initial: 'idle',
  states: {
    idle: { on: { 'lease.taken': 'resting' } },
    resting: {
      entry: 'armRenew',
      exit: 'disarm',
      on: {
        'timer.renew': 'doubtful',
        'keeper.look': { guard: 'oneIsOver', target: 'doubtful' },
        'keeper.stop': 'idle',
      },
    },
    doubtful: {
      entry: 'armOverdue',
      exit: 'disarmOverdue',
      initial: 'renewing',
      on: {
        'store.answered': [
          { guard: 'nothingIsHeld', target: 'idle', actions: 'reportCalm' },
          { target: 'resting', actions: 'reportCalm' },
        ],
        'timer.overdue': { actions: ['endOverdue', 'armOverdue'] },
        'keeper.stop': 'idle',
      },
      states: {
        renewing: {
          entry: 'renew',
          on: {
            'store.failed': { target: 'retrying', actions: tell('renewalFailed') },
            'store.locked': 'locked',
          },
        },
        locked: {
          entry: 'armRetry',
          exit: 'disarm',
          on: { 'timer.renew': 'renewing' },
        },
        retrying: {
          entry: 'armRetry',
          exit: 'disarm',
          on: { 'timer.renew': 'again' },
        },
        again: {
          entry: 'renew',
          on: {
            'store.failed': 'retrying',
            'store.locked': { target: 'locked', actions: tell('renewalWorks') },
            'store.answered': [
              {
                guard: 'nothingIsHeld',
                target: '#leaseKeeper.idle',
                actions: ['reportCalm', tell('renewalWorks')],
              },
              { target: '#leaseKeeper.resting', actions: ['reportCalm', tell('renewalWorks')] },
            ],
          },
        },
      },
    },
  },
})
