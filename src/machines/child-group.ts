/**
 * A group of supervised children: starts them in order, follows those that end, stops them in reverse.
 *
 * ```
 * idle → starting → running ⇄ recovering → escalating → failed
 *                      └→ stopping → stopped            (every state accepts stop)
 * ```
 *
 * - `idle`: made, never started. Its children wait.
 * - `starting`: children are started in order, each when the one before is up. One that cannot start makes
 *   the group give up.
 * - `running`: a child that ends is followed, left or removed, by its restart type. Under one-for-one it waits
 *   out its backoff by itself, and nobody else notices. So does, under every strategy, a child that counts its restarts
 *   by itself; when these are used up it is given up alone.
 * - `recovering.stopping`: a restart takes siblings along: they are stopped in reverse.
 * - `recovering.backingOff`: they have ended; the backoff passes.
 * - `recovering.starting`: they are started again, in order.
 * - `escalating`: too many restarts, or a child that could not start: all children are stopped in reverse.
 * - `stopping.inOrder`: children are stopped in reverse, one after the other, each within its own time.
 * - `stopping.hurried`: the signal instant of the supervisor has come: all that are left were told to end soon.
 * - `stopping.killed`: the bound has come: all that are left are killed.
 * - `stopped`: no child lives, and none that was not started waits for it. `failed`: the same, and the group has given
 *   up; the reason is in `context.failure`. Both can be started again.
 * - `removed`: the group is no longer listed above, nor is anybody in it.
 *
 * The machine is authoritative for what the group does about an end; each child is for its own state
 * (machines/child.ts). `work` is a list of children that the owner goes through one by one: those to be started
 * or stopped in this state. It answers `work.done` when none is left.
 */
import { assign, setup } from 'xstate'
import {
  admitsRestart,
  type ChildExit,
  decide,
  nextStreak,
  noteRestart,
  type RestartAccount,
  type RestartType,
  type Strategy,
} from './restart.ts'

export interface ChildGroupInput {
  readonly strategy: Strategy
  readonly intensity: number
  readonly periodMs: number
}

export interface ChildGroupContext extends ChildGroupInput {
  /** Instants of the restarts that count towards the intensity. */
  readonly times: readonly number[]
  /** Restarts of the group in a row, for its backoff. */
  readonly streak: number
  /** Why it has given up. */
  readonly failure: GroupFailure | undefined
}

/** Why a group gives up: one restart too many, or a child that could not start with it. */
export interface GroupFailure {
  readonly reason: 'intensity' | 'startFailed'
  /** The child whose end was the last straw. */
  readonly child: EndedChild
  readonly exit: ChildExit
}

/** What the machine looks at when a child has ended. The owner finds the rest in the object. */
export interface EndedChild {
  readonly id: string
  readonly restartType: RestartType
}

export interface ChildEnded<Child extends EndedChild = EndedChild> {
  readonly type: 'child.ended'
  readonly child: Child
  readonly exit: ChildExit
  /** The monotonic clock, ms. */
  readonly at: number
  /** How long the group has had no restart, ms. */
  readonly calmMs: number
  /** It is among those that the work under way stops or starts anyway. */
  readonly isAffected: boolean
  /** It never came up, and the group is starting it for the first time. */
  readonly isStartFailure: boolean
  /** Somebody wants it to rest. */
  readonly isUnwanted: boolean
  readonly account: RestartAccount
}

export type ChildGroupEvent =
  | { readonly type: 'group.start' }
  | { readonly type: 'group.stop' }
  | { readonly type: 'group.hurry' }
  | { readonly type: 'group.kill' }
  /** It was taken from the list of the group above. */
  | { readonly type: 'group.remove' }
  | ChildEnded
  /** The child that was awaited is up, or has ended as it was asked to. */
  | { readonly type: 'child.settled' }
  /** Nothing is left of the list that is gone through. */
  | { readonly type: 'work.done' }
  | { readonly type: 'timer.backoff' }
  /** An XState actor below has ended. */
  | { readonly type: 'xstate.done.actor.*' | 'xstate.error.actor.*' }

