/** From what an attempt reported to the event the statechart understands. Late reports end here. */
import type { TaskEvent } from '../machines/task-model.ts'
import type { AttemptHandle, Settlement } from './attempt.ts'
import { peek } from './foreign-value.ts'
import { CONTROL, type ControlValue, controlOf } from './handler-context.ts'
import type { TaskRun } from './task-run.ts'
import { retryInMs } from './task-timers.ts'

type Failed = Extract<Settlement, { error: unknown }>

/** @returns false when `attempt` is not the one that may speak for the run: its report is dropped */
export function finishAttempt(run: TaskRun, attempt: AttemptHandle, settlement: Settlement): boolean {
  if (run.attempt !== attempt) return false
  if (settlement.type === 'returned') finishReturned(run, attempt, settlement.value)
  else if (settlement.type === 'skipped') {
    run.pool.deliver(run, { type: 'attempt.skipped', reason: settlement.reason })
  } else if (settlement.type === 'snoozed') {
    run.pool.deliver(run, { type: 'attempt.snoozed', delayMs: settlement.delayMs })
  } else if (settlement.type === 'continued') finishContinued(run, attempt, settlement.call)
  else run.pool.deliver(run, toFailure(run, settlement.type, settlement.error))
  return true
}

/** The handler of the current attempt returned `value`: a result, or a word of `ctx`. */
function finishReturned(run: TaskRun, attempt: AttemptHandle, value: unknown): void {
  const control = controlOf(value)
  if (control === undefined) run.pool.deliver(run, { type: 'attempt.returned', value })
  else finishAttempt(run, attempt, toSettlement(control))
}

function toSettlement(control: ControlValue): Settlement {
  const kind = control[CONTROL]
  if (kind === 'skip') return { type: 'skipped', reason: control.reason }
  if (kind === 'snooze') return { type: 'snoozed', delayMs: control.delayMs }
  return { type: 'continued', call: control.call }
}

function finishContinued(
  run: TaskRun,
  attempt: AttemptHandle,
  call: Extract<Settlement, { type: 'continued' }>['call'],
): void {
  const { pool } = run
  if (run.kept !== undefined) {
    run.kept.word = { kind: 'next', call }
    const { execution, loop, attempts } = run.plan
    const { entry, input, plan } = run
    // It goes no further here: see `handBack`.
    pool.deliver(run, { type: 'attempt.continued', execution, loop, attempts, call: { entry, input, plan } })
    return
  }
  // The definition of a call from another thread may have to be imported first.
  Promise.resolve()
    .then(() => pool.ports.continuation(run, call))
    .then(
      (continuation) => {
        if (run.attempt !== attempt) return
        const { execution, loop, attempts } = continuation.plan
        pool.deliver(run, { type: 'attempt.continued', execution, loop, attempts, call: continuation })
      },
      (error: unknown) => {
        if (run.attempt !== attempt) return
        const refused = peek(error, 'code') === 'ERR_INPUT_INVALID'
        pool.deliver(run, toFailure(run, refused ? 'invalidInput' : 'unknownTask', error))
      },
    )
}

function toFailure(run: TaskRun, kind: Failed['type'], error: unknown): TaskEvent {
  return { type: 'attempt.failed', kind, error, retryInMs: retryInMs(run.pool.ports, run, kind, error) }
}
