/**
 * A durable task as its store keeps it: one row, whoever runs it.
 *
 * ```
 * pending (new | retry | snooze | step | returned) ⇄ running (held → asked | replaced)
 *      │        ↖______________ forked ←________________/
 *      │                           │                     │
 *      └──→ finished | failed | cancelled | terminated ──→ pending.new, forked (task.retry) | removed
 * ```
 *
 * - `pending.new`: it was stored, or a person wants it once more; it may be claimed from `runAt` on.
 * - `pending.retry`: an attempt failed, or its lease was lost; the next one may begin from `runAt` on.
 * - `pending.snooze`: its handler asked to be called later. No attempt is used.
 * - `pending.step`: the next step of a trampoline. Its attempts count from one again.
 * - `pending.returned`: its holder handed it back before it had begun. No attempt is used.
 * - `forked`: it has made tasks of its own, its children, and nobody holds it until none of them is live. Then its next
 *   step is due. Who cancels or replaces it has its live children cancelled with it.
 * - `running.held`: one process holds a lease on it.
 * - `running.asked`: somebody wants it cancelled; its holder has to end it.
 * - `running.replaced`: another task has taken its key; its holder has to end it.
 * - `finished`: it has a result. `failed`: it has an error, and no attempt is left; or it expired before the first one.
 * - `cancelled`: somebody wanted it. `terminated`: the supervisor, a replacement, too many lost leases or a wait that took too
 *   long ended it.
 * - `removed`: there is no row any more.
 *
 * The store is authoritative, and the fence decides who may speak: every claim takes a new one, so whatever an
 * earlier holder says later changes nothing. A holder that dies says nothing; then its lease expires, the attempt
 * counts, and beyond `lostLimit` lost leases the task is `terminated` (awol). What waits for longer than it may (overdue.ts) is
 * ended by whoever sees it first, without a claim (`task.overdue`). What was asked to end never waits
 * again: where it would have to, it ends. A store alone knows which children are live, so it sends `children.ended`
 * itself, in the transaction in which the last of them ended.
 *
 * Stores carry these transitions out with statements of their own, whose guards are the ones below; the contract
 * suite holds them against this machine.
 */
import { assign, setup } from 'xstate'
import type { TaskState } from './model.ts'
import type { OverdueReason } from './overdue.ts'

/** Top-level states of the machine, as stores write them down. */
export type StoredState = 'pending' | 'running' | 'forked' | EndedState

export const ENDED_STATES = ['finished', 'failed', 'cancelled', 'terminated'] as const

export type EndedState = (typeof ENDED_STATES)[number]

/** The state inside of `pending` and `running`, as stores write it down. Ended ones have none. */
export type StoredPhase = 'new' | 'retry' | 'snooze' | 'step' | 'returned' | 'held' | 'asked' | 'replaced'

/** What the machine decides about. */
export interface StoredLife {
  /** May be claimed from then on, epoch ms. */
  readonly runAt: number
  /** Attempts begun that count. */
  readonly attempt: number
  /** Leases lost since the step began. */
  readonly lost: number
  /** The number of its last claim; 0 before the first one. */
  readonly fence: number
  /** Epoch ms until which its holder may hold it; 0 while nobody does. */
  readonly leaseUntil: number
}

