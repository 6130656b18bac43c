/** Joins conditions to what they ask about. */
import type { Clock } from '../actors/clock.ts'
import { ConditionWatches, type InstantTimers } from '../actors/condition-watch.ts'
import type { TaskPool } from '../actors/task-pool.ts'
import type { TaskRun } from '../actors/task-run.ts'
import { conditionText } from '../machines/condition-text.ts'
import type { Definitions } from './definitions.ts'
import type { Reporter } from './reporter.ts'
import type { TaskLog } from './task-log.ts'

export interface ConditionParts {
  readonly clock: Clock
  readonly definitions: Definitions
  readonly taskLog: TaskLog
  readonly reporter: Reporter
  readonly timers: InstantTimers
  readonly pool: TaskPool
}

export function conditionWatches(parts: ConditionParts): ConditionWatches {
  const { clock, definitions, taskLog, reporter, timers } = parts
  return new ConditionWatches({
    clock,
    timers,
    entryOf: (name) => definitions.findEntry(name),
    history: (name) => taskLog.history(name),
    running: (name) => parts.pool.registry.live().filter((run) => isRunning(run, name)),
    onFailed: (part, error, owner) =>
      reporter.emit('condition.failed', { condition: conditionText(part), error, owner }),
  })
}

function isRunning(run: TaskRun, name: string): boolean {
  return run.definition.name === name && run.state === 'running'
}
