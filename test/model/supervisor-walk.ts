/** The supervisor machine, walked with plans that are due, finite and without bound. */
import type { SnapshotFrom } from 'xstate'
import {
  type SupervisorContext,
  type SupervisorEvent,
  supervisorMachine,
} from '../../src/machines/supervisor.ts'
import { type WalkEdge, walkMachine } from '../../src/runtime/testing/machine-walk.ts'

export type SupervisorSnapshot = SnapshotFrom<typeof supervisorMachine>
export type SupervisorEdge = WalkEdge<SupervisorSnapshot, SupervisorEvent>

const never = Number.POSITIVE_INFINITY

export const SUPERVISOR_EVENTS: readonly SupervisorEvent[] = [
  { type: 'supervisor.start' },
  { type: 'supervisor.prepared' },
  { type: 'loops.started' },
  { type: 'startup.ended' },
  { type: 'children.started' },
  { type: 'supervisor.startFailed', error: 'no thread' },
  { type: 'supervisor.pause' },
  { type: 'supervisor.resume' },
  // No bound, a far one, a near one, one that signals late, one that kills late, one that is due.
  { type: 'supervisor.stop', plan: { at: 0, signalAt: never, killAt: never, endQueued: false } },
  { type: 'supervisor.stop', plan: { at: 0, signalAt: 20, killAt: 40, endQueued: false } },
  { type: 'supervisor.stop', plan: { at: 0, signalAt: 5, killAt: 10, endQueued: true } },
  { type: 'supervisor.stop', plan: { at: 0, signalAt: 15, killAt: 15, endQueued: false } },
  { type: 'supervisor.stop', plan: { at: 2, signalAt: 2, killAt: never, endQueued: false } },
  { type: 'supervisor.stop', plan: { at: 2, signalAt: 2, killAt: 12, endQueued: false } },
  { type: 'supervisor.stop', plan: { at: 3, signalAt: 3, killAt: 3, endQueued: false } },
  {
    type: 'supervisor.escalate',
    error: 'too many restarts',
    plan: { at: 4, signalAt: 24, killAt: 34, endQueued: true },
  },
  { type: 'children.ended', plan: { at: 6, signalAt: 6, killAt: 16, endQueued: true } },
  { type: 'supervisor.drained' },
  { type: 'shutdown.ended' },
  { type: 'loops.ended' },
  { type: 'supervisor.closed' },
  { type: 'timer.signal' },
  { type: 'timer.kill' },
]

export const SUPERVISOR_EVENT_TYPES: readonly string[] = [
  ...new Set(SUPERVISOR_EVENTS.map(({ type }) => type)),
]

export const projectSupervisor = ({ plan, error, hasRun }: SupervisorContext): string =>
  [plan?.signalAt, plan?.killAt, plan?.endQueued, error, hasRun].join()

export function walkSupervisor(): SupervisorEdge[] {
  return walkMachine(supervisorMachine, {
    input: { id: 'walked' },
    events: SUPERVISOR_EVENTS,
    project: projectSupervisor,
    limit: 20_000,
  })
}
