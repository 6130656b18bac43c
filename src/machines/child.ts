/**
 * One supervised child, over all its lives (incarnations).
 *
 * ```
 * waiting → starting → running → stopping → stopped ─┐
 *               ↑         └→ done, failed ───────────┤
 *               └─────────── backingOff ←────────────┘
 * ```
 *
 * - `waiting.inside`: listed; its group has not started it yet. `waiting.outside`: the same, but what it stands for runs
 *   elsewhere already: it is told to end even if it was never started.
 * - `starting`: an incarnation is coming up. `running`: it is up.
 * - `stopping.asked`: it was asked to end in its own way and has its shutdown time.
 * - `stopping.hurried`: it was told to end soon: what is left of that time is its grace.
 * - `stopping.killing`: it is ended; its last word is awaited.
 * - `backingOff`: it has ended and another incarnation follows: when the backoff has passed, or when its
 *   group says so.
 * - `done`: it ended by itself. `failed`: it ended abnormally. `stopped`: it was asked to. Nothing follows,
 *   but it can be started again.
 * - `removed`: no longer listed.
 *
 * The machine is authoritative for the state of the child and for how it is ended; its group decides whether
 * another life follows (machines/child-group.ts), and is told of every end. Every state accepts stop and
 * removal; whatever an incarnation reports after its end is not its child's business.
 */
import { assign, setup } from 'xstate'
import type { ChildExit } from './restart.ts'

/**
 * What follows the end that was asked for: nothing, another incarnation at once, one when the group says so,
 * or the end of the listing.
 */
export type ChildSequel = 'rest' | 'start' | 'hold' | 'remove'

/** What an end that was asked for took: it was asked, told to hurry, or killed. */
export type ChildStopStep = 'none' | 'signal' | 'kill'

export interface ChildContext {
  /** How the last incarnation ended. */
  readonly exit: ChildExit | undefined
  /** What follows the end that was asked for. */
  readonly sequel: ChildSequel
  readonly step: ChildStopStep
  /** Incarnations that followed another one. */
  readonly restarts: number
  /** How long it waits before the next incarnation; infinite: until its group says so. */
  readonly delayMs: number
}

export type ChildEvent =
  /** It runs elsewhere already. */
  | { readonly type: 'child.outside' }
  | { readonly type: 'child.start' }
  /** Ends it, if it lives. */
  | { readonly type: 'child.stop' }
  /** Ends it and starts it again. */
  | { readonly type: 'child.restart' }
  /** Ends it until the group starts it again. Without effect unless it lives. */
  | { readonly type: 'child.hold' }
  | { readonly type: 'child.remove' }
  /** It has ended and is to be followed. */
  | { readonly type: 'child.backOff'; readonly delayMs: number }
  /** The signal instant of a supervisor's stop. */
  | { readonly type: 'child.hurry' }
  /** Its end is to come sooner than its own time says. */
  | { readonly type: 'child.bound' }
  | { readonly type: 'child.kill' }
  | { readonly type: 'child.ready' }
  | { readonly type: 'child.exited'; readonly exit: ChildExit }
  | { readonly type: 'timer.signal' }
  | { readonly type: 'timer.shutdown' }
  | { readonly type: 'timer.backoff' }

/** What a child tells its group and the world: `stopped` and `held` of a life, `rested` when none was left to end. */
export type ChildFact = 'started' | 'done' | 'failed' | 'stopped' | 'held' | 'rested' | 'removed'

export type ChildEffect =
  | 'begin'
  | 'askToStop'
  | 'hurry'
  | 'kill'
  | 'armSignal'
  | 'armShutdown'
  | 'armBackoff'
  | 'disarmTimer'
  | 'announce'

const effect = (): void => {}
const tell = (fact: ChildFact) => ({ type: 'announce', params: { fact } }) as const

/** What a life that has not been asked to end answers. */
const LIVING = {
  'child.exited': [
    { guard: 'isFailure', target: 'failed', actions: 'noteExit' },
    { guard: 'isDone', target: 'done', actions: 'noteExit' },
    { target: 'stopped', actions: ['noteExit', tell('stopped')] },
  ],
  'child.stop': { target: 'stopping', actions: 'noteStop' },
  'child.restart': { target: 'stopping', actions: 'noteRestartAsked' },
  'child.hold': { target: 'stopping', actions: 'noteHold' },
  'child.remove': { target: 'stopping', actions: 'noteRemoval' },
  'child.kill': { target: 'stopping.killing', actions: 'noteStop' },
} as const

