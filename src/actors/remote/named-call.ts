/** A call that came over a border. It need not be loaded here to be handed on. */
import type { RemoteCall } from '../attempt.ts'
import { type AnyDefinition, DEFINITION, findDefinition, type TaskCall } from '../definition.ts'
import type { HandlerContext } from '../handler-context.ts'

/** Its module is imported when it is run there, by `runOnce`. */
export function toNamedCall({ name, module, version, options }: RemoteCall): TaskCall {
  const definition: AnyDefinition & { readonly options: { readonly version: number | undefined } } = {
    [DEFINITION]: true,
    name,
    module: module === '' ? undefined : module,
    schema: undefined,
    options: { version },
    handler: async (given: unknown, ctx: HandlerContext) => {
      const found = module === '' ? undefined : findDefinition(await import(module), name)
      if (found === undefined) throw new Error(`Task "${name}" cannot be found here: it has no module.`)
      return found.handler(given, ctx)
    },
  }
  return { definition, input: undefined, options: options as object | undefined }
}