export type StoredTaskEvent =
  | { readonly type: 'task.claim'; readonly at: number; readonly leaseUntil: number }
  | { readonly type: 'lease.renew'; readonly fence: number; readonly leaseUntil: number }
  | { readonly type: 'lease.expired'; readonly at: number; readonly lostLimit: number }
  | { readonly type: 'attempt.finished'; readonly fence: number }
  /** `retryAt`: another attempt follows. */
  | { readonly type: 'attempt.failed'; readonly fence: number; readonly retryAt: number | undefined }
  | { readonly type: 'attempt.terminated'; readonly fence: number }
  | { readonly type: 'attempt.cancelled'; readonly fence: number }
  | { readonly type: 'attempt.snoozed'; readonly fence: number; readonly until: number }
  | { readonly type: 'attempt.continued'; readonly fence: number; readonly runAt: number }
  /** It goes on when its children have ended. */
  | { readonly type: 'attempt.forked'; readonly fence: number; readonly runAt: number }
  /** None of its children is live any more. */
  | { readonly type: 'children.ended'; readonly at: number }
  /** Its holder had not begun it. */
  | { readonly type: 'attempt.returned'; readonly fence: number }
  | { readonly type: 'task.cancel' }
  | { readonly type: 'task.replace' }
  /** `waits`: children of it are live, since they are retried with it, or still end. */
  | { readonly type: 'task.retry'; readonly runAt: number; readonly waits: boolean }
  | { readonly type: 'task.move'; readonly runAt: number }
  /** It has waited for longer than it may. */
  | { readonly type: 'task.overdue'; readonly reason: OverdueReason }
  | { readonly type: 'task.remove' }

const storedTaskSetup = setup({
  types: {} as { context: StoredLife; events: StoredTaskEvent; input: { runAt: number } },
  guards: {
    isDue: ({ context, event }) => event.type === 'task.claim' && context.runAt <= event.at,
    holdsFence: ({ context, event }) => 'fence' in event && event.fence === context.fence,
    holdsFenceAndFailsForGood: ({ context, event }) =>
      event.type === 'attempt.failed' && event.fence === context.fence && event.retryAt === undefined,
    hasExpired: ({ event }) => event.type === 'task.overdue' && event.reason === 'expired',
    hasLiveChildren: ({ event }) => event.type === 'task.retry' && event.waits,
    leaseIsOver: ({ context, event }) => event.type === 'lease.expired' && context.leaseUntil <= event.at,
    leaseIsOverOnceTooOften: ({ context, event }) =>
      event.type === 'lease.expired' && context.leaseUntil <= event.at && context.lost + 1 > event.lostLimit,
  },
  actions: {
    takeLease: assign(({ context, event }) =>
      event.type === 'task.claim'
        ? { attempt: context.attempt + 1, fence: context.fence + 1, leaseUntil: event.leaseUntil }
        : {},
    ),
    extendLease: assign(({ event }) =>
      event.type === 'lease.renew' ? { leaseUntil: event.leaseUntil } : {},
    ),
    endLease: assign({ leaseUntil: 0 }),
    countLoss: assign({ lost: ({ context }) => context.lost + 1 }),
    giveBackAttempt: assign({ attempt: ({ context }) => context.attempt - 1 }),
    countFromOne: assign({ attempt: 0, lost: 0 }),
    waitUntil: assign({
      runAt: ({ context, event }) => {
        if (event.type === 'attempt.failed') return event.retryAt ?? context.runAt
        if (event.type === 'attempt.snoozed') return event.until
        if (event.type === 'lease.expired' || event.type === 'children.ended') return event.at
        return 'runAt' in event ? event.runAt : context.runAt
      },
    }),
  },
})

/** What a holder says that ends the task, wherever it is heard. */
const ENDS = {
  'attempt.finished': { guard: 'holdsFence', target: '#finished' },
  'attempt.terminated': { guard: 'holdsFence', target: '#terminated' },
  'attempt.cancelled': { guard: 'holdsFence', target: '#cancelled' },
} as const

/** Where a holder was asked to end it, nothing makes it wait again. */
const ASKED_ENDS = (target: '#cancelled' | '#terminated') =>
  ({
    ...ENDS,
    'attempt.failed': [
      { guard: 'holdsFenceAndFailsForGood', target: '#failed' },
      { guard: 'holdsFence', target },
    ],
    'attempt.snoozed': { guard: 'holdsFence', target },
    'attempt.continued': { guard: 'holdsFence', target },
    'attempt.forked': { guard: 'holdsFence', target },
    'attempt.returned': { guard: 'holdsFence', target },
    'lease.expired': { guard: 'leaseIsOver', target },
  }) as const

