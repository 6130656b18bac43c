/**
 * What a daemon has to tell its store: what became of tasks, and how far they are.
 *
 * ```
 * empty → sending → waiting ⇄ checking
 *    ↑───────┴─────────────────┘
 * ```
 *
 * - `empty`: the store knows all.
 * - `sending`: what there is is on its way, in one batch.
 * - `waiting`: the store refused, or did not answer. Everything is kept and sent again after a jittered, growing wait, or as
 *   soon as somebody else has found that the store answers again.
 * - `checking`: that is on its way, each report by itself: what fails alone while the store answers is what was refused, and
 *   it must not keep the others back.
 *
 * The store is authoritative: with its fence it takes each settlement once, from whoever still holds the task, so
 * sending again is safe even when only the answer was lost.
 */
import { assign, setup } from 'xstate'

export type OutboxEvent =
  | { readonly type: 'report.added' }
  /** `rest`: how many reports have come since. */
  | { readonly type: 'store.answered'; readonly rest: number }
  | { readonly type: 'store.failed'; readonly error: unknown }
  | { readonly type: 'store.found' }
  | { readonly type: 'timer.retry' }

export type OutboxEffect =
  | 'send'
  | 'sendEach'
  | 'armRetry'
  | 'disarmRetry'
  | 'reportEmptied'
  | 'reportFailure'

const effect = (): void => {}

/** The statechart of a daemon's outbox. Pure: every effect is a named action. */
export const outboxMachine = setup({
  types: { context: {} as { readonly failures: number }, events: {} as OutboxEvent },
  guards: {
    somethingIsLeft: ({ event }) => event.type === 'store.answered' && event.rest > 0,
  },
  actions: {
    send: effect,
    sendEach: effect,
    armRetry: effect,
    disarmRetry: effect,
    reportEmptied: effect,
    reportFailure: effect,
    countFailure: assign({ failures: ({ context }) => context.failures + 1 }),
    forgetFailures: assign({ failures: 0 }),
  },
}).createMachine({
  id: 'outbox',
  context: { failures: 0 },
  initial: 'empty',
  states: {
    empty: { on: { 'report.added': 'sending' } },
    sending: {
      entry: 'send',
      on: {
        'store.answered': [
          { guard: 'somethingIsLeft', target: 'sending', reenter: true, actions: 'forgetFailures' },
          { target: 'empty', actions: ['forgetFailures', 'reportEmptied'] },
        ],
        'store.failed': { target: 'waiting', actions: ['countFailure', 'reportFailure'] },
      },
    },
    waiting: {
      entry: 'armRetry',
      exit: 'disarmRetry',
      on: { 'timer.retry': 'checking', 'store.found': 'checking' },
    },
    checking: {
      entry: 'sendEach',
      on: {
        'store.answered': [
          { guard: 'somethingIsLeft', target: 'sending', actions: 'forgetFailures' },
          { target: 'empty', actions: ['forgetFailures', 'reportEmptied'] },
        ],
        'store.failed': { target: 'waiting', actions: 'countFailure' },
      },
    },
  },
})
