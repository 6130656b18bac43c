/**
 * Imports task modules into this thread or process and finds the definitions in them.
 *
 * While one is being imported `globalThis[LOADING]` names the task, so that a supervisor made in a task module can be
 * refused: it would start threads that load the module that starts threads.
 */
import { type AnyDefinition, findDefinition, isDefinition } from '../definition.ts'

/** Set to the task's name while its module is being imported. */
const LOADING: unique symbol = Symbol.for('stateward.loading') as never

/** Why there is no definition. */
class TaskModuleError extends Error {
  override readonly name = 'TaskModuleError'
  readonly code: 'ERR_TASK_MODULE_FAILED' | 'ERR_TASK_EXPORT_MISSING'
  readonly task: string
  readonly module: string

  constructor(message: string, options: ErrorOptions & Pick<TaskModuleError, 'code' | 'task' | 'module'>) {
    super(message, options)
    this.code = options.code
    this.task = options.task
    this.module = options.module
  }
}

export class TaskModules {
  readonly #loading: string[] = []

  /** Imports the module if need be. Rejects with a `TaskModuleError`. */
  async load(module: string, name: string): Promise<AnyDefinition> {
    const exports = await this.#import(module, name)
    const definition = findDefinition(exports, name)
    if (definition === undefined) throw missing(exports, module, name)
    return definition
  }

  async #import(module: string, name: string): Promise<object> {
    this.#enter(name)
    try {
      return (await import(module)) as object
    } catch (cause) {
      const message = `The module of task "${name}" (${module}) did not load.`
      throw new TaskModuleError(message, { cause, code: 'ERR_TASK_MODULE_FAILED', task: name, module })
    } finally {
      this.#leave(name)
    }
  }

  #enter(name: string): void {
    this.#loading.push(name)
    mark(name)
  }

  #leave(name: string): void {
    this.#loading.splice(this.#loading.indexOf(name), 1)
    mark(this.#loading.at(-1))
  }
}

function mark(name: string | undefined): void {
  const scope = globalThis as { [LOADING]?: string }
  if (name === undefined) delete scope[LOADING]
  else scope[LOADING] = name
}

function missing(exports: object, module: string, name: string): TaskModuleError {
  const others = Object.values(exports)
    .filter(isDefinition)
    .map((it) => `"${it.name}"`)
  const there = others.length === 0 ? 'It exports no task definition' : `It exports ${others.join(', ')}`
  const message =
    `Expected ${module} to export the definition of task "${name}". ${there}. ` +
    `Export what defineTask({ name: '${name}', module: import.meta.url, … }) returns, from this very module.`
  return new TaskModuleError(message, { code: 'ERR_TASK_EXPORT_MISSING', task: name, module })
}
