/**
 * `stateward/testing`: what tests of supervised code need, and walks through machines.
 *
 * @packageDocumentation
 */
export type { Clock } from '../../actors/clock.ts'
export type { FaultPoint } from '../../actors/store/fault-point.ts'
export { type FaultOptions, FaultPoints } from './fault-points.ts'
export type { HeldAttempt } from './held-work.ts'
export { atomicStates, declaredTransitions, type Uncovered, uncovered } from './machine-coverage.ts'
export { checkEdges, type ReplayReport, replay, type SystemUnderTest, tourOf } from './machine-replay.ts'
export {
  count,
  stateOf,
  type WalkEdge,
  type WalkEffect,
  type WalkOptions,
  walkMachine,
} from './machine-walk.ts'
export { ManualClock, type ManualClockOptions } from './manual-clock.ts'
export {
  type EventMatch,
  type EventPair,
  type EventRecorder,
  type EventTable,
  type RecordableSource,
  type RecordedEvent,
  recordEvents,
} from './record-events.ts'
export {
  createTestSupervisor,
  type LoggedLine,
  type TestSupervisor,
  type TestSupervisorOptions,
} from './test-supervisor.ts'
export { transitionTable } from './transition-table.ts'
