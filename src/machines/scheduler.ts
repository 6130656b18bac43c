/**
 * One life of the user's own scheduler.
 *
 * ```
 * idle → running → stopping → stopped
 *           │          └→ abandoned
 *           └→ done, failed
 * ```
 *
 * - `idle`: not started yet.
 * - `running`: its `loop(signal)` goes on. One that has no loop just waits to be stopped.
 * - `stopping`: the signal was aborted and `stop()` was called; both are awaited.
 * - `done`: the loop ended by itself. `failed`: it threw. `stopped`: it ended after it was asked to.
 * - `abandoned`: it was not gone within its bound. Code on this loop cannot be ended: it goes on, and what
 *   comes of it is heard no more.
 *
 * The machine is authoritative for the one exit that is reported. What the loop throws once it was told to
 * stop is reported as an error, but is no failure.
 */
import { setup } from 'xstate'

export type SchedulerEvent =
  | { readonly type: 'scheduler.start' }
  | { readonly type: 'scheduler.stop' }
  | { readonly type: 'scheduler.kill' }
  | { readonly type: 'loop.ended' }
  | { readonly type: 'loop.failed'; readonly error: unknown }
  /** Its loop and its `stop()` have both settled. */
  | { readonly type: 'scheduler.settled' }

export type SchedulerEffect =
  | 'startLoop'
  | 'abortLoop'
  | 'callStop'
  | 'reportReady'
  | 'reportDone'
  | 'reportFailure'
  | 'reportStopped'
  | 'noteAbandoned'

const effect = (): void => {}

/** The statechart of an own scheduler. Pure: every effect is a named action. */
export const schedulerMachine = setup({
  types: {} as { events: SchedulerEvent },
  actions: {
    startLoop: effect,
    abortLoop: effect,
    callStop: effect,
    reportReady: effect,
    reportDone: effect,
    reportFailure: effect,
    reportStopped: effect,
    noteAbandoned: effect,
  },
}).createMachine({
  id: 'scheduler',
  initial: 'idle',
  states: {
    idle: {
      on: {
        'scheduler.start': { target: 'running' },
        'scheduler.stop': { target: 'stopped' },
        'scheduler.kill': { target: 'stopped' },
      },
    },
    running: {
      entry: ['reportReady', 'startLoop'],
      on: {
        'loop.ended': { target: 'done' },
        'loop.failed': { target: 'failed' },
        'scheduler.stop': { target: 'stopping' },
        // Whoever has no time to wait is still told to go.
        'scheduler.kill': { target: 'abandoned', actions: ['abortLoop', 'callStop'] },
      },
    },
    stopping: {
      entry: ['abortLoop', 'callStop'],
      on: {
        'scheduler.settled': { target: 'stopped' },
        'scheduler.kill': { target: 'abandoned' },
      },
    },
    done: { type: 'final', entry: 'reportDone' },
    failed: { type: 'final', entry: 'reportFailure' },
    stopped: { type: 'final', entry: 'reportStopped' },
    abandoned: { type: 'final', entry: ['noteAbandoned', 'reportStopped'] },
  },
})
