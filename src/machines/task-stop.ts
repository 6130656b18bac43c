/** What the task machine asks of a run that stops: pure questions to its context. */
import type { Outcome } from './model.ts'
import type { TaskContext, TaskEvent } from './task-model.ts'

export const isCancelled = ({ stop }: TaskContext): boolean => stop?.by === 'cancel'

/** Ended by its run timeout: it may be tried again. */
export const isTimedOut = ({ stop }: TaskContext): boolean =>
  stop?.by === 'terminate' && stop.reason === 'runTimeout'

/** On the supervisor's own loop, where nothing can be killed. */
export const isOnOwnLoop = ({ execution, loop }: TaskContext): boolean =>
  execution === 'main' || (execution === 'async' && loop === undefined)

export const isShorterGrace = (context: TaskContext, event: TaskEvent): boolean =>
  event.type === 'task.terminate' &&
  event.graceMs !== undefined &&
  (context.graceMs === undefined || event.graceMs < context.graceMs)

/** @throws Error when it was never told to stop */
export const toOutcome = (context: TaskContext): Outcome => {
  const { stop, step } = context
  if (stop?.by === 'cancel') return { kind: 'cancelled', reason: stop.reason, step }
  if (stop?.by === 'terminate') {
    return { kind: 'terminated', reason: stop.reason, detail: stop.detail, step }
  }
  throw new Error(`A run of ${context.name} ended as stopped without a cause`)
}
