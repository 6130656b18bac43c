/** The machines of a daemon, walked. */
import type { SnapshotFrom } from 'xstate'
import { type DaemonContext, type DaemonEvent, daemonMachine } from '../../src/machines/daemon.ts'
import { type WalkEdge, walkMachine } from '../../src/runtime/testing/machine-walk.ts'

export type DaemonEdge = WalkEdge<SnapshotFrom<typeof daemonMachine>, DaemonEvent>

const never = Number.POSITIVE_INFINITY

const DAEMON_EVENTS: readonly DaemonEvent[] = [
  { type: 'daemon.start' },
  { type: 'daemon.registered' },
  { type: 'daemon.nudge' },
  { type: 'place.freed' },
  { type: 'claim.answered', isFull: true, answer: 'some' },
  { type: 'claim.answered', isFull: false, answer: 'some' },
  { type: 'store.failed', error: 'away' },
  { type: 'store.silent', error: 'silent' },
  { type: 'store.answered' },
  { type: 'timer.backoff' },
  // No bound, a far one, a near one, one whose signal is due, one that is due as a whole.
  { type: 'daemon.stop', plan: { at: 0, signalAt: never, killAt: never } },
  { type: 'daemon.stop', plan: { at: 0, signalAt: 20, killAt: 40 } },
  { type: 'daemon.stop', plan: { at: 0, signalAt: 10, killAt: 20 } },
  { type: 'daemon.stop', plan: { at: 2, signalAt: 2, killAt: 12 } },
  { type: 'daemon.stop', plan: { at: 3, signalAt: 3, killAt: 3 } },
  { type: 'daemon.hurry' },
  { type: 'daemon.kill', at: 1 },
  { type: 'timer.signal' },
  { type: 'timer.kill' },
  { type: 'timer.end' },
  { type: 'daemon.drained' },
  { type: 'outbox.emptied' },
  { type: 'daemon.left' },
]

export const DAEMON_EVENT_TYPES: readonly string[] = [...new Set(DAEMON_EVENTS.map(({ type }) => type))]

/** Failures are counted without end: the walk tells the first one from none. */
const project = ({ failures, plan }: DaemonContext): string =>
  [Math.min(failures, 1), plan.signalAt, plan.killAt].join()

export function walkDaemon(): DaemonEdge[] {
  return walkMachine(daemonMachine, { input: undefined, events: DAEMON_EVENTS, project, limit: 50_000 })
}
