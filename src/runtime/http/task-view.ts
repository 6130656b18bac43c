/** Tasks as HTTP shows them: JSON, with instants as epoch ms, and without what nobody has asked for. */
import { createHash } from 'node:crypto'
import type { StoredError, StoredTask } from '../durable/stored-task.ts'
import type { Inclusion } from './http-query.ts'

export type TaskView = Omit<StoredTask, 'input' | 'error'> & {
  readonly input?: unknown
  readonly error?: object | undefined
}

export function taskView(task: StoredTask, include: ReadonlySet<Inclusion>): TaskView {
  const { input, error, ...rest } = task
  return {
    ...rest,
    error: error === undefined ? undefined : errorView(error, include.has('stack')),
    ...(include.has('input') ? { input } : {}),
  }
}

export function errorView(error: StoredError, withStack: boolean): object {
  const { stack, cause, properties, ...rest } = error
  const { errors, ...others } = properties
  return {
    ...rest,
    ...(withStack ? { stack } : {}),
    ...(cause === undefined ? {} : { cause: errorView(cause, withStack) }),
    properties: Array.isArray(errors)
      ? { ...others, errors: errors.map((one: StoredError) => errorView(one, withStack)) }
      : properties,
  }
}

/**
 * Says in which of its moments a task is shown: two that are shown alike have one. What only follows from the time that
 * passes, the estimated end, is none of it.
 */
export function revisionOf({ estimatedEndAt: _, result: _r, input: _i, ...task }: StoredTask): string {
  return createHash('sha256').update(JSON.stringify(task)).digest('base64url').slice(0, 16)
}
