/** Calls side by side, as one task. */
import { type AnyDefinition, isDefinition, type TaskCall } from '../actors/definition.ts'
import type { ControlValue, HandlerContext } from '../actors/handler-context.ts'
import { type OutputOf, toCalls } from './chain.ts'
import { refuse } from './check.ts'
import { defineTask, type TaskDefinition } from './define-task.ts'

export interface AllInput {
  readonly calls: readonly TaskCall[]
  /** Called with all values, without options: a call of it, whose input is of no meaning. */
  readonly join: TaskCall | null
}

/** What each call of a list puts out, in order. */
export type AllOutputs<Calls extends readonly unknown[]> = {
  -readonly [Index in keyof Calls]: OutputOf<Calls[Index]>
}

/** A definition that takes these outputs. */
export interface JoinOf<Calls extends readonly unknown[]> {
  readonly handler: (input: AllOutputs<Calls>, ctx: HandlerContext) => unknown
}

/**
 * What `all` calls: the calls are its children. A durable queue stores them as tasks of their own and never runs this
 * handler.
 */
export const allTask: TaskDefinition<AllInput, unknown> = defineTask(
  { name: 'stateward.all', module: import.meta.url },
  async ({ calls, join }: AllInput, ctx: HandlerContext): Promise<unknown[] | ControlValue> => {
    let ended = 0
    const settled = await Promise.allSettled(
      calls.map((call) =>
        ctx.submit(call as never).result.finally(() => {
          ended += 1
          ctx.progress((ended / calls.length) * 100)
        }),
      ),
    )
    const values = valuesOf(settled)
    return join === null ? values : ctx.next({ ...join, input: values })
  },
)

/**
 * What calls that were made side by side have put out, in order.
 *
 * @throws AggregateError with what those failed with that did
 */
export function valuesOf(settled: readonly PromiseSettledResult<unknown>[]): unknown[] {
  const errors = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  if (errors.length === 0) return settled.map((one) => (one as PromiseFulfilledResult<unknown>).value)
  const [first] = errors
  throw new AggregateError(
    errors,
    `${errors.length} of ${settled.length} calls failed; the first: ${first instanceof Error ? first.message : String(first)}`,
  )
}

/**
 * One task that makes these calls side by side, under admission, and puts out all values in order; with `join`, it goes on as
 * that task, with the values as its input. It waits for all of them to end; if one has failed it fails, with an `AggregateError`
 * as cause.
 *
 * @throws OptionError for an empty list, and for what is neither a call nor a definition without input
 */
export function all<const Calls extends readonly (TaskCall<unknown, unknown> | AnyDefinition)[]>(
  calls: Calls,
): TaskCall<AllInput, AllOutputs<Calls>>
export function all<
  const Calls extends readonly (TaskCall<unknown, unknown> | AnyDefinition)[],
  Join extends AnyDefinition & JoinOf<Calls>,
>(calls: Calls, join: Join): TaskCall<AllInput, OutputOf<Join>>
export function all(calls: readonly unknown[], join?: AnyDefinition): TaskCall<AllInput, never> {
  if (join !== undefined && !isDefinition(join)) refuse('the second argument of all()', 'a definition', join)
  const joining = join === undefined ? null : { definition: join, input: undefined, options: undefined }
  return { definition: allTask, input: { calls: toCalls('all()', calls), join: joining }, options: undefined }
}
