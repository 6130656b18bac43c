/** From how a stored task ended to its result, or to the typed error that `run.result` would have rejected with. */
import type { TaskRecord } from '../../actors/store/task-record.ts'
import type { FailureKind, TerminationReason } from '../../machines/model.ts'
import {
  type StatewardError,
  TaskCancelledError,
  TaskFailedError,
  type TaskTerminatedError,
} from '../errors.ts'
import { FAILURE_CODES, failureText, TERMINATION_TEXTS, terminationError } from '../outcome-error.ts'
import { fromStoredError } from './stored-error.ts'
import { readStored } from './stored-task.ts'

/** How a task ended. */
export type StoredOutcome =
  | { readonly kind: 'finished'; readonly value: unknown }
  | { readonly kind: 'ended'; readonly error: StatewardError }

/** `undefined` while it has not ended. */
export function outcomeOf(record: TaskRecord): StoredOutcome | undefined {
  switch (record.state) {
    case 'finished':
      return { kind: 'finished', value: readStored(record.result) }
    case 'failed':
      return { kind: 'ended', error: failedError(record) }
    case 'cancelled':
      return { kind: 'ended', error: cancelledError(record) }
    case 'terminated':
      return { kind: 'ended', error: terminatedError(record) }
    default:
      return undefined
  }
}

function failedError(record: TaskRecord): TaskFailedError {
  const kind = (record.reason ?? 'threw') as FailureKind
  const cause = fromStoredError(record.error)
  return new TaskFailedError(`${title(record)} ${failureText(kind, cause)}`, {
    code: FAILURE_CODES[kind] ?? FAILURE_CODES.threw,
    kind,
    attempts: record.attempt,
    cause,
    ...ids(record),
  })
}

function cancelledError(record: TaskRecord): TaskCancelledError {
  const reason = record.reason ?? record.request?.reason ?? undefined
  return new TaskCancelledError(
    `${title(record)} was cancelled${reason === undefined ? '' : `: ${reason}`}`,
    {
      code: 'ERR_TASK_CANCELLED',
      reason,
      step: stepOf(record),
      ...ids(record),
    },
  )
}

const TEXTS: Readonly<Record<string, string>> = {
  runTimeout: 'ran for too long',
  queueTimeout: 'waited for too long',
  deadline: 'had not ended when its deadline passed',
}

function terminatedError(record: TaskRecord): TaskTerminatedError {
  const reason = record.reason as TerminationReason
  const cause = fromStoredError(record.error)
  const facts = { step: stepOf(record), ...(cause === undefined ? {} : { cause }), ...ids(record) }
  const texts: Readonly<Record<string, string>> = TERMINATION_TEXTS
  const text = TEXTS[reason] ?? `was terminated: ${texts[reason] ?? reason}`
  return terminationError(`${title(record)} ${text}`, reason, facts)
}

/** How hard it was to end it is not stored: only whether anybody held it. */
function stepOf({ holder, endedBy }: TaskRecord): 'none' | 'signal' {
  return holder === null || endedBy !== null ? 'none' : 'signal'
}

function title({ name, id }: TaskRecord): string {
  return `Task "${name}" (run ${id})`
}

function ids({ id, name }: TaskRecord): { runId: string; taskName: string } {
  return { runId: id, taskName: name }
}