/** The statechart of a supervised child. */
export const childMachine = setup({
  types: { context: {} as ChildContext, events: {} as ChildEvent },
  guards: {
    isFailure: ({ event }) => event.type === 'child.exited' && event.exit.kind === 'failed',
    isDone: ({ event }) => event.type === 'child.exited' && event.exit.kind === 'done',
    isRestarted: ({ context }) => context.sequel === 'start',
    isHeld: ({ context }) => context.sequel === 'hold',
    isRemoved: ({ context }) => context.sequel === 'remove',
  },
  actions: {
    begin: effect,
    askToStop: effect,
    hurry: effect,
    kill: effect,
    armSignal: effect,
    armShutdown: effect,
    armBackoff: effect,
    disarmTimer: effect,
    announce: (_, _params: { fact: ChildFact }) => {},
    noteExit: assign(({ event }) => (event.type === 'child.exited' ? { exit: event.exit } : {})),
    noteStop: assign({ sequel: 'rest', step: 'none' }),
    noteRestartAsked: assign({ sequel: 'start', step: 'none' }),
    noteHold: assign({ sequel: 'hold', step: 'none' }),
    noteRemoval: assign({ sequel: 'remove', step: 'none' }),
    changeSequel: assign((_, { sequel }: { sequel: ChildSequel }) => ({ sequel })),
    noteStep: assign((_, { step }: { step: ChildStopStep }) => ({ step })),
    noteDelay: assign(({ event }) => (event.type === 'child.backOff' ? { delayMs: event.delayMs } : {})),
    noteHeld: assign({ delayMs: Number.POSITIVE_INFINITY }),
    countRestart: assign({ restarts: ({ context }) => context.restarts + 1 }),
  },
}).createMachine({
  id: 'child',
  context: { exit: undefined, sequel: 'rest', step: 'none', restarts: 0, delayMs: 0 },
  initial: 'waiting',
  states: {
    waiting: {
      initial: 'inside',
      on: {
        'child.start': 'starting',
        'child.restart': 'starting',
      },
      states: {
        inside: {
          on: {
            'child.outside': 'outside',
            'child.stop': '#child.stopped',
            'child.remove': '#child.removed',
          },
        },
        outside: {
          on: {
            'child.stop': { target: '#child.stopping', actions: ['begin', 'noteStop'] },
            'child.remove': { target: '#child.stopping', actions: ['begin', 'noteRemoval'] },
          },
        },
      },
    },
    starting: {
      entry: 'begin',
      on: {
        'child.ready': 'running',
        ...LIVING,
      },
    },
    running: {
      entry: tell('started'),
      on: LIVING,
    },
    stopping: {
      initial: 'asked',
      exit: 'disarmTimer',
      on: {
        'child.exited': [
          {
            guard: 'isRestarted',
            target: 'starting',
            actions: ['noteExit', tell('stopped'), 'countRestart'],
          },
          { guard: 'isHeld', target: 'backingOff', actions: ['noteExit', 'noteHeld', tell('held')] },
          { guard: 'isRemoved', target: 'removed', actions: ['noteExit', tell('stopped')] },
          { target: 'stopped', actions: ['noteExit', tell('stopped')] },
        ],
        'child.stop': [
          { guard: 'isRemoved' },
          { actions: { type: 'changeSequel', params: { sequel: 'rest' } } },
        ],
        'child.start': [
          { guard: 'isRemoved' },
          { actions: { type: 'changeSequel', params: { sequel: 'start' } } },
        ],
        'child.restart': [
          { guard: 'isRemoved' },
          { actions: { type: 'changeSequel', params: { sequel: 'start' } } },
        ],
        'child.hold': { guard: 'isRestarted', actions: { type: 'changeSequel', params: { sequel: 'hold' } } },
        'child.remove': { actions: { type: 'changeSequel', params: { sequel: 'remove' } } },
      },
      states: {
        asked: {
          entry: ['askToStop', 'armSignal'],
          on: {
            'child.hurry': 'hurried',
            'timer.signal': 'hurried',
            'child.bound': { actions: 'armSignal' },
            'child.kill': 'killing',
            'timer.shutdown': 'killing',
          },
        },
        hurried: {
          entry: [{ type: 'noteStep', params: { step: 'signal' } }, 'hurry', 'armShutdown'],
          on: {
            'child.bound': { actions: 'armShutdown' },
            'child.kill': 'killing',
            'timer.shutdown': 'killing',
          },
        },
        killing: {
          entry: ['disarmTimer', { type: 'noteStep', params: { step: 'kill' } }, 'kill'],
        },
      },
    },
    backingOff: {
      entry: 'armBackoff',
      exit: 'disarmTimer',
      on: {
        'timer.backoff': { target: 'starting', actions: 'countRestart' },
        'child.start': { target: 'starting', actions: 'countRestart' },
        'child.restart': { target: 'starting', actions: 'countRestart' },
        'child.hold': { actions: ['disarmTimer', 'noteHeld'] },
        'child.stop': { target: 'stopped', actions: tell('rested') },
        'child.remove': 'removed',
      },
    },
    done: {
      entry: tell('done'),
      on: {
        'child.backOff': { target: 'backingOff', actions: 'noteDelay' },
        'child.start': 'starting',
        'child.restart': 'starting',
        'child.remove': 'removed',
      },
    },
    failed: {
      entry: tell('failed'),
      on: {
        'child.backOff': { target: 'backingOff', actions: 'noteDelay' },
        'child.start': 'starting',
        'child.restart': 'starting',
        'child.remove': 'removed',
      },
    },
    stopped: {
      on: {
        'child.start': 'starting',
        'child.restart': 'starting',
        'child.remove': 'removed',
      },
    },
    removed: { type: 'final', entry: tell('removed') },
  },
})
