/** Every event of the loop machine. */
import type { LoopEvent } from '../../src/machines/loop.ts'

export const LOOP_EVENTS: readonly LoopEvent[] = [
  { type: 'loop.start' },
  { type: 'loop.stop' },
  { type: 'loop.terminate' },
  { type: 'loop.kill' },
  { type: 'loop.probe' },
  { type: 'loop.answered' },
  { type: 'thread.ready' },
  { type: 'thread.failed' },
  { type: 'thread.exited' },
  { type: 'work.began' },
  { type: 'work.ended' },
  { type: 'timer.ping' },
  { type: 'timer.silence' },
  { type: 'timer.blockedTooLong' },
  { type: 'timer.exitBound' },
]
