/** Values of the current run, for code that is given no `ctx`. */
import { type CurrentRun, followRuns, type RunScope } from '../actors/run-scope.ts'
import { OptionError } from './errors.ts'

/** Reads and sets values of the run that the calling code belongs to. */
export interface RunContext<Values extends object> {
  /** The run that the calling code belongs to; `undefined` outside of runs. */
  readonly run: CurrentRun | undefined
  get<Key extends keyof Values & string>(key: Key): Values[Key] | undefined
  has(key: keyof Values & string): boolean
  /** @throws OptionError (`ERR_CONTEXT_NO_RUN`) outside of runs */
  set<Key extends keyof Values & string>(key: Key, value: Values[Key]): void
  /** @returns whether there was one */
  delete(key: keyof Values & string): boolean
  clear(): void
}

/**
 * The context of runs: values that every function a handler calls can read, across awaits and timers, without being given
 * them. It begins with the `context` option of the submission over that of the definition over the supervisor's `defaults`; child runs
 * and next steps begin with a copy of what it holds then. Every attempt begins anew.
 *
 * Call it at the top of a module: handlers that begin after the first call, on that thread, are followed; until then
 * following costs nothing.
 */
export function runContext<Values extends object = Record<string, unknown>>(): RunContext<Values> {
  const store = followRuns()
  const valuesOf = (): RunScope['values'] | undefined => store.getStore()?.values
  return {
    get run() {
      return store.getStore()?.run
    },
    get: (key) => valuesOf()?.get(key) as never,
    has: (key) => valuesOf()?.has(key) ?? false,
    set(key, value) {
      const values = valuesOf()
      if (values === undefined) throw noRun(key)
      values.set(key, value)
    },
    delete: (key) => valuesOf()?.delete(key) ?? false,
    clear: () => valuesOf()?.clear(),
  }
}

function noRun(key: string): OptionError {
  return new OptionError(
    `"${key}" is set outside of a run, where no value can be kept. ` +
      'Set it in a handler or in what a handler calls, and call runContext() at the top of a module.',
    { code: 'ERR_CONTEXT_NO_RUN' },
  )
}
