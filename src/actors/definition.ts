/** Task definitions as every layer above the machines sees them, and how a border finds them again. */
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { HandlerContext } from './handler-context.ts'

/** Brand that survives several copies of this package in one process. */
export const DEFINITION: unique symbol = Symbol.for('stateward.definition') as never

/** A definition with one input, ready to be submitted, continued with or stored. */
export interface TaskCall<Input = unknown, Output = unknown> {
  readonly definition: AnyDefinition
  readonly input: Input
  readonly options: object | undefined
  /** Carries the output type; never set. */
  readonly _output?: Output
}

/** What borders and executors need to know of a definition. Options are checked by `defineTask`. */
export interface AnyDefinition {
  readonly [DEFINITION]: true
  readonly name: string
  /** `import.meta.url` of the defining module, or `undefined` for handlers of this loop only. */
  readonly module: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: handlers of every input and output meet here
  readonly handler: (input: any, ctx: HandlerContext) => unknown
  readonly schema: StandardSchemaV1 | undefined
}

/** A definition with its types. */
export interface TypedDefinition<Input, Output> extends AnyDefinition {
  readonly handler: (input: Input, ctx: HandlerContext) => unknown
  call(input: Input, options?: object): TaskCall<Input, Output>
}

/** True for definitions made by any copy of this package. */
export function isDefinition(value: unknown): value is AnyDefinition {
  return (
    typeof value === 'object' && value !== null && (value as { [DEFINITION]?: unknown })[DEFINITION] === true
  )
}

/** The definition called `name` among a module's exports, whatever the export is called. */
export function findDefinition(exports: object, name: string): AnyDefinition | undefined {
  for (const value of Object.values(exports)) {
    if (isDefinition(value) && value.name === name) return value
  }
  return undefined
}
