/** The thread and process executors of a supervisor: ours, or the user's own. */
import type { Executor } from '../actors/attempt.ts'
import { CommandExecutor } from '../actors/command-executor.ts'
import type { AnyDefinition } from '../actors/definition.ts'
import { ProcessExecutor } from '../actors/process-executor.ts'
import { BorrowedThreadExecutor } from '../actors/thread-borrowed-executor.ts'
import type { PiscinaLike } from '../actors/thread-borrowed-pool.ts'
import { ThreadExecutor } from '../actors/thread-executor.ts'
import type { Sizing } from './sizing.ts'
import type { SupervisorOptions } from './supervisor-options.ts'

export interface Executors {
  readonly thread: Executor
  readonly process: Executor
  /** Commands: in the slots of processes, but not in ours. */
  readonly command: CommandExecutor
  /** Instead of this event loop. */
  readonly local: Pick<Executor, 'start'> | undefined
}

export function createExecutors(
  options: SupervisorOptions,
  sizing: Sizing,
  logLevel: string,
  definitionOf: (name: string) => AnyDefinition | undefined,
): Executors {
  const { pool = {}, processes = {}, executors = {} } = options
  return {
    thread:
      executors.thread === undefined
        ? new ThreadExecutor({
            min: 0,
            max: sizing.pool.lane.max + sizing.pool.lane.overflow,
            idleTimeoutMs: pool.idleTimeoutMs ?? 10_000,
            resourceLimits: pool.resourceLimits,
            logLevel,
          })
        : borrow(executors.thread, logLevel),
    process:
      executors.process ??
      new ProcessExecutor({
        min: 0,
        max: sizing.processes.lane.max + sizing.processes.lane.overflow,
        idleTimeoutMs: processes.idleTimeoutMs ?? 10_000,
        execArgv: processes.execArgv,
        logLevel,
      }),
    command: new CommandExecutor(definitionOf),
    local: executors.local,
  }
}

/** An Executor is used as it is; anything else is a pool like Piscina's. */
export function borrow(own: PiscinaLike | Executor, logLevel: string): Executor {
  return 'start' in own ? own : new BorrowedThreadExecutor({ pool: own, logLevel })
}
