/** Stored tasks as they are shown: plain data, read without any code of a task. */
import type { Thrown } from '../../actors/remote/thrown.ts'
import type { TaskRecord } from '../../actors/store/task-record.ts'
import type { Priority, TaskState } from '../../machines/model.ts'
import { publicState } from '../../machines/stored-task.ts'
import { fromStoredJson } from './stored-json.ts'

/** States that a stored task can be in. */
export type StoredTaskState = Exclude<TaskState, 'created'>

/** A thrown value as plain data. */
export interface StoredError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly code: unknown
  readonly cause: StoredError | undefined
  /** Its other own properties; for an AggregateError, its `errors`; of what was no error, the `value`. */
  readonly properties: Readonly<Record<string, unknown>>
}

/** What a queue tells of a task. Instants are epoch ms. */
export interface StoredTask {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly state: StoredTaskState
  readonly priority: Priority
  /** A call of a task in it is shown as `{ task, input }`. */
  readonly input: unknown
  /** Of the definition that the input was made for. */
  readonly version: number
  readonly key: string | undefined
  /** The schedule that it is an occurrence of. */
  readonly schedule: string | undefined
  /** Id of the task that it is a child of: one of the calls of an `all`. */
  readonly parent: string | undefined
  /** Attempts begun, of this step. */
  readonly attempt: number
  /** Steps made before this one. */
  readonly step: number
  /** `undefined` before anything was reported. What has finished is at 100 percent, what has ended otherwise where it was. */
  readonly progress: { readonly percent: number | undefined; readonly note: string | undefined } | undefined
  /**
   * When it will have ended if it goes on as fast as before, from 5 percent on. A task of several steps is counted from
   * `createdAt` on, since the start of its first step is not kept.
   */
  readonly estimatedEndAt: number | undefined
  readonly result: unknown
  /** Of the last attempt that failed, also while another one is waited for. */
  readonly error: StoredError | undefined
  /** Why it ended so: the kind of a failure, the reason of a termination, what a cancel or a skip said. */
  readonly reason: string | undefined
  /** Who stored it. */
  readonly createdBy: string
  readonly createdAt: number
  /** It may run, or may have run, from then on. */
  readonly runAt: number
  /** The last attempt. */
  readonly startedAt: number | undefined
  readonly endedAt: number | undefined
  /** The daemon that has it, or had it last. */
  readonly holder: string | undefined
  /** Somebody wants it to end; `replaced`: because another task has taken its key. */
  readonly endRequest:
    | {
        readonly at: number
        readonly by: string
        readonly reason: string | undefined
        readonly replaced: boolean
      }
    | undefined
}

/** Below that, a guess says nothing. */
const LEAST_PERCENT = 5

/** @param now - epoch ms */
export function toStoredTask(record: TaskRecord, now: number): StoredTask {
  const { state, phase, runAt, percent, note, request } = record
  return {
    id: record.id,
    name: record.name,
    description: record.description ?? record.name,
    metadata: (readStored(record.metadata) as Record<string, unknown> | undefined) ?? {},
    state: publicState(state, phase, runAt, now) as StoredTaskState,
    priority: record.priority,
    input: readStored(record.input),
    version: record.version,
    key: record.key ?? undefined,
    schedule: record.schedule ?? undefined,
    parent: record.parent ?? undefined,
    attempt: record.attempt,
    step: record.step,
    progress:
      percent === null && note === null
        ? undefined
        : { percent: state === 'finished' ? 100 : (percent ?? undefined), note: note ?? undefined },
    estimatedEndAt: estimatedEnd(record, now),
    result: readStored(record.result),
    error: readStoredError(record.error),
    reason: record.reason ?? undefined,
    createdBy: record.createdBy,
    createdAt: record.createdAt,
    runAt,
    startedAt: record.startedAt ?? undefined,
    endedAt: record.endedAt ?? undefined,
    holder: record.holder ?? undefined,
    endRequest: request === null ? undefined : { ...request, reason: request.reason ?? undefined },
  }
}

function estimatedEnd(
  { state, percent, step, startedAt, createdAt }: TaskRecord,
  now: number,
): number | undefined {
  if (
    (state !== 'running' && state !== 'forked') ||
    startedAt === null ||
    percent === null ||
    percent < LEAST_PERCENT
  )
    return undefined
  const from = step === 0 ? startedAt : createdAt
  return Math.round(from + (Math.max(0, now - from) * 100) / percent)
}

/** A stored value, with calls of tasks as plain data; the text itself if it is no JSON. */
export function readStored(text: string | null): unknown {
  try {
    return fromStoredJson(text, ({ name, input }) => ({ task: name, input }) as never)
  } catch {
    return text
  }
}

/** @param text - from `toStoredError` */
export function readStoredError(text: string | null): StoredError | undefined {
  if (text === null) return undefined
  try {
    return toPlainError(JSON.parse(text) as Thrown)
  } catch {
    return {
      name: 'Error',
      message: text,
      stack: undefined,
      code: undefined,
      cause: undefined,
      properties: {},
    }
  }
}

function toPlainError(thrown: Thrown): StoredError {
  if (thrown.kind === 'value') {
    const { value } = thrown
    const message = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
    return {
      name: 'Thrown',
      message,
      stack: undefined,
      code: undefined,
      cause: undefined,
      properties: { value },
    }
  }
  const { name, message, stack, own, cause, errors } = thrown
  const { code, ...rest } = Object.fromEntries(own.map(([key, value]) => [key, toPlainValue(value)]))
  const properties = errors === undefined ? rest : { ...rest, errors: errors.map(toPlainError) }
  return { name, message, stack, code, cause: cause && toPlainError(cause), properties }
}

function toPlainValue(thrown: Thrown): unknown {
  return thrown.kind === 'value' ? thrown.value : toPlainError(thrown)
}
