/** From a call of a task to what a store keeps of it, and back. */
import { type AnyDefinition, isDefinition, type TaskCall } from '../../actors/definition.ts'
import { saidBy } from '../../actors/foreign-value.ts'
import { storableText, versionOf } from '../../actors/storable.ts'
import type { StepCall, StoredCall } from '../../actors/store/task-record.ts'
import type { Priority } from '../../machines/model.ts'
import { type AllInput, allTask } from '../all.ts'
import { type ChainInput, toCalls } from '../chain.ts'
import { refuse } from '../check.ts'
import type { TaskDefinition } from '../define-task.ts'
import { OptionError } from '../errors.ts'
import { checkGivenInput } from '../input-check.ts'
import { CHAIN_NAME, type Due, enter } from './chain-levels.ts'
import { fromCallTag, fromFinite, fromStoredJson, toMetadataJson, toStoredJson } from './stored-json.ts'
import {
  type CallOptions,
  checkStoredOptions,
  NO_CHAIN,
  optionsFromJson,
  optionsToJson,
  refuseStoredOptions,
  type StoredChain,
  stepBand,
  stepOptions,
} from './stored-options.ts'
import { shortDescription } from './stored-text.ts'
import { waitBounds } from './wait-bounds.ts'

/** Finds a definition by its name. */
export type FindDefinition = (name: string) => AnyDefinition | undefined

/** Why a stored call cannot be called; the stored task stays as it was and may be tried again. */
export class CallRefusal extends Error {
  readonly kind: 'unknownTask' | 'invalidInput'

  constructor(message: string, { kind, ...options }: ErrorOptions & { readonly kind: CallRefusal['kind'] }) {
    super(message, options)
    this.kind = kind
  }
}

/**
 * A call as a row: of a chain, its first step, with what comes after it beside.
 *
 * @param maxBytes - of the input as JSON, and of what comes after it
 * @param within - the chain that it goes on in, if it is a step of one, and the band of the whole
 * @throws OptionError for what is no definition, an input that its schema refuses (`ERR_INPUT_INVALID`), that is no JSON
 *   (`ERR_VALUE_NOT_STORABLE`) or too large (`ERR_VALUE_TOO_LARGE`), the same for its metadata, and for options that are
 *   wrong or no data, also of each call of a chain; for an input on which `metadata` throws (`ERR_INPUT_INVALID`)
 */
export function toStoredCall(call: TaskCall, maxBytes: number, within?: StoredChain): StepCall {
  const { definition, input, options } = call
  if (!isDefinition(definition)) refuse('the task', 'a definition made by defineTask()', definition)
  const { name } = definition
  checkStoredOptions(name, options, maxBytes)
  checkGivenInput(definition, input)
  if (name === CHAIN_NAME) return storeChain(call as TaskCall<ChainInput>, maxBytes, within)
  const text = toStoredJson(`input of task "${name}"`, input, maxBytes)
  checkInner(call, maxBytes)
  return {
    name,
    version: versionOf(definition),
    input: text,
    ...placeOf(options, within ?? NO_CHAIN, []),
    ...labelsOf(definition, input, maxBytes, within),
    bounds: waitBounds(options, within, definition),
  }
}

/** What a row says beside the call itself. */
function placeOf(
  options: CallOptions | undefined,
  chain: StoredChain,
  after: readonly unknown[],
): Pick<StepCall, 'options' | 'priority' | 'after'> {
  const { priority: own, ...run } = options ?? {}
  const { band, whole } = stepBand(own, chain)
  const all = chain.after === undefined ? after : [...after, ...chain.after]
  return {
    options: optionsToJson(run, within(chain, whole)),
    ...(band === undefined ? {} : { priority: band }),
    ...(all.length === 0 ? {} : { after: all.map((call) => JSON.stringify(call)) }),
  }
}

/** The chain with the band of the whole, where that of its step is another one. */
function within({ priority: _, ...chain }: StoredChain, whole: Priority | undefined): StoredChain {
  return whole === undefined ? chain : { ...chain, priority: whole }
}

/** The first step of a chain. All of its calls are checked. */
function storeChain(call: TaskCall<ChainInput>, maxBytes: number, within: StoredChain | undefined): StepCall {
  const calls = toCalls('the calls of chain()', call.input?.calls)
  const whole = { ...call, input: { calls } }
  // First, since it finds cycles.
  const text = toStoredJson('the calls of chain()', whole, maxBytes) as string
  for (const step of calls) checkCall(step, maxBytes)
  const due = enter(within?.levels ?? [], fromCallTag(JSON.parse(text)))
  const { definition, input } = firstStep(whole)
  const first = due.call.input === undefined ? null : JSON.stringify(due.call.input)
  return storeDue(due, first, within ?? NO_CHAIN, labelsOf(definition, input, maxBytes, within), definition)
}

function firstStep(call: TaskCall): TaskCall {
  let first = call
  while (first.definition.name === CHAIN_NAME) first = (first.input as ChainInput).calls[0] as TaskCall
  return first
}

/** One of those in a chain or a fork: it is JSON, since the whole is, and is not made a row of before its time. */
function checkCall(call: TaskCall, maxBytes: number): void {
  const { definition, input, options } = call
  const { name } = definition
  checkStoredOptions(name, options, maxBytes)
  checkGivenInput(definition, input)
  metadataOf(definition as TaskDefinition, input, maxBytes)
  if (name !== CHAIN_NAME) return checkInner(call, maxBytes)
  const { calls } = (input ?? {}) as ChainInput
  for (const step of toCalls('the calls of chain()', calls)) checkCall(step, maxBytes)
}

