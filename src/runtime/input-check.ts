/** What the schema of a task says of an input when it is given. */
import type { AnyDefinition } from '../actors/definition.ts'
import { checkInput, issuesToText } from '../actors/schema.ts'
import { OptionError } from './errors.ts'

/**
 * An asynchronous schema has its say when the handler is about to run.
 *
 * @throws OptionError (`ERR_INPUT_INVALID`) when the schema refuses the input, or throws
 */
export function checkGivenInput({ name, schema }: AnyDefinition, input: unknown): void {
  if (schema === undefined) return
  const checked = tryCheck(name, schema, input)
  if (checked instanceof Promise) return void checked.catch(() => {})
  if (checked.ok) return
  throw new OptionError(`Task "${name}" refuses its input: ${issuesToText(checked.issues)}.`, {
    code: 'ERR_INPUT_INVALID',
    taskName: name,
    cause: checked.issues,
  })
}

function tryCheck(
  name: string,
  schema: NonNullable<AnyDefinition['schema']>,
  input: unknown,
): ReturnType<typeof checkInput> {
  try {
    return checkInput(schema, input)
  } catch (error) {
    throw new OptionError(`The schema of task "${name}" threw on its input: ${String(error)}.`, {
      code: 'ERR_INPUT_INVALID',
      taskName: name,
      cause: error,
    })
  }
}
