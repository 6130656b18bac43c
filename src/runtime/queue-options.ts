/** Options of queue workers. */
import type { ItemIterable } from '../actors/item-source.ts'
import type { OnStop } from '../machines/worker-model.ts'
import { check, refuse } from './check.ts'
import type { TaskDefinition } from './define-task.ts'
import type { KindChecks, WorkerBase, WorkerBehaviour, WorkerWork } from './worker-options.ts'

/** What of a queue worker `resize` changes while it lives. */
export interface QueueSizes {
  /** Items that run at a time; with 1 strictly one after another. @defaultValue 1 */
  readonly concurrency?: number
  /**
   * Accepted items that may wait; `put` waits for room beyond it. @defaultValue Infinity; with a source as many as
   * `concurrency`
   */
  readonly capacity?: number
}

export interface QueueOverrides<Item = unknown, Output = unknown>
  extends Omit<WorkerBehaviour<Item, Output>, 'input'>,
    QueueSizes {
  /**
   * What a stop does with items that have not begun: `'drain'` works them off within its bound, `'return'` hands
   * them back. What is not worked off within the bound is handed back, too. @defaultValue 'drain'
   */
  readonly onStop?: OnStop
  /**
   * Gives items by itself, pulled only while there is room. Its end ends the worker (done) after the last item; what
   * it throws fails the worker. A worker that is started again asks the iterable for a new iterator.
   */
  readonly source?: ItemIterable<Item>
}

/** Options of `supervisor.workers.queue`. */
export type QueueWorkerOptions<Item = unknown, Output = unknown> = Omit<WorkerBase<Item, Output>, 'input'> &
  WorkerWork<Item, Output> &
  QueueOverrides<Item, Output>

const atLeastOne = check.either('a whole number from 1 on, or Infinity', check.count(1), (_, value) => {
  if (value !== Number.POSITIVE_INFINITY) throw new TypeError()
})

export const sizeChecks = { concurrency: atLeastOne, capacity: atLeastOne }

export const queueChecks: KindChecks = {
  overrides: {
    ...sizeChecks,
    onStop: check.oneOf('drain', 'return'),
    source(where, value) {
      if (!isIterable(value)) refuse(where, 'an iterable or an async iterable', value)
    },
  },
  together(where, options) {
    const { input, task } = options as { input?: unknown; task?: TaskDefinition }
    if (input !== undefined) refuse(where, 'given no input', input, 'The items are the inputs.')
    const { multilaunch, onConflict } = task?.options ?? {}
    if (multilaunch === false && onConflict === 'skip') {
      refuse(
        `${where}.task`,
        "a task without onConflict 'skip'",
        task,
        'Items would be skipped with its runs.',
      )
    }
  },
}

/** @throws OptionError */
export function requireIterable(where: string, value: unknown): void {
  if (!isIterable(value)) refuse(where, 'an iterable or an async iterable', value)
}

function isIterable(value: unknown): boolean {
  if (typeof value === 'string') return false
  const object = value as Partial<Iterable<unknown> & AsyncIterable<unknown>> | null | undefined
  return (
    typeof object?.[Symbol.iterator] === 'function' || typeof object?.[Symbol.asyncIterator] === 'function'
  )
}
