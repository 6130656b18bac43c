/** One step of a task inside of another one's handler. */
import { isDefinition, type TaskCall } from '../actors/definition.ts'
import type { ControlValue, HandlerContext } from '../actors/handler-context.ts'
import { checkInput, issuesToText } from '../actors/schema.ts'
import { refuse } from './check.ts'
import { OptionError } from './errors.ts'

/**
 * Calls the handler of `call` once, as a part of the handler that runs: no run, no attempt, no slot and no deadline of
 * its own. A word of `ctx` that it returns (skip, snooze, next) comes back as it is; return it to do as it says.
 *
 * @param ctx - of the handler that runs
 * @throws OptionError (`ERR_INPUT_INVALID`) when its schema refuses the input; rejects with what the handler throws
 */
export async function runOnce<Output>(
  call: TaskCall<unknown, Output>,
  ctx: HandlerContext,
): Promise<Output | ControlValue> {
  const { definition, input } = call
  if (!isDefinition(definition)) refuse('runOnce()', 'given a call of a definition', call)
  const { name, schema, handler } = definition
  const checked = schema === undefined ? { ok: true as const, value: input } : await checkInput(schema, input)
  if (checked.ok) return (await handler(checked.value, ctx)) as Output | ControlValue
  throw new OptionError(`Task "${name}" refuses its input: ${issuesToText(checked.issues)}.`, {
    code: 'ERR_INPUT_INVALID',
    taskName: name,
    cause: checked.issues,
  })
}