/** A person may want it once more, unless it has a result. */
const UNDONE = {
  on: {
    'task.retry': [
      { guard: 'hasLiveChildren', target: '#forked', actions: ['countFromOne', 'waitUntil'] },
      { target: '#pending.new', actions: ['countFromOne', 'waitUntil'] },
    ],
    'task.remove': 'removed',
  },
} as const

export const storedTaskMachine = storedTaskSetup.createMachine({
  id: 'storedTask',
  context: ({ input }) => ({ runAt: input.runAt, attempt: 0, lost: 0, fence: 0, leaseUntil: 0 }),
  initial: 'pending',
  states: {
    pending: {
      id: 'pending',
      initial: 'new',
      on: {
        'task.claim': { guard: 'isDue', target: 'running', actions: 'takeLease' },
        'task.cancel': 'cancelled',
        'task.replace': 'terminated',
        'task.move': { actions: 'waitUntil' },
        'task.overdue': [{ guard: 'hasExpired', target: 'failed' }, { target: 'terminated' }],
        'task.remove': 'removed',
      },
      states: { new: {}, retry: {}, snooze: {}, step: {}, returned: {} },
    },
    running: {
      initial: 'held',
      exit: 'endLease',
      on: { 'lease.renew': { guard: 'holdsFence', actions: 'extendLease' } },
      states: {
        held: {
          on: {
            ...ENDS,
            'attempt.failed': [
              { guard: 'holdsFenceAndFailsForGood', target: '#failed' },
              { guard: 'holdsFence', target: '#pending.retry', actions: 'waitUntil' },
            ],
            'attempt.snoozed': {
              guard: 'holdsFence',
              target: '#pending.snooze',
              actions: ['giveBackAttempt', 'waitUntil'],
            },
            'attempt.continued': {
              guard: 'holdsFence',
              target: '#pending.step',
              actions: ['countFromOne', 'waitUntil'],
            },
            'attempt.forked': {
              guard: 'holdsFence',
              target: '#forked',
              actions: ['countFromOne', 'waitUntil'],
            },
            'attempt.returned': {
              guard: 'holdsFence',
              target: '#pending.returned',
              actions: 'giveBackAttempt',
            },
            'lease.expired': [
              { guard: 'leaseIsOverOnceTooOften', target: '#terminated', actions: 'countLoss' },
              { guard: 'leaseIsOver', target: '#pending.retry', actions: ['countLoss', 'waitUntil'] },
            ],
            'task.cancel': 'asked',
            'task.replace': 'replaced',
          },
        },
        asked: { on: ASKED_ENDS('#cancelled') },
        replaced: { on: ASKED_ENDS('#terminated') },
      },
    },
    forked: {
      id: 'forked',
      on: {
        'children.ended': { target: '#pending.step', actions: 'waitUntil' },
        'task.cancel': 'cancelled',
        'task.replace': 'terminated',
      },
    },
    finished: { id: 'finished', on: { 'task.remove': 'removed' } },
    failed: { id: 'failed', ...UNDONE },
    cancelled: { id: 'cancelled', ...UNDONE },
    terminated: { id: 'terminated', ...UNDONE },
    removed: { type: 'final' },
  },
})

/**
 * How the state of a stored task is called in public: one that may run now is `queued`, whatever it waited for, and one whose
 * children run is `running`.
 */
export function publicState(
  state: StoredState,
  phase: StoredPhase | null,
  runAt: number,
  now: number,
): TaskState {
  if (state === 'forked') return 'running'
  if (state !== 'pending') return state
  if (runAt <= now) return 'queued'
  if (phase === 'retry') return 'retrying'
  return phase === 'snooze' ? 'snoozed' : 'scheduled'
}
