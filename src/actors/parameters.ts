/**
 * Parameters of runs: values that every attempt finds in `ctx.parameters`. Functions among them, and last results of other
 * tasks, become values at the start of an attempt, in the supervisor, wherever the handler runs.
 */
import type { TaskRun } from './task-run.ts'

export type ParameterValues = Readonly<Record<string, unknown>>

export const NO_PARAMETERS: ParameterValues = Object.freeze({})

const LAST_RESULT: unique symbol = Symbol.for('stateward.lastResult') as never

/** Stands for what another task returned last. */
export interface LastResult {
  readonly [LAST_RESULT]: true
  readonly task: string
  /** When it has returned nothing yet. */
  readonly fallback: { readonly value: unknown } | undefined
}

export function lastResultOf(task: string, fallback: LastResult['fallback']): LastResult {
  return Object.freeze({ [LAST_RESULT]: true as const, task, fallback })
}

function isLastResult(value: unknown): value is LastResult {
  return typeof value === 'object' && value !== null && LAST_RESULT in value
}

/** What a parameter function is told. */
export interface ParameterFacts {
  /** Of the run that it is for. */
  readonly name: string
  readonly input: unknown
  /** From 1. */
  readonly attempt: number
}

/**
 * The values for the attempt that begins.
 *
 * @throws Error that names the parameter: its function threw or returned a promise, or there is no last result
 */
export function makeParameters(run: TaskRun, results: LastResults): ParameterValues {
  const { parameters } = run.plan
  if (parameters === undefined) return NO_PARAMETERS
  const values: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(parameters)) {
    try {
      values[name] = typeof value === 'function' ? call(value as never, run) : resolve(value, results)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(`Parameter "${name}" of task "${run.definition.name}" could not be made: ${why}`, {
        cause: error,
      })
    }
  }
  return Object.freeze(values)
}

function call(make: (facts: ParameterFacts) => unknown, run: TaskRun): unknown {
  const { name } = run.definition
  const value = make({ name, input: run.input, attempt: run.snapshot.context.attempt })
  if (!(value instanceof Promise)) return value
  value.catch(() => {})
  throw new TypeError('its function returned a promise; let the handler await what takes time')
}

function resolve(value: unknown, results: LastResults): unknown {
  if (!isLastResult(value)) return value
  const last = results.of(value.task) ?? value.fallback
  if (last === undefined) throw new Error(`task "${value.task}" has no result yet, and there is no default`)
  return last.value
}

/**
 * The last value of each task that somebody asks for. The first time it is looked up among the ended runs that are
 * remembered anyway; from then on it is kept. Only successes count.
 */
export class LastResults {
  readonly #values: Map<string, { readonly value: unknown } | undefined> = new Map()
  readonly #ended: () => readonly TaskRun[]

  constructor(ended: () => readonly TaskRun[]) {
    this.#ended = ended
  }

  of(task: string): { readonly value: unknown } | undefined {
    if (!this.#values.has(task)) {
      const run = this.#ended().findLast((one) => one.definition.name === task && resultOf(one) !== undefined)
      this.#values.set(task, run === undefined ? undefined : resultOf(run))
    }
    return this.#values.get(task)
  }

  /** A run has ended. */
  note(run: TaskRun): void {
    if (this.#values.size === 0) return
    const { name } = run.definition
    const last = this.#values.has(name) ? resultOf(run) : undefined
    if (last !== undefined) this.#values.set(name, last)
  }
}

function resultOf({ outcome }: TaskRun): { readonly value: unknown } | undefined {
  if (outcome?.kind !== 'finished' || outcome.skipped !== undefined) return undefined
  return { value: outcome.value }
}