export type ChildGroupEffect =
  | 'listStarts'
  | 'listAffected'
  | 'listHeld'
  | 'listStops'
  | 'restUnstarted'
  | 'removeAll'
  | 'startNext'
  | 'stopNext'
  | 'holdNext'
  | 'hurryAll'
  | 'killAll'
  | 'followChild'
  | 'leaveChild'
  | 'giveUpChild'
  | 'holdChild'
  | 'armBackoff'
  | 'disarmBackoff'
  | 'forwardEnd'
  | 'announce'

/** What a group tells its parent and the world. */
export type ChildGroupFact = 'started' | 'recovered' | 'escalated' | 'stopped' | 'failed'

const effect = (): void => {}
const tell = (fact: ChildGroupFact) => ({ type: 'announce', params: { fact } }) as const
const giveUp = (reason: GroupFailure['reason']) =>
  [{ type: 'noteFailure', params: { reason } } as const, tell('escalated'), 'leaveChild'] as const
/** Its end asks for a restart. */
const wants = (event: ChildGroupEvent): event is ChildEnded =>
  event.type === 'child.ended' &&
  !event.isUnwanted &&
  decide(event.exit, event.child.restartType) === 'restart'
const REMOVED = { target: 'removed', actions: 'removeAll' } as const
const STOP = { 'group.stop': 'stopping', 'group.kill': 'stopping.killed' } as const

