/** A run of this process as the stored task that it is not: what a queue would tell of it. */
import type { TaskRun } from '../../actors/task-run.ts'
import type { Outcome } from '../../machines/model.ts'
import { toStoredError } from '../durable/stored-error.ts'
import { readStoredError, type StoredTask, type StoredTaskState } from '../durable/stored-task.ts'
import { toJson } from '../inspector/to-json.ts'
import type { Run } from '../run.ts'

/** Those that have ended change no more, and what they gave may be large. */
const ended = new WeakMap<TaskRun, StoredTask>()

/** @param by - who has taken it: the supervisor */
export function runView(run: TaskRun, handle: Run, by: string): StoredTask {
  const known = ended.get(run)
  if (known !== undefined) return known
  const view = viewOf(run, handle, by)
  if (view.endedAt !== undefined) ended.set(run, view)
  return view
}

function viewOf(run: TaskRun, handle: Run, by: string): StoredTask {
  const { outcome, state, progressed } = handle
  const createdAt = handle.submittedAt
  const percent = state === 'finished' ? 100 : progressed?.percent
  return {
    id: handle.id,
    name: handle.name,
    description: handle.description,
    metadata: toJson(handle.metadata) as Record<string, unknown>,
    // It is queued before anybody can ask.
    state: (state === 'created' ? 'queued' : state) as StoredTaskState,
    priority: handle.priority,
    input: run.input === undefined ? undefined : toJson(run.input),
    version: 1,
    key: undefined,
    schedule: undefined,
    parent: run.parent?.knownId,
    attempt: handle.attempt,
    step: 0,
    progress:
      progressed === undefined && percent === undefined ? undefined : { percent, note: progressed?.note },
    estimatedEndAt: undefined,
    ...endOf(outcome),
    createdBy: by,
    createdAt,
    runAt: run.runAt < 0 ? createdAt : run.runAt,
    startedAt: handle.startedAt,
    endedAt: handle.endedAt,
    holder: undefined,
    endRequest: undefined,
  }
}

function endOf(outcome: Outcome | undefined): Pick<StoredTask, 'result' | 'error' | 'reason'> {
  switch (outcome?.kind) {
    case 'finished': {
      const { value, skipped } = outcome
      return { result: value === undefined ? undefined : toJson(value), error: undefined, reason: skipped }
    }
    case 'failed': {
      const { kind, error } = outcome.failure
      return { result: undefined, error: errorOf(error), reason: kind }
    }
    case 'cancelled':
      return { result: undefined, error: undefined, reason: textOf(outcome.reason) }
    case 'terminated':
      return { result: undefined, error: errorOf(outcome.detail), reason: outcome.reason }
    default:
      return { result: undefined, error: undefined, reason: undefined }
  }
}

function errorOf(error: unknown): StoredTask['error'] {
  return error === undefined ? undefined : readStoredError(toStoredError(error))
}

function textOf(reason: unknown): string | undefined {
  return reason === undefined ? undefined : String(toJson(reason))
}
