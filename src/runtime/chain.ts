/** Calls one after the other, as one task. */
import { type AnyDefinition, isDefinition, type TaskCall } from '../actors/definition.ts'
import type { HandlerContext } from '../actors/handler-context.ts'
import { refuse } from './check.ts'
import { defineTask, type TaskDefinition } from './define-task.ts'

export interface ChainInput {
  readonly calls: readonly TaskCall[]
}

/** What a call, or a definition, puts out. */
export type OutputOf<Callable> =
  Callable extends TaskCall<unknown, infer Output>
    ? Output
    : Callable extends { call(input: never): TaskCall<unknown, infer Output> }
      ? Output
      : unknown

/** What the last call of a list puts out. */
export type LastOutput<Calls extends readonly unknown[]> = Calls extends readonly [...unknown[], infer Last]
  ? OutputOf<Last>
  : unknown

/**
 * What `chain` calls. On a supervisor the steps are its children, one at a time; a durable queue stores each step
 * and never runs this handler.
 */
export const chainTask: TaskDefinition<ChainInput, unknown> = defineTask(
  { name: 'stateward.chain', module: import.meta.url },
  async ({ calls }: ChainInput, ctx: HandlerContext) => {
    let value: unknown
    for (const [index, call] of calls.entries()) {
      value = await ctx.submit(call as never).result
      ctx.progress(((index + 1) / calls.length) * 100)
    }
    return value
  },
)

/**
 * One task that makes these calls one after the other and puts out what the last one does; the other values are dropped. A
 * call that fails ends it with that error. A call may be a chain, and go on with `next`.
 *
 * @throws OptionError for an empty list, and for what is neither a call nor a definition without input
 */
export function chain<const Calls extends readonly (TaskCall<unknown, unknown> | AnyDefinition)[]>(
  calls: Calls,
): TaskCall<ChainInput, LastOutput<Calls>> {
  return { definition: chainTask, input: { calls: toCalls('chain()', calls) }, options: undefined }
}

/** @throws OptionError */
export function toCalls(where: string, calls: readonly unknown[]): readonly TaskCall[] {
  if (!Array.isArray(calls) || calls.length === 0)
    refuse(where, 'given a list of calls that is not empty', calls)
  return calls.map((call: unknown, index) => {
    if (isDefinition(call)) return { definition: call, input: undefined, options: undefined }
    if (isDefinition((call as TaskCall | null | undefined)?.definition)) return call as TaskCall
    return refuse(`${where}[${index}]`, 'a call of a definition, or a definition without input', call)
  })
}
