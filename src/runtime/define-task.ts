/** Task definitions: made once, submitted often, found by name from threads, processes and daemons. */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { commandOf } from '../actors/command.ts'
import { type AnyDefinition, DEFINITION, type TaskCall, type TypedDefinition } from '../actors/definition.ts'
import type { ControlValue, HandlerContext } from '../actors/handler-context.ts'
import type { Outcome } from '../machines/model.ts'
import { type Checks, check, checkOptions, refuse } from './check.ts'
import { type ConditionLike, checkCondition } from './condition-check.ts'
import { OptionError } from './errors.ts'
import {
  checkLoop,
  type RunOptions,
  runOptionChecks,
  SUPERVISOR_LOOP,
  type SubmitOptions,
} from './task-options.ts'
import { both } from './when.ts'

/** Shared by several definitions: a prefix of their names and options under their own. */
export interface TaskGroup extends RunOptions {
  /** Put before every name, for example `'images.'`. */
  readonly prefix: string
  /** Holds for the workers of all of them, together with each one's own. */
  readonly when?: ConditionLike
}

export interface TaskOptions<Input = unknown> extends RunOptions {
  /** Names the task in threads, processes, logs and lists. Any string that is not empty. */
  readonly name: string
  /**
   * `import.meta.url` of the module that exports the definition. Needed wherever the handler must be
   * found again: threads, processes, the durable queue.
   */
  readonly module?: string
  readonly group?: TaskGroup
  /** Makes the id of a run from its input. @defaultValue a UUIDv7 */
  readonly runId?: (definition: TaskDefinition<Input, unknown>, input: Input) => string
  /** What a run does, for people. @defaultValue the name */
  readonly description?: string | ((input: Input) => string)
  /** Plain data to find runs by. */
  readonly metadata?: (input: Input) => Readonly<Record<string, unknown>>
  /**
   * Cleans up after a forced end: called on the supervisor's loop when a run was killed, abandoned or
   * lost its thread or process. What it throws is logged.
   */
  readonly teardown?: (
    input: Input,
    ctx: { readonly runId: string; readonly name: string; readonly attempt: number },
    outcome: Outcome,
  ) => void | Promise<void>
  /** Workers and programs do not submit it; `submit` by hand does. @defaultValue false */
  readonly disabled?: boolean
  /**
   * Of the input, counted up whenever its form changes. A durable queue stores it with every input.
   * @defaultValue 1
   */
  readonly version?: number
  /**
   * Makes an input of this version from a stored one of an older version. Without it, an old input is taken as it
   * is. What it throws fails the run as `invalidInput`; the stored input stays as it was.
   */
  readonly upgrade?: (input: unknown, fromVersion: number) => Input
  /**
   * How far along a run with this input is, 0 to 100: what a durable queue shows when the run, or its next step,
   * begins. `ctx.progress` goes on from there.
   */
  readonly percent?: (input: Input) => number
  /** Workers submit it only while this is true. A submission by hand does not ask. @defaultValue always */
  readonly when?: ConditionLike
}

/** Options of a task whose input a Standard Schema checks (zod, valibot, arktype …). */
export interface SchemaTaskOptions<Schema extends StandardSchemaV1>
  extends TaskOptions<StandardSchemaV1.InferInput<Schema>> {
  /**
   * Checked at submission (if it checks synchronously) and again at execution: `submit` takes what it
   * takes, the handler gets what it puts out.
   */
  readonly schema: Schema
}

/** A definition: pass it to `submit`, or call {@link TaskDefinition.call} to pass it with its input. */
export interface TaskDefinition<Input = unknown, Output = unknown> extends TypedDefinition<Input, Output> {
  readonly name: string
  readonly options: TaskOptions<Input>
  readonly handler: (input: Input, ctx: HandlerContext) => unknown
  /** The definition with an input: for `ctx.next`, `collection` and whatever takes a call. */
  call(input: Input, options?: SubmitOptions): TaskCall<Input, Output>
}

const groupChecks: Checks = { ...runOptionChecks, prefix: check.text, when: checkCondition }

export const taskChecks: Checks = {
  ...runOptionChecks,
  name: check.text,
  module: check.text,
  group: check.options(groupChecks),
  schema: (where, value) => {
    if (typeof (value as StandardSchemaV1 | null)?.['~standard']?.validate !== 'function') {
      refuse(where, 'a Standard Schema (zod, valibot, arktype …)', value)
    }
  },
  runId: check.fn,
  description: check.either('a string or a function', check.text, check.fn),
  metadata: check.fn,
  teardown: check.fn,
  disabled: check.boolean,
  version: check.count(1),
  upgrade: check.fn,
  percent: check.fn,
  when: checkCondition,
}

