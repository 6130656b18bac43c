/** The definitions one supervisor has met: one name, one definition. */

import type { RemoteCall } from '../actors/attempt.ts'
import { type AnyDefinition, findDefinition, isDefinition, type TaskCall } from '../actors/definition.ts'
import { DefinitionEntry } from '../actors/definition-entry.ts'
import { callsIn, unpackCalls } from '../actors/remote/packed-calls.ts'
import type { RunPlan } from '../actors/task-run.ts'
import { refuse } from './check.ts'
import type { TaskDefinition } from './define-task.ts'
import { OptionError } from './errors.ts'
import { overridePlan } from './task-options.ts'

export interface DefinitionListener {
  /** A name is taken: by a definition, or by a worker for its own handler. */
  named(entry: DefinitionEntry): void
  /** A definition is used for the first time. */
  used(entry: DefinitionEntry): void
}

export class Definitions {
  readonly #defaults: RunPlan
  readonly #entries: Map<string, DefinitionEntry> = new Map()
  /** Handlers of workers that conditions ask about, by the name of the worker. */
  readonly #handlers: Map<string, DefinitionEntry> = new Map()
  readonly #listener: DefinitionListener

  constructor(defaults: RunPlan, listener: DefinitionListener) {
    this.#defaults = defaults
    this.#listener = listener
  }

  /**
   * @throws OptionError (`ERR_TASK_NAME_TAKEN`) when another definition has the name;
   *   (`ERR_OPTION_INVALID`) when it is no definition
   */
  entryOf(definition: AnyDefinition): DefinitionEntry {
    const known = this.#entries.get(definition.name)
    if (known?.definition === definition) return known
    if (!isDefinition(definition)) refuse('the task', 'a definition made by defineTask()', definition)
    if (known !== undefined) {
      throw new OptionError(
        `Two different definitions are called "${definition.name}". ` +
          'Define the task once, export it, and import it wherever it is submitted.',
        { code: 'ERR_TASK_NAME_TAKEN', taskName: definition.name },
      )
    }
    const { options } = definition as TaskDefinition
    const entry = new DefinitionEntry(definition, overridePlan(this.#defaults, options))
    return entry
  }

  /** The definition with this name, if the supervisor has met it. */
  find(name: string): AnyDefinition | undefined {
    return this.#entries.get(name)?.definition
  }

  /** Its entry, or that of a worker's own handler. */
  findEntry(name: string): DefinitionEntry | undefined {
    return this.#entries.get(name) ?? this.#handlers.get(name)
  }

  /** A worker's own handler is not submitted by name; conditions ask about it all the same. */
  adopt(entry: DefinitionEntry): void {
    const { name } = entry.definition
    if (this.#handlers.get(name) === entry) return
    this.#handlers.set(name, entry)
    this.#listener.named(entry)
  }

  /** The worker is gone. */
  forget(name: string): void {
    this.#handlers.delete(name)
  }

  /**
   * From now on the name is taken.
   *
   * @returns the entry to use: another call may have met the definition first
   * @throws OptionError (`ERR_TASK_NAME_TAKEN`)
   */
  meet(entry: DefinitionEntry): DefinitionEntry {
    if (entry.met) return entry
    const known = this.entryOf(entry.definition)
    known.met = true
    this.#entries.set(entry.definition.name, known)
    this.#listener.named(known)
    this.#listener.used(known)
    return known
  }

  /**
   * The entry of a call from a thread or process. A definition not met yet is imported from its module.
   *
   * @throws OptionError (`ERR_TASK_EXPORT_MISSING`); rejects with what the import throws
   */
  async entryOfCall(call: RemoteCall | TaskCall): Promise<DefinitionEntry> {
    if ('definition' in call) return this.entryOf(call.definition)
    const known = this.#entries.get(call.name)
    if (known !== undefined) return known
    const found = call.module === '' ? undefined : findDefinition(await import(call.module), call.name)
    if (found !== undefined) return this.entryOf(found)
    throw new OptionError(
      `Expected to find a definition called "${call.name}" ${call.module === '' ? 'among those this supervisor has met' : 'among the exports of its module'}, got none. ` +
        'Export it from a module of its own and add `module: import.meta.url` to its options.',
      { code: 'ERR_TASK_EXPORT_MISSING', taskName: call.name },
    )
  }

  /**
   * The input of such a call, with the calls in it.
   *
   * @throws OptionError as `entryOfCall` does
   */
  async inputOfCall({ input }: RemoteCall | TaskCall): Promise<unknown> {
    const found = new Map<string, AnyDefinition>()
    for (const call of callsIn(input)) {
      if (!found.has(call.name)) found.set(call.name, (await this.entryOfCall(call)).definition)
    }
    return found.size === 0 ? input : unpackCalls(input, (call) => toTaskCall(call, found.get(call.name)))
  }
}

function toTaskCall({ options }: RemoteCall, definition: AnyDefinition | undefined): TaskCall {
  return { definition: definition as AnyDefinition, input: undefined, options: options as object | undefined }
}
