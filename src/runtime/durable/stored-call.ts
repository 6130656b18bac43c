/** From a call of a task to what a store keeps of it, and back. */
import { type AnyDefinition, isDefinition, type TaskCall } from '../../actors/definition.ts'
import type { StoredCall } from '../../actors/store/task-record.ts'
import { type Checks, check, checkOptions, refuse } from '../check.ts'
import type { TaskDefinition } from '../define-task.ts'
import { OptionError } from '../errors.ts'
import { checkGivenInput } from '../input-check.ts'
import { checkLoop, type RunOptions, runOptionChecks } from '../task-options.ts'
import { fromStoredJson, toStoredJson, versionOf } from './stored-json.ts'

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
}

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
 * @param maxBytes - of the input as JSON
 * @throws OptionError for what is no definition, an input that its schema refuses (`ERR_INPUT_INVALID`), that is no JSON
 *   (`ERR_VALUE_NOT_STORABLE`) or too large (`ERR_VALUE_TOO_LARGE`), the same for its metadata, and for options that are
 *   wrong or no data; throws what `metadata` throws
 */
export function toStoredCall({ definition, input, options }: TaskCall, maxBytes: number): StoredCall {
  if (!isDefinition(definition)) refuse('the task', 'a definition made by defineTask()', definition)
  const { name } = definition
  if (options !== undefined) {
    checkOptions('options', options, storedRunOptionChecks)
    checkLoop('options', options)
  }
  checkGivenInput(definition, input)
  return {
    name,
    version: versionOf(definition),
    input: toStoredJson(`input of task "${name}"`, input, maxBytes),
    options: optionsToJson(name, options as StoredRunOptions | undefined, maxBytes),
    description: descriptionOf(definition as TaskDefinition, input),
    metadata: metadataOf(definition as TaskDefinition, input, maxBytes),
  }
}

/** @throws CallRefusal */
export function fromStoredCall(
  stored: Pick<StoredCall, 'name' | 'version' | 'input' | 'options'>,
  find: FindDefinition,
): TaskCall {
  const definition = find(stored.name)
  if (definition === undefined) throw new CallRefusal(unknownText(stored.name), { kind: 'unknownTask' })
  const input = upgraded(definition, stored.version, readInput(stored.name, stored.input, find))
  return { definition, input, options: optionsFromJson(stored.options) }
}

function readInput(name: string, text: string | null, find: FindDefinition): unknown {
  try {
    return fromStoredJson(text, ({ name: called, version, input, options }) => {
      const definition = find(called)
      if (definition === undefined) throw new CallRefusal(unknownText(called), { kind: 'unknownTask' })
      return { definition, input: upgraded(definition, version, input), options }
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

/** JSON has no `Infinity`, which means never. */
const NEVER = 'Infinity'

function optionsToJson(name: string, options: StoredRunOptions | undefined, maxBytes: number): string | null {
  if (options === undefined || Object.keys(options).length === 0) return null
  if (options.retry !== undefined && 'retryIf' in options.retry) {
    throw new OptionError(
      `retryIf of task "${name}" is a function and cannot be stored. Say it in defineTask().`,
      { code: 'ERR_OPTION_INVALID', taskName: name },
    )
  }
  toStoredJson(`context of task "${name}"`, options.context, maxBytes)
  return JSON.stringify(options, (_, value) => (value === Number.POSITIVE_INFINITY ? NEVER : value))
}

function optionsFromJson(text: string | null): StoredRunOptions | undefined {
  if (text === null) return undefined
  return JSON.parse(text, (_, value) => (value === NEVER ? Number.POSITIVE_INFINITY : value))
}

/** An error in it harms nothing. */
function descriptionOf({ name, options }: TaskDefinition, input: unknown): string {
  const { description = name } = options
  if (typeof description === 'string') return description
  try {
    return String(description(input as never))
  } catch {
    return name
  }
}

function metadataOf({ name, options }: TaskDefinition, input: unknown, maxBytes: number): string | null {
  return toStoredJson(`metadata of task "${name}"`, options.metadata?.(input as never), maxBytes)
}
