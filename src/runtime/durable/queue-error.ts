/** From what a store says to errors of this package. */
import type { Refusal } from '../../actors/store/operations.ts'
import { StoreError } from '../../actors/store/store-error.ts'
import type { StoredState } from '../../machines/stored-task.ts'
import { isStatewardError, OptionError, QueueError } from '../errors.ts'

/** @param error - what a store threw, or anything else */
export function toQueueError(error: unknown): Error {
  if (error instanceof StoreError) {
    return new QueueError(error.message, { code: error.code, cause: error.cause ?? error })
  }
  if (isStatewardError(error)) return error
  return new QueueError(`The store of the queue failed: ${String(error)}`, {
    code: 'ERR_STORE_FAILED',
    cause: error,
  })
}

/** Where the word of the store is not the one of the public. */
const STATE_TEXTS: Partial<Record<StoredState, string>> = {
  pending: 'waiting',
  forked: 'waiting for its children',
}

/**
 * @param id - of the task that the call is about
 * @param wish - what cannot be done with it: `be cancelled`
 */
export function refusalError(refusal: Refusal, id: string, wish: string): OptionError {
  const { code } = refusal
  const of = (text: string): OptionError => new OptionError(text, { code, runId: id })
  switch (code) {
    case 'ERR_RUN_UNKNOWN':
      return unknownTask(id)
    case 'ERR_RUN_ID_TAKEN':
      return of(
        `A task with the id "${id}" is in the queue already. Ids are unique, also among those that have ended.`,
      )
    case 'ERR_TASK_KEY_TAKEN':
      return of(`Task "${id}" cannot ${wish}: its key is held by the live task "${refusal.id}".`)
    default:
      return of(`Task "${id}" is ${STATE_TEXTS[refusal.state] ?? refusal.state}: it cannot ${wish}.`)
  }
}

export function unknownTask(id: string): OptionError {
  return new OptionError(
    `No task with the id "${id}" is in the queue. It may have been removed, or pruned by age.`,
    { code: 'ERR_RUN_UNKNOWN', runId: id },
  )
}
