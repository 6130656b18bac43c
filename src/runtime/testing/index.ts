/** Entry `stateward/testing`: what tests of supervised code need. */
export type { Clock } from '../../actors/clock.ts'
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
