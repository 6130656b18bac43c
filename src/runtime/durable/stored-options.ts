/** Run options as a store keeps them: JSON text, and beside them how far the chain is that the task is a step of. */
import type { AnyDefinition } from '../../actors/definition.ts'
import { toFinite } from '../../actors/storable.ts'
import { PRIORITIES, type Priority } from '../../machines/model.ts'
import { type Checks, check, checkOptions } from '../check.ts'
import type { TaskDefinition } from '../define-task.ts'
import { OptionError } from '../errors.ts'
import { checkLoop, type RunOptions, runOptionChecks } from '../task-options.ts'
import { type ChainLevel, currentLevels } from './chain-levels.ts'
import { fromFinite, toStoredJson } from './stored-json.ts'

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

/** Options of a call that is a step, or one of those of `all`: its band, too. */
export interface CallOptions extends StoredRunOptions {
  readonly priority?: Priority
}

const callOptionChecks: Checks = { ...storedRunOptionChecks, priority: check.oneOf(...PRIORITIES) }

/**
 * What a program of another version, or a hand, has stored may be anything; an option that is not known here is left alone.
 *
 * @throws OptionError
 */
export function refuseStoredOptions(name: string, options: object | undefined): void {
  if (options === undefined) return
  for (const [option, value] of Object.entries(options)) {
    const checking = Object.hasOwn(storedRunOptionChecks, option) ? storedRunOptionChecks[option] : undefined
    const given = option === 'expiresAt' ? expiryOf(options) : value
    if (value !== undefined) checking?.(`${option} of the stored task "${name}"`, given)
  }
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
  /** For all steps, when whoever stored the chain has said so: as the row has them. `metadata` is JSON text. */
  readonly description?: string
  readonly metadata?: string | null
  /** Of the task as a whole, as it was enqueued: the deadline counts from its beginning, and goes before those of definitions. */
  readonly deadlineMs?: number
  readonly context?: object
  /** Band of the task as a whole, while that of its step is another one. */
  readonly priority?: Priority
  /** Tagged calls that stood in the levels of a row of an older version. They are stored beside it with its next step. */
  readonly after?: readonly unknown[]
}

type Labels = { readonly description: string | null; readonly metadata: string | null }

/** Rows of older versions have the texts themselves there. */
const AS_IN_ROW = true

function labelsIn({ description, metadata }: StoredChain, row: Labels | undefined): Partial<StoredChain> {
  const isInRow = (label: unknown): boolean => label === AS_IN_ROW
  return {
    ...(isInRow(description) ? { description: row?.description ?? undefined } : {}),
    ...(isInRow(metadata) ? { metadata: row?.metadata } : {}),
  } as Partial<StoredChain>
}

const NEVER_MS = Number.POSITIVE_INFINITY

/** Of a task that is no step of a chain. */
export const NO_CHAIN: StoredChain = { levels: [], stepAgeMs: 0 }

/** @throws OptionError for options that are wrong or no data */
export function checkStoredOptions(name: string, options: object | undefined, maxBytes: number): void {
  if (options === undefined) return
  checkOptions('options', options, callOptionChecks)
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

/** Labels stand in the row: beside it is only said that they hold for all steps. */
export function optionsToJson(options: object | undefined, chain: StoredChain | undefined): string | null {
  const { after: _, description, metadata, ...rest } = chain ?? NO_CHAIN
  const kept = {
    ...rest,
    ...(description === undefined ? {} : { description: AS_IN_ROW }),
    ...(metadata === undefined ? {} : { metadata: AS_IN_ROW }),
  }
  const all = isEmpty(kept) ? (options ?? {}) : { ...options, chain: kept }
  return Object.keys(all).length === 0 ? null : JSON.stringify(all, toFinite)
}

function isEmpty({ levels, stepAgeMs: _, ...whole }: Omit<StoredChain, 'description' | 'metadata'>): boolean {
  return levels.length === 0 && Object.values(whole).every((said) => said === undefined)
}

/** What a task that goes on as another call takes with it: what was said of it as a whole, when it was enqueued. */
export function wholeOf(
  { step, options: text }: { readonly step: number; readonly options: string | null },
  chain: StoredChain | undefined,
): StoredChain | undefined {
  // Later it stands in the chain, and the options of a step of one are those of the step.
  if (step > 0 || text === null || (chain !== undefined && chain.levels.length > 0)) return chain
  const { deadlineMs, context } = optionsFromJson(text).options ?? {}
  return {
    ...(chain ?? NO_CHAIN),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(context === undefined ? {} : { context }),
  }
}

/** @returns how old the task may be when its steps end, ms */
export function boundOf({ levels, deadlineMs = NEVER_MS }: StoredChain): number {
  const { deadlineMs: level = NEVER_MS } = (levels.at(-1)?.options ?? {}) as StoredRunOptions
  return Math.min(deadlineMs, level)
}

/**
 * @param row - has the labels that hold for all steps
 * @returns both `undefined` when nothing was stored
 */
export function optionsFromJson(
  text: string | null,
  row?: Labels,
): {
  readonly options: StoredRunOptions | undefined
  readonly chain: StoredChain | undefined
} {
  if (text === null) return { options: undefined, chain: undefined }
  const {
    chain,
    trace: _,
    ...options
  } = JSON.parse(text, fromFinite) as StoredRunOptions & {
    chain?: StoredChain
    trace?: unknown
  }
  return { options, chain: chain && { ...chain, ...labelsIn(chain, row), ...currentLevels(chain.levels) } }
}

/** The band of a step: its own, else that of its chain, else that of the whole. */
export function stepBand(
  own: Priority | undefined,
  { levels, priority: whole }: StoredChain,
): { readonly band: Priority | undefined; readonly whole: Priority | undefined } {
  const band = own ?? (levels.at(-1)?.options as CallOptions | undefined)?.priority ?? whole
  return { band, whole: band === whole ? undefined : whole }
}

/** Those that a step runs with: its own, then the chain's, within the deadline of the whole. */
export function stepOptions(
  own: StoredRunOptions,
  chain: StoredChain,
  definition: AnyDefinition,
): StoredRunOptions | undefined {
  const {
    execution,
    loop,
    deadlineMs,
    priority: _,
    ...common
  } = (chain.levels.at(-1)?.options ?? {}) as CallOptions
  const isPlaced = own.execution !== undefined || own.loop !== undefined
  const all: StoredRunOptions = {
    ...(isPlaced || execution === undefined ? {} : { execution }),
    ...(isPlaced || loop === undefined ? {} : { loop }),
    ...common,
    ...own,
    ...(chain.context === undefined
      ? {}
      : { context: { ...chain.context, ...common.context, ...own.context } }),
  }
  if (deadlineMs !== undefined || chain.deadlineMs !== undefined)
    return { ...all, deadlineMs: soonest(all, definition, chain) }
  return Object.keys(all).length === 0 ? undefined : all
}

function soonest(
  { deadlineMs: own }: StoredRunOptions,
  definition: AnyDefinition,
  chain: StoredChain,
): number {
  const usual =
    chain.deadlineMs === undefined ? (definition as TaskDefinition).options?.deadlineMs : undefined
  return Math.max(0, Math.min(own ?? usual ?? NEVER_MS, boundOf(chain) - chain.stepAgeMs))
}
