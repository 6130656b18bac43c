/** What the loop machine's named effects do. */
import type { LoopEffect, loopMachine } from '../machines/loop.ts'
import type { LoopExecutor } from './loop-executor.ts'
import type { DriverEffects } from './machine-driver.ts'

export type LoopTimer = 'timer.ping' | 'timer.silence' | 'timer.blockedTooLong'

/** From the last sign of life to the next ping. */
const PING_AFTER_MS = 250
/** How long a ping may stay unanswered. */
const SILENT_AFTER_MS = 500

type Effect = (loop: LoopExecutor) => void

const EFFECTS: { readonly [K in LoopEffect]: Effect } = {
  startThread: (loop) => loop.startThread(),
  askToExit: (loop) => loop.askToExit(),
  endThread: (loop) => loop.endThread(),
  forsakeThread: (loop) => loop.forsakeThread(),
  replaceThread: (loop) => loop.replaceBlocked(),
  ping: (loop) => loop.ping(),
  armPing: (loop) => loop.arm('timer.ping', PING_AFTER_MS),
  armSilence: (loop) => loop.arm('timer.silence', SILENT_AFTER_MS),
  armBlockedTooLong: (loop) => loop.arm('timer.blockedTooLong', loop.killLeftMs),
  armExitBound: (loop) => loop.armExitBound(),
  disarmTimers: (loop) => loop.disarm(),
  reportReady: (loop) => loop.handOverWaiting(),
  reportBlocked: (loop) => loop.reportBlocked(),
  reportUnblocked: (loop) => loop.reportUnblocked(),
  reportStopped: (loop) => loop.reportStopped(),
  reportFailed: (loop) => loop.reportFailed(),
}

export const LOOP_EFFECTS: DriverEffects<LoopExecutor, typeof loopMachine> = EFFECTS
