/** What the actions of the worker machines do: one table for all kinds. */
import type { CompiledLogic } from '../machines/compile.ts'
import type { RunCause, SkipReason, TickOccasion, WorkerFact } from '../machines/worker-model.ts'
import type { DriverEffects, DriverOptions } from './machine-driver.ts'
import type { WorkerActor } from './worker.ts'
import type { WorkerMachine } from './worker-plan.ts'
import type { WorkerPorts } from './worker-ports.ts'

const REPLACED = { type: 'task.terminate', reason: 'replaced', graceMs: 0 } as const
const STOPPED = { type: 'task.terminate', reason: 'stop' } as const
const CANCELLED = { type: 'task.cancel', reason: 'a newer occurrence of its worker' } as const

/** What the actions of the machines do, for all kinds. */
export const WORKER_EFFECTS: DriverEffects<WorkerActor, WorkerMachine> = {
  callBeforeStart: (worker) => worker.callBeforeStart(),
  reportReady: (worker) => worker.reportReady(),
  callBeforeStop: (worker) => worker.callStopHook('beforeStop'),
  callAfterStop: (worker) => worker.callStopHook('afterStop'),
  reportExit: (worker) => worker.reportExit(),
  armTick: (worker, { after }: { after: TickOccasion }) => worker.armTick(after),
  armBackoff: (worker) => worker.armBackoff(),
  disarm: (worker) => worker.disarm(),
  startRun: (worker, { by }: { by: RunCause }) => worker.startRun(by),
  cancelRuns: (worker) => worker.tellRuns(CANCELLED),
  terminateRuns: (worker) => worker.tellRuns(REPLACED),
  endUnbegun: (worker) => worker.endUnbegun(STOPPED),
  signalRuns: (worker) => worker.tellRuns(STOPPED),
  killRuns: (worker) => worker.killRuns(),
  skip: (worker, { reason, count }: { reason: SkipReason; count: number }) => worker.skip(reason, count),
  announce: (worker, { fact }: { fact: WorkerFact }) => worker.announce(fact),
}

/** What the drivers of all workers of a kind share. */
export function workerDriverOptions(
  logic: CompiledLogic<WorkerMachine>,
  { onError, tracer }: Pick<WorkerPorts, 'onError' | 'tracer'>,
  effects: DriverEffects<WorkerActor, WorkerMachine> = WORKER_EFFECTS,
): DriverOptions<WorkerActor, WorkerMachine> {
  const traced = { tracer, machine: 'worker', idOf: ({ id }: WorkerActor) => id }
  return { logic, input: undefined as never, effects, onError, traced }
}