/** What `all` calls is stored with it, so it is checked with it. */
function checkInner({ definition, input }: TaskCall, maxBytes: number): void {
  if (definition !== (allTask as AnyDefinition)) return
  const { calls, join = null } = input as AllInput
  for (const call of toCalls('the calls of all()', calls)) checkCall(call, maxBytes)
  if (join === null) return
  const { definition: joining, options } = join
  if (!isDefinition(joining) || joining.name === CHAIN_NAME || joining === (allTask as AnyDefinition))
    refuse('the join of all()', 'a definition of yours', joining)
  checkStoredOptions(joining.name, options, maxBytes)
}

/**
 * The step of a chain that is due after another one.
 *
 * @param find - for its description and metadata; one that is not known has its name instead
 */
export function toStoredStep(due: Due, chain: StoredChain, find: FindDefinition, maxBytes: number): StepCall {
  const { name, version, input } = due.call
  const definition = find(name)
  const text = input === undefined ? null : JSON.stringify(input)
  let labels: Labels = { description: chain.description ?? name, metadata: chain.metadata ?? null }
  try {
    if (definition !== undefined) {
      const call = hasLabels(definition)
        ? fromStoredCall({ name, version, input: text, options: null }, find)
        : undefined
      labels = labelsOf(definition, call?.input, maxBytes, chain)
    }
  } catch {
    // Whatever is wrong with it is said when it is to run.
  }
  return storeDue(due, text, chain, labels, definition)
}

/** Whether its input makes its description or its metadata. */
function hasLabels(definition: AnyDefinition): boolean {
  const { description, metadata } = (definition as TaskDefinition).options ?? {}
  return typeof description === 'function' || metadata !== undefined
}

type Labels = Pick<StoredCall, 'description' | 'metadata'>

function storeDue(
  { call, levels, after }: Due,
  input: string | null,
  chain: StoredChain,
  labels: Labels,
  definition: AnyDefinition | undefined,
): StepCall {
  const { name, version, options } = call
  return {
    name,
    version,
    input,
    ...placeOf(options, { ...chain, levels }, after),
    ...labels,
    bounds: waitBounds(options, { ...chain, levels }, definition),
  }
}

function labelsOf(
  definition: AnyDefinition,
  input: unknown,
  maxBytes: number,
  within: StoredChain | undefined,
): Labels {
  const own = definition as TaskDefinition
  return {
    description: within?.description ?? descriptionOf(own, input),
    metadata: within?.metadata ?? metadataOf(own, input, maxBytes),
  }
}

type StoredTaskCall = Pick<StoredCall, 'name' | 'version' | 'input' | 'options'>

/** @throws CallRefusal */
export function fromStoredCall(stored: StoredTaskCall, find: FindDefinition): TaskCall {
  const definition = find(stored.name)
  if (definition === undefined) throw new CallRefusal(unknownText(stored.name), { kind: 'unknownTask' })
  const input = upgraded(definition, stored.version, readInput(stored.name, stored.input, find))
  const { options, chain } = optionsFromJson(stored.options)
  const own = chain === undefined ? options : stepOptions(options ?? {}, chain, definition)
  try {
    refuseStoredOptions(stored.name, own)
  } catch (error) {
    const { message } = error as Error
    throw new CallRefusal(message, { kind: 'invalidInput', cause: error })
  }
  return { definition, input, options: own }
}

function readInput(name: string, text: string | null, find: FindDefinition): unknown {
  try {
    return fromStoredJson(text, ({ name: called, version, input, options }) => {
      const definition = find(called)
      if (definition === undefined) throw new CallRefusal(unknownText(called), { kind: 'unknownTask' })
      return { definition, input: upgraded(definition, version, input), options: revived(options) }
    })
  } catch (error) {
    if (error instanceof CallRefusal) throw error
    throw new CallRefusal(`The stored input of task "${name}" is no JSON`, {
      kind: 'invalidInput',
      cause: error,
    })
  }
}

function upgraded(definition: AnyDefinition, version: number, input: unknown): unknown {
  const { name, options } = definition as TaskDefinition
  const own = versionOf(definition)
  if (version === own) return input
  if (version > own) {
    throw new CallRefusal(
      `The stored input of task "${name}" has version ${version}, and the code here knows ${own}: it is older than what stored it`,
      { kind: 'invalidInput' },
    )
  }
  if (options.upgrade === undefined) return input
  try {
    return options.upgrade(input, version)
  } catch (error) {
    throw new CallRefusal(`upgrade() of task "${name}" threw on version ${version}`, {
      kind: 'invalidInput',
      cause: error,
    })
  }
}

function unknownText(name: string): string {
  return `No task called "${name}" is known here. Give its definition to the daemon, then try the run again`
}

function revived(options: object | undefined): object | undefined {
  return options && (JSON.parse(JSON.stringify(options), fromFinite) as object)
}

/** An error in it harms nothing. */
function descriptionOf({ name, options }: TaskDefinition, input: unknown): string {
  const { description = name } = options
  if (typeof description === 'string') return storableText(shortDescription(description))
  try {
    return storableText(shortDescription(String(description(input as never))))
  } catch {
    return name
  }
}

function metadataOf({ name, options }: TaskDefinition, input: unknown, maxBytes: number): string | null {
  let made: unknown
  try {
    made = options.metadata?.(input as never)
  } catch (error) {
    throw new OptionError(
      `Expected an input of task "${name}" that its metadata can be made of: metadata() threw ${saidBy(error) ?? 'nothing'}.`,
      { code: 'ERR_INPUT_INVALID', cause: error },
    )
  }
  return toMetadataJson(name, made, maxBytes)
}
