/**
 * One named event loop: a thread of its own, through all its lives.
 *
 * ```
 * stopped → starting → running (idle ⇄ busy ⇄ asked → blocked) → stopping → terminating → stopped
 *               │          │
 *               └──────────┴→ killing → failed
 * ```
 *
 * - `stopped`: no thread, and none is wanted.
 * - `starting`: the thread boots and loads the remote side. Jobs wait.
 * - `running.idle`: no attempt is in it. Nothing pings it, no timer runs.
 * - `running.busy`: attempts are in it; the next ping is due after a while.
 * - `running.asked`: a ping is out.
 * - `running.blocked`: it has not answered for too long: something in it never lets its loop turn. Its
 *   neighbours in the thread cannot go on either, other loops and the supervisor can.
 * - `stopping`: it was asked to exit by itself. `terminating`: its thread is ended, as was wanted.
 * - `killing`: its thread comes down although it was wanted: an error escaped in it, or it is ended for good.
 *   `failed`: so it ended. Whether it is started again is its supervisor's decision.
 *
 * The machine is authoritative for the state of the thread. Attempts are counted by its owner, which says when
 * the first one comes (`work.began`) and the last one goes (`work.ended`). An exit is accepted in every state:
 * wanted ones are reported as stopped, all others as failed, and each is reported once. A thread that does not
 * come down when it is ended (it sits in a native call) is forsaken after a while.
 */
import { setup } from 'xstate'

export type LoopEvent =
  | { readonly type: 'loop.start' }
  /** Leave by yourself; no attempt is in it that anybody wants. */
  | { readonly type: 'loop.stop' }
  /** End now; nobody wants it any more. */
  | { readonly type: 'loop.terminate' }
  /** End now, and count it as a failure. */
  | { readonly type: 'loop.kill' }
  /** Somebody must know soon whether it still turns. */
  | { readonly type: 'loop.probe' }
  /** It has answered the last ping. */
  | { readonly type: 'loop.answered' }
  | { readonly type: 'thread.ready' }
  /** An error escaped in it; its exit follows. */
  | { readonly type: 'thread.failed' }
  | { readonly type: 'thread.exited' }
  | { readonly type: 'work.began' }
  | { readonly type: 'work.ended' }
  | { readonly type: 'timer.ping' }
  | { readonly type: 'timer.silence' }
  | { readonly type: 'timer.blockedTooLong' }
  | { readonly type: 'timer.exitBound' }

/** What the machine asks for. The actors fulfil it. */
export type LoopEffect =
  | 'startThread'
  | 'askToExit'
  | 'endThread'
  | 'forsakeThread'
  | 'replaceThread'
  | 'ping'
  | 'armPing'
  | 'armSilence'
  | 'armBlockedTooLong'
  | 'armExitBound'
  | 'disarmTimers'
  | 'reportReady'
  | 'reportBlocked'
  | 'reportUnblocked'
  | 'reportStopped'
  | 'reportFailed'

const effect = (): void => {}

/** The statechart of a loop. Pure: every effect is a named action (see {@link LoopEffect}). */
export const loopMachine = setup({
  types: {} as { events: LoopEvent },
  actions: {
    startThread: effect,
    askToExit: effect,
    endThread: effect,
    forsakeThread: effect,
    replaceThread: effect,
    ping: effect,
    armPing: effect,
    armSilence: effect,
    armBlockedTooLong: effect,
    armExitBound: effect,
    disarmTimers: effect,
    reportReady: effect,
    reportBlocked: effect,
    reportUnblocked: effect,
    reportStopped: effect,
    reportFailed: effect,
  },
}).createMachine({
  id: 'loop',
  initial: 'stopped',
  states: {
    stopped: {
      on: { 'loop.start': 'starting' },
    },
    starting: {
      entry: 'startThread',
      on: {
        'thread.ready': 'running',
        'thread.failed': 'killing',
        'thread.exited': { target: 'failed', actions: 'reportFailed' },
        'loop.stop': { target: 'terminating', actions: 'endThread' },
        'loop.terminate': { target: 'terminating', actions: 'endThread' },
        'loop.kill': { target: 'killing', actions: 'endThread' },
      },
    },
    running: {
      initial: 'idle',
      entry: 'reportReady',
      exit: 'disarmTimers',
      on: {
        'thread.failed': 'killing',
        'thread.exited': { target: 'failed', actions: 'reportFailed' },
        'loop.stop': 'stopping',
        'loop.terminate': { target: 'terminating', actions: 'endThread' },
        'loop.kill': { target: 'killing', actions: 'endThread' },
      },
      states: {
        idle: {
          on: { 'work.began': 'busy' },
        },
        busy: {
          entry: 'armPing',
          on: { 'timer.ping': 'asked', 'loop.probe': 'asked', 'work.ended': 'idle' },
          exit: 'disarmTimers',
        },
        asked: {
          entry: ['ping', 'armSilence'],
          on: {
            'loop.answered': 'busy',
            // The answer to a ping that is out already may have been on its way when it was asked.
            'loop.probe': { actions: 'ping' },
            'timer.silence': 'blocked',
            'work.ended': 'idle',
          },
          exit: 'disarmTimers',
        },
        blocked: {
          entry: ['reportBlocked', 'armBlockedTooLong'],
          on: {
            'loop.answered': 'busy',
            'loop.probe': { actions: 'ping' },
            // Whoever supervises it ends it: so it is replaced, and counts as no crash.
            'timer.blockedTooLong': { actions: 'replaceThread' },
            'work.ended': 'idle',
          },
          exit: ['disarmTimers', 'reportUnblocked'],
        },
      },
    },
    stopping: {
      entry: ['askToExit', 'armExitBound'],
      exit: 'disarmTimers',
      on: {
        'thread.exited': { target: 'stopped', actions: 'reportStopped' },
        'timer.exitBound': { target: 'terminating', actions: 'endThread' },
        'loop.terminate': { target: 'terminating', actions: 'endThread' },
        'loop.kill': { target: 'terminating', actions: 'endThread' },
      },
    },
    terminating: {
      entry: 'armExitBound',
      exit: 'disarmTimers',
      on: {
        'thread.exited': { target: 'stopped', actions: 'reportStopped' },
        'timer.exitBound': { target: 'stopped', actions: ['forsakeThread', 'reportStopped'] },
      },
    },
    killing: {
      entry: 'armExitBound',
      exit: 'disarmTimers',
      on: {
        'thread.exited': { target: 'failed', actions: 'reportFailed' },
        'timer.exitBound': { target: 'failed', actions: ['forsakeThread', 'reportFailed'] },
        'loop.stop': 'terminating',
        'loop.terminate': 'terminating',
      },
    },
    failed: {
      on: { 'loop.start': 'starting', 'loop.stop': 'stopped', 'loop.terminate': 'stopped' },
    },
  },
})
