/** Many tasks as one: together or in order, with all results or the first error. */
import { type AnyDefinition, isDefinition, type TaskCall } from '../actors/definition.ts'
import { PRIORITIES, type Priority } from '../machines/model.ts'
import { type Checks, check, checkOptions, refuse } from './check.ts'
import type { Run } from './run.ts'
import type { Supervisor } from './supervisor.ts'
import type { SubmitOptions } from './task-options.ts'

export interface CollectionOptions {
  /**
   * `together`: all are submitted at once, and admission decides. `inOrder`: one after the other, by
   * priority, and in the given order within one. @defaultValue 'together'
   */
  readonly mode?: 'together' | 'inOrder'
  /**
   * What one failing item means. `collect`: the others go on, its error stands in `errors`. `throw`: the
   * rest is cancelled and `run` rejects with the error. A function is told (the run is
   * `undefined` when it could not even be submitted) and collects. @defaultValue 'collect'
   */
  readonly onError?: 'collect' | 'throw' | ((error: unknown, run: Run | undefined) => void)
}

/** What a collection came to. Results stand in the order of the items; a failed one's is `undefined`. */
export interface CollectionResult {
  readonly ok: boolean
  readonly results: readonly unknown[]
  /** By position of the item. */
  readonly errors: ReadonlyMap<number, unknown>
  readonly runs: readonly Run[]
}

export interface Collection {
  /** Runs all items. May be called again, also while an earlier call goes on. */
  run(supervisor: Supervisor, options?: SubmitOptions): Promise<CollectionResult>
}

const collectionChecks: Checks = {
  mode: check.oneOf('together', 'inOrder'),
  onError: check.either("'collect', 'throw' or a function", check.oneOf('collect', 'throw'), check.fn),
}

/**
 * A collection of calls (`definition.call(input, { priority })`) or of definitions without input.
 *
 * @throws OptionError for an item that is neither, or a bad option
 */
export function collection(
  items: readonly (TaskCall<unknown, unknown> | AnyDefinition)[],
  options: CollectionOptions = {},
): Collection {
  if (!Array.isArray(items)) refuse('collection(items)', 'an array of calls and definitions', items)
  checkOptions('collection()', options, collectionChecks)
  const calls = items.map((item, index): TaskCall => {
    if (isDefinition(item)) return { definition: item, input: undefined, options: undefined }
    const call: TaskCall | null | undefined = item
    if (!isDefinition(call?.definition)) refuse(`collection()[${index}]`, 'a call or a definition', item)
    return call
  })
  const { mode = 'together', onError = 'collect' } = options
  return { run: (supervisor, submitOptions = {}) => runAll(calls, mode, onError, supervisor, submitOptions) }
}

async function runAll(
  calls: readonly TaskCall[],
  mode: 'together' | 'inOrder',
  onError: NonNullable<CollectionOptions['onError']>,
  supervisor: Supervisor,
  options: SubmitOptions,
): Promise<CollectionResult> {
  const results: unknown[] = calls.map(() => undefined)
  const runs: Run[] = []
  const errors = new Map<number, unknown>()
  let given = true
  const one = async (index: number): Promise<void> => {
    const { definition, input, options: own } = calls[index] as TaskCall
    let run: Run | undefined
    // Another item has failed the whole: what was not submitted yet stays so.
    if (!given) return
    try {
      run = supervisor.submit({ definition, input, options: { ...options, ...own } })
      runs[index] = run
      results[index] = await run.result
    } catch (error) {
      errors.set(index, error)
      if (typeof onError === 'function') onError(error, run)
      else if (onError === 'throw') {
        given = false
        for (const other of runs) other?.cancel('another item of the collection failed')
        throw error
      }
    }
  }
  if (mode === 'together') await Promise.all(calls.map((_, index) => one(index)))
  else for (const index of byPriority(calls, options.priority)) await one(index)
  return { ok: errors.size === 0, results, errors, runs }
}

/** Positions of the calls, most urgent first, stable. */
function byPriority(calls: readonly TaskCall[], given: Priority | undefined): number[] {
  const rank = ({ definition, options }: TaskCall): number => {
    const own = (options as SubmitOptions | undefined)?.priority
    const { priority = 'normal' } = (definition as { options?: { priority?: Priority } }).options ?? {}
    return PRIORITIES.indexOf(own ?? given ?? priority)
  }
  return calls
    .map((call, index) => ({ index, rank: rank(call) }))
    .sort((one, other) => one.rank - other.rank || one.index - other.index)
    .map(({ index }) => index)
}