/** The statechart of a group of children. */
export const childGroupMachine = setup({
  types: {
    context: {} as ChildGroupContext,
    events: {} as ChildGroupEvent,
    input: {} as ChildGroupInput,
  },
  guards: {
    isStartFailure: ({ event }) => event.type === 'child.ended' && event.isStartFailure,
    isAffected: ({ event }) => event.type === 'child.ended' && event.isAffected,
    /** It is to be followed, and that is one restart too many. */
    isTooMany: ({ context, event }) =>
      wants(event) && event.account === 'shared' && !admitsRestart(context.times, event.at, context),
    /** Its own restarts are used up. */
    isSpent: ({ event }) => wants(event) && event.account === 'spent',
    /** It counts by itself, and takes nobody along. */
    countsAlone: ({ event }) => wants(event) && event.account === 'own',
    isFollowedAlone: ({ context, event }) => context.strategy === 'one-for-one' && wants(event),
    isFollowed: ({ event }) => wants(event),
  },
  actions: {
    listStarts: effect,
    listAffected: effect,
    listHeld: effect,
    listStops: effect,
    restUnstarted: effect,
    removeAll: effect,
    startNext: effect,
    stopNext: effect,
    holdNext: effect,
    hurryAll: effect,
    killAll: effect,
    followChild: effect,
    leaveChild: effect,
    giveUpChild: effect,
    holdChild: effect,
    armBackoff: effect,
    disarmBackoff: effect,
    forwardEnd: effect,
    announce: (_, _params: { fact: ChildGroupFact }) => {},
    noteRestart: assign(({ context, event }) =>
      event.type === 'child.ended'
        ? {
            times: noteRestart(context.times, event.at, context),
            streak: nextStreak(context.streak, event.calmMs, context.periodMs),
          }
        : {},
    ),
    noteFailure: assign(({ event }, { reason }: { reason: GroupFailure['reason'] }) =>
      event.type === 'child.ended' ? { failure: { reason, child: event.child, exit: event.exit } } : {},
    ),
    forget: assign({ times: [], streak: 0, failure: undefined }),
  },
}).createMachine({
  id: 'childGroup',
  context: ({ input }) => ({ ...input, times: [], streak: 0, failure: undefined }),
  initial: 'idle',
  on: {
    'xstate.done.actor.*': { actions: 'forwardEnd' },
    'xstate.error.actor.*': { actions: 'forwardEnd' },
    'child.ended': { actions: 'leaveChild' },
  },
  states: {
    idle: {
      on: {
        'group.start': 'starting',
        // Some may run elsewhere already.
        ...STOP,
        'group.remove': REMOVED,
      },
    },
    starting: {
      entry: ['forget', 'listStarts', 'startNext'],
      on: {
        ...STOP,
        'child.settled': { actions: 'startNext' },
        'child.ended': [
          { guard: 'isStartFailure', target: 'escalating', actions: [...giveUp('startFailed')] },
          { guard: 'isTooMany', target: 'escalating', actions: [...giveUp('intensity')] },
          { guard: 'isSpent', actions: ['giveUpChild', 'startNext'] },
          { guard: 'countsAlone', actions: ['followChild', 'startNext'] },
          { guard: 'isFollowedAlone', actions: ['noteRestart', 'followChild', 'startNext'] },
          { guard: 'isFollowed', target: 'recovering', actions: 'noteRestart' },
          { actions: ['leaveChild', 'startNext'] },
        ],
        'work.done': { target: 'running', actions: tell('started') },
      },
    },
    running: {
      on: {
        ...STOP,
        'child.ended': [
          { guard: 'isTooMany', target: 'escalating', actions: [...giveUp('intensity')] },
          { guard: 'isSpent', actions: 'giveUpChild' },
          { guard: 'countsAlone', actions: 'followChild' },
          { guard: 'isFollowedAlone', actions: ['noteRestart', 'followChild'] },
          { guard: 'isFollowed', target: 'recovering', actions: 'noteRestart' },
          { actions: 'leaveChild' },
        ],
      },
    },
    recovering: {
      initial: 'stopping',
      on: {
        ...STOP,
        'child.ended': [
          { guard: 'isTooMany', target: 'escalating', actions: [...giveUp('intensity')] },
          { guard: 'isSpent', actions: 'giveUpChild' },
          { guard: 'countsAlone', actions: 'followChild' },
          { guard: 'isFollowed', target: '.stopping', reenter: true, actions: 'noteRestart' },
          { actions: 'leaveChild' },
        ],
      },
      states: {
        stopping: {
          entry: ['listAffected', 'holdNext'],
          on: {
            'child.settled': { actions: 'holdNext' },
            'child.ended': [
              // It would have been stopped anyway: no restart of its own.
              { guard: 'isAffected', actions: ['holdChild', 'holdNext'] },
              { guard: 'isTooMany', target: '#childGroup.escalating', actions: [...giveUp('intensity')] },
              { guard: 'isSpent', actions: ['giveUpChild', 'holdNext'] },
              { guard: 'countsAlone', actions: ['followChild', 'holdNext'] },
              { guard: 'isFollowed', target: 'stopping', reenter: true, actions: 'noteRestart' },
              { actions: ['leaveChild', 'holdNext'] },
            ],
            'work.done': 'backingOff',
          },
        },
        backingOff: {
          entry: 'armBackoff',
          exit: 'disarmBackoff',
          on: { 'timer.backoff': 'starting' },
        },
        starting: {
          entry: ['listHeld', 'startNext'],
          on: {
            'child.settled': { actions: 'startNext' },
            'child.ended': [
              { guard: 'isTooMany', target: '#childGroup.escalating', actions: [...giveUp('intensity')] },
              { guard: 'isSpent', actions: ['giveUpChild', 'startNext'] },
              { guard: 'countsAlone', actions: ['followChild', 'startNext'] },
              { guard: 'isFollowed', target: 'stopping', actions: 'noteRestart' },
              { actions: ['leaveChild', 'startNext'] },
            ],
            'work.done': { target: '#childGroup.running', actions: tell('recovered') },
          },
        },
      },
    },
    escalating: {
      entry: ['listStops', 'stopNext'],
      on: {
        'group.stop': 'stopping',
        'group.kill': 'stopping.killed',
        'child.settled': { actions: 'stopNext' },
        'child.ended': { actions: ['leaveChild', 'stopNext'] },
        'work.done': { target: 'failed', actions: tell('failed') },
      },
    },
    stopping: {
      initial: 'inOrder',
      entry: ['listStops', 'stopNext'],
      on: {
        'child.settled': { actions: 'stopNext' },
        'child.ended': { actions: ['leaveChild', 'stopNext'] },
        'work.done': { target: 'stopped', actions: tell('stopped') },
      },
      states: {
        inOrder: {
          on: { 'group.hurry': 'hurried', 'group.kill': 'killed' },
        },
        hurried: {
          entry: 'hurryAll',
          on: { 'group.kill': 'killed' },
        },
        killed: { entry: 'killAll' },
      },
    },
    stopped: {
      entry: 'restUnstarted',
      on: { 'group.start': 'starting', 'group.remove': REMOVED },
    },
    failed: {
      entry: 'restUnstarted',
      on: {
        'group.start': 'starting',
        'group.stop': 'stopped',
        'group.kill': 'stopped',
        'group.remove': REMOVED,
      },
    },
    removed: { type: 'final' },
  },
})
