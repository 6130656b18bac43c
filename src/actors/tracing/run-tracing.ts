/** How whoever traces takes part in what a supervisor's runs do. Without him none of this costs anything. */
import type { TaskFact } from '../../machines/task-model.ts'
import type { TaskRun } from '../task-run.ts'

/** A trace for another thread, another process or another day: what the propagator says, `traceparent` before all. */
export type TraceCarrier = Readonly<Record<string, string>>

/** No method throws. */
export interface RunTracing {
  created(run: TaskRun): void
  announced(run: TaskRun, fact: TaskFact): void
  settled(run: TaskRun): void
  /** Calls `act` within the attempt that is under way: what is traced there belongs to it. */
  within<Result>(run: TaskRun, act: () => Result): Result
  /** The attempt that is under way; `undefined` when there is nothing to carry. */
  attemptCarrier(run: TaskRun): TraceCarrier | undefined
  /** The run as a whole, also when it has ended. */
  runCarrier(run: TaskRun): TraceCarrier | undefined
}
