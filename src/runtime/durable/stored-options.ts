/** Run options as a store keeps them: JSON text, and beside them what is left of the chain that the task is a step of. */
import type { AnyDefinition } from '../../actors/definition.ts'
import { type Checks, check, checkOptions } from '../check.ts'
import type { TaskDefinition } from '../define-task.ts'
import { OptionError } from '../errors.ts'
import { checkLoop, type RunOptions, runOptionChecks } from '../task-options.ts'
import type { ChainLevel } from './chain-levels.ts'
import { fromFinite, toFinite, toStoredJson } from './stored-json.ts'

/** Options that a store keeps with a call: those that are data. */
export interface StoredRunOptions
  extends Pick<
    RunOptions,
    | 'execution'
    | 'loop'
    | 'queueTimeoutMs'
    | 'runTimeoutMs'
    | 'deadlineMs'
    | 'graceMs'
    | 'ageAfterMs'
    | 'context'
  > {
  /** Without `retryIf`, which is the definition's. */
  readonly retry?: Omit<NonNullable<RunOptions['retry']>, 'retryIf'>
  /** Fails as `expired` when no attempt of it has begun by then. @defaultValue never */
  readonly expiresAt?: number | Date
}

export const storedRunOptionChecks: Checks = {
  execution: runOptionChecks.execution as never,
  loop: runOptionChecks.loop as never,
  queueTimeoutMs: check.duration,
  runTimeoutMs: check.duration,
  deadlineMs: check.duration,
  graceMs: check.duration,
  ageAfterMs: check.duration,
  context: runOptionChecks.context as never,
  retry: runOptionChecks.retry as never,
  expiresAt: check.instant,
}

/** A `Date` has become its text on the way. */
export function expiryOf({
  expiresAt = Number.POSITIVE_INFINITY,
}: {
  readonly expiresAt?: number | Date | undefined
}): number {
  return typeof expiresAt === 'number' ? expiresAt : new Date(expiresAt).getTime()
}

/** What a step keeps of the chain that it belongs to. */
export interface StoredChain {
  readonly levels: readonly ChainLevel[]
  /** How old the task was when its step became due, ms: the deadline of a step counts from then. */
  readonly stepAgeMs: number
  /** For all steps, when whoever stored the chain has said so. `metadata` is JSON text. */
  readonly description?: string
  readonly metadata?: string | null
}

/** Of a task that is no step of a chain. */
export const NO_CHAIN: StoredChain = { levels: [], stepAgeMs: 0 }

/** @throws OptionError for options that are wrong or no data */
export function checkStoredOptions(name: string, options: object | undefined, maxBytes: number): void {
  if (options === undefined) return
  checkOptions('options', options, storedRunOptionChecks)
  checkLoop('options', options)
  const { retry, context } = options as RunOptions
  if (retry !== undefined && 'retryIf' in retry) {
    throw new OptionError(
      `retryIf of task "${name}" is a function and cannot be stored. Say it in defineTask().`,
      { code: 'ERR_OPTION_INVALID', taskName: name },
    )
  }
  toStoredJson(`context of task "${name}"`, context, maxBytes)
}

export function optionsToJson(options: object | undefined, chain: StoredChain | undefined): string | null {
  const all = chain === undefined || isEmpty(chain) ? (options ?? {}) : { ...options, chain }
  return Object.keys(all).length === 0 ? null : JSON.stringify(all, toFinite)
}

function isEmpty({ levels, description, metadata }: StoredChain): boolean {
  return levels.length === 0 && description === undefined && metadata === undefined
}

/** @returns both `undefined` when nothing was stored */
export function optionsFromJson(text: string | null): {
  readonly options: StoredRunOptions | undefined
  readonly chain: StoredChain | undefined
} {
  if (text === null) return { options: undefined, chain: undefined }
  const { chain, ...options } = JSON.parse(text, fromFinite) as StoredRunOptions & { chain?: StoredChain }
  return { options, chain }
}

/** Those that a step of a chain runs with: its own, then the chain's, within the deadline of the whole. */
export function stepOptions(
  own: StoredRunOptions,
  { levels, stepAgeMs }: StoredChain,
  definition: AnyDefinition,
): StoredRunOptions | undefined {
  const { execution, loop, deadlineMs, ...common } = (levels.at(-1)?.options ?? {}) as StoredRunOptions
  const isPlaced = own.execution !== undefined || own.loop !== undefined
  const all: StoredRunOptions = {
    ...(isPlaced || execution === undefined ? {} : { execution }),
    ...(isPlaced || loop === undefined ? {} : { loop }),
    ...common,
    ...own,
  }
  if (deadlineMs !== undefined)
    return { ...all, deadlineMs: soonest(all, definition, deadlineMs - stepAgeMs) }
  return Object.keys(all).length === 0 ? undefined : all
}

function soonest({ deadlineMs: own }: StoredRunOptions, definition: AnyDefinition, boundMs: number): number {
  const deadlineMs = own ?? (definition as TaskDefinition).options?.deadlineMs ?? Number.POSITIVE_INFINITY
  return Math.max(0, Math.min(deadlineMs, boundMs))
}