/** What a definition puts out: what its handler returns, without the words of `ctx`. */
export type TaskOutput<Returned> = Exclude<Awaited<Returned>, ControlValue>

/**
 * Defines a task. The handler gets `(input, ctx)` in every execution.
 *
 * With a schema, `submit` takes what the schema takes and the handler gets what it puts out.
 *
 * @throws OptionError (`ERR_OPTION_INVALID`, `ERR_OPTION_UNKNOWN`) for a bad option;
 *   (`ERR_TASK_MODULE_MISSING`) for a thread or process task without `module`
 */
export function defineTask<Schema extends StandardSchemaV1, Output = unknown>(
  options: SchemaTaskOptions<Schema>,
  handler: (input: StandardSchemaV1.InferOutput<Schema>, ctx: HandlerContext) => Output | Promise<Output>,
): TaskDefinition<StandardSchemaV1.InferInput<Schema>, TaskOutput<Output>>
export function defineTask<Input = void, Output = unknown>(
  options: TaskOptions<Input>,
  handler: (input: Input, ctx: HandlerContext) => Output | Promise<Output>,
): TaskDefinition<Input, TaskOutput<Output>>
export function defineTask<Input>(
  options: TaskOptions<Input> & { readonly schema?: StandardSchemaV1 },
  handler: (input: Input, ctx: HandlerContext) => unknown,
): TaskDefinition<Input, never> {
  checkOptions('defineTask()', options, taskChecks)
  check.text('defineTask().name', options.name)
  if (typeof handler !== 'function')
    refuse('the second argument of defineTask()', 'the handler, a function', handler)
  return makeDefinition(options, handler)
}

/**
 * The definition with these options, which have been checked.
 *
 * @throws OptionError (`ERR_TASK_MODULE_MISSING`)
 */
export function makeDefinition<Input>(
  options: TaskOptions<Input> & { readonly schema?: StandardSchemaV1 },
  handler: (input: Input, ctx: HandlerContext) => unknown,
  own: object = {},
): TaskDefinition<Input, never> {
  const { group } = options
  const merged: typeof options =
    group === undefined
      ? options
      : { ...fromGroup(group, options), ...given(options), ...together(group, options) }
  const when = both(group?.when, options.when)
  const name = `${group?.prefix ?? ''}${options.name}`
  checkLoop('defineTask()', options)
  if (group !== undefined) checkLoop('defineTask().group', group)
  const definition: TaskDefinition<Input, never> = {
    ...own,
    [DEFINITION]: true,
    name,
    module: merged.module,
    schema: merged.schema,
    options: Object.freeze({ ...merged, name, ...(when === undefined ? {} : { when }) }),
    handler,
    call: (input, callOptions) => ({ definition, input, options: callOptions }),
  }
  requireModule(definition, merged.execution, merged.loop)
  return Object.freeze(definition)
}

/**
 * @throws OptionError (`ERR_TASK_MODULE_MISSING`) when a border cannot find the handler again;
 *   (`ERR_OPTION_INVALID`) when a command is to run elsewhere than in its process
 */
export function requireModule(
  definition: AnyDefinition,
  execution: string | undefined,
  loop: string | undefined,
): void {
  const { name, module } = definition
  if (commandOf(definition) !== undefined) {
    if (execution === 'process') return
    refuse(`execution of command "${name}"`, "'process', as it is for every command", execution)
  }
  if (module !== undefined) return
  const onLoop = loop !== undefined && loop !== SUPERVISOR_LOOP
  if (!onLoop && execution !== 'thread' && execution !== 'process') return
  throw new OptionError(
    `Task "${name}" is to run ${onLoop ? `on loop "${loop}", in a thread` : `in a ${execution}`}, which must find its handler by itself. ` +
      'Export the definition from a module of its own and add `module: import.meta.url` to its options.',
    { code: 'ERR_TASK_MODULE_MISSING', taskName: name },
  )
}

/** What is `undefined` counts as not given: it must not hide what the group says. */
function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}

/** What the definition takes from its group: not the loop if it names another place itself. */
/** What levels put together key by key. */
function together(group: TaskGroup, options: RunOptions): RunOptions {
  const { context, parameters } = options
  return {
    ...(group.context === undefined || context === undefined
      ? {}
      : { context: { ...group.context, ...context } }),
    ...(group.parameters === undefined || parameters === undefined
      ? {}
      : { parameters: { ...group.parameters, ...parameters } }),
  }
}

function fromGroup({ prefix: _, loop, ...options }: TaskGroup, { execution }: RunOptions): RunOptions {
  return loop === undefined || execution !== undefined ? options : { ...options, loop }
}
