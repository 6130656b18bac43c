/** From what an attempt reported to the event the statechart understands. Late reports end here. */
import type { TaskEvent } from '../machines/task-model.ts'
import type { AttemptHandle, Settlement } from './attempt.ts'
import { CONTROL, type ControlValue, controlOf } from './handler-context.ts'
import type { TaskPool } from './task-pool.ts'
import type { TaskRun } from './task-run.ts'
import { retryInMs } from './task-timers.ts'

/** @returns false when `attempt` is not the one that may speak for the run: its report is dropped */
export function finishAttempt(
  pool: TaskPool,
  run: TaskRun,
  attempt: AttemptHandle,
  settlement: Settlement,
): boolean {
  if (run.attempt !== attempt) return false
  if (settlement.type === 'returned') {
    const control = controlOf(settlement.value)
    if (control === undefined) pool.deliver(run, { type: 'attempt.returned', value: settlement.value })
    else finishControl(pool, run, attempt, control)
  } else if (settlement.type === 'skipped') {
    pool.deliver(run, { type: 'attempt.skipped', reason: settlement.reason })
  } else if (settlement.type === 'snoozed') {
    pool.deliver(run, { type: 'attempt.snoozed', delayMs: settlement.delayMs })
  } else if (settlement.type === 'continued') {
    finishContinued(pool, run, attempt, settlement)
  } else {
    pool.deliver(run, toFailure(pool, run, settlement.type, settlement.error))
  }
  return true
}

function finishControl(pool: TaskPool, run: TaskRun, attempt: AttemptHandle, control: ControlValue): void {
  const kind = control[CONTROL]
  if (kind === 'skip') finishAttempt(pool, run, attempt, { type: 'skipped', reason: control.reason })
  else if (kind === 'snooze') finishAttempt(pool, run, attempt, { type: 'snoozed', delayMs: control.delayMs })
  else finishAttempt(pool, run, attempt, { type: 'continued', call: control.call })
}

function finishContinued(
  pool: TaskPool,
  run: TaskRun,
  attempt: AttemptHandle,
  settlement: Extract<Settlement, { type: 'continued' }>,
): void {
  // The definition of a call from another thread may have to be imported first.
  Promise.resolve()
    .then(() => pool.ports.continuation(run, settlement.call))
    .then(
      (call) => {
        if (run.attempt !== attempt) return
        const { execution, attempts } = call.plan
        pool.deliver(run, { type: 'attempt.continued', execution, attempts, call })
      },
      (error: unknown) => {
        if (run.attempt === attempt) pool.deliver(run, toFailure(pool, run, 'unknownTask', error))
      },
    )
}

function toFailure(
  pool: TaskPool,
  run: TaskRun,
  kind: Exclude<Settlement['type'], 'returned' | 'skipped' | 'snoozed' | 'continued'>,
  error: unknown,
): TaskEvent {
  return { type: 'attempt.failed', kind, error, retryInMs: retryInMs(pool.ports, run, kind, error) }
}
