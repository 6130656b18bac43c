/** The task machine, walked: once for every execution and number of attempts. */
import type { SnapshotFrom } from 'xstate'
import { taskMachine } from '../../src/machines/task.ts'
import type { TaskContext, TaskEvent, TaskInput } from '../../src/machines/task-model.ts'
import { type WalkEdge, walkMachine } from '../../src/runtime/testing/machine-walk.ts'

export type TaskSnapshot = SnapshotFrom<typeof taskMachine>
export type TaskEdge = WalkEdge<TaskSnapshot, TaskEvent>

/** At least one event for every branch that a guard can take. */
export const TASK_EVENTS: readonly TaskEvent[] = [
  { type: 'task.submit', delayMs: 0 },
  { type: 'task.submit', delayMs: 10 },
  { type: 'task.admit' },
  { type: 'task.cancel', reason: 'asked' },
  { type: 'task.terminate', reason: 'replaced' },
  { type: 'task.terminate', reason: 'stop', graceMs: 100 },
  { type: 'task.terminate', reason: 'stop', detail: 'twice', graceMs: 20 },
  { type: 'task.kill' },
  { type: 'attempt.started' },
  { type: 'attempt.returned', value: 'value' },
  { type: 'attempt.skipped', reason: 'nothing to do' },
  { type: 'attempt.snoozed', delayMs: 10 },
  { type: 'attempt.continued', execution: 'async', attempts: 1, call: 'call' },
  { type: 'attempt.continued', execution: 'async', loop: 'io', attempts: 1, call: 'call' },
  { type: 'attempt.failed', kind: 'threw', error: 'error', retryInMs: 10 },
  { type: 'attempt.failed', kind: 'invalidInput', error: 'error', retryInMs: undefined },
  { type: 'timer.wakeUp' },
  { type: 'timer.aged' },
  { type: 'timer.queueWarning' },
  { type: 'timer.queueCritical' },
  { type: 'timer.queueTimeout' },
  { type: 'timer.expiry' },
  { type: 'timer.deadline' },
  { type: 'timer.runTimeout', retryInMs: 10 },
  { type: 'timer.runTimeout', retryInMs: undefined },
  { type: 'timer.grace' },
  { type: 'timer.killBound' },
  { type: 'loop.answered' },
  { type: 'timer.probe', answered: true },
  { type: 'timer.probe', answered: false },
]

export const TASK_EVENT_TYPES: readonly string[] = [...new Set(TASK_EVENTS.map(({ type }) => type))]

/** `low` climbs through the bands; the others are walked from a band that cannot climb. */
export const TASK_INPUTS: readonly TaskInput[] = [
  { name: 'walked', execution: 'main', priority: 'high', attempts: 1 },
  { name: 'walked', execution: 'main', priority: 'high', attempts: 2 },
  { name: 'walked', execution: 'async', priority: 'low', attempts: 1 },
  { name: 'walked', execution: 'async', priority: 'critical', attempts: 3 },
  { name: 'walked', execution: 'async', loop: 'io', priority: 'critical', attempts: 2 },
  { name: 'walked', execution: 'thread', priority: 'critical', attempts: 2 },
  { name: 'walked', execution: 'thread', priority: 'high', attempts: 3 },
  { name: 'walked', execution: 'process', priority: 'critical', attempts: 1 },
  { name: 'walked', execution: 'process', priority: 'critical', attempts: 2 },
  { name: 'walked', execution: 'process', priority: 'critical', attempts: 3 },
]

/**
 * What guards look at. Two runs that differ in nothing else are in the same state: the reason of a
 * termination (but for the run timeout), failures and outcomes are only remembered.
 */
export const projectTask = (context: TaskContext): string => {
  const { band, execution, loop, attempts, attempt, delayMs, alarms, graceMs, stop } = context
  const cause = stop?.by === 'terminate' && stop.reason === 'runTimeout' ? stop.reason : stop?.by
  return [band, execution, loop, attempts, attempt, delayMs >= 0, alarms, graceMs, cause].join()
}

export function walkTask(input: TaskInput): TaskEdge[] {
  return walkMachine(taskMachine, { input, events: TASK_EVENTS, project: projectTask, limit: 400_000 })
}
