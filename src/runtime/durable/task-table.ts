/** The definitions that a daemon knows, by their names. */
import { type AnyDefinition, isDefinition } from '../../actors/definition.ts'
import { allTask } from '../all.ts'
import { chainTask } from '../chain.ts'
import { refuse } from '../check.ts'
import { OptionError } from '../errors.ts'
import { joinTask } from './join.ts'

/** A definition, or what a module exports: `import * as tasks from './tasks.ts'`. */
export type TaskSource = AnyDefinition | object

/**
 * @throws OptionError for what is neither a definition nor a module, for a module without one; (`ERR_TASK_NAME_TAKEN`)
 *   for two with one name
 */
export function taskTable(sources: readonly TaskSource[]): ReadonlyMap<string, AnyDefinition> {
  return definitionTable('createDaemon().tasks', [chainTask, allTask, joinTask], sources)
}

/**
 * @param where - the option that the sources are given by
 * @param own - those of this package among them
 * @throws OptionError as {@link taskTable} does
 */
export function definitionTable(
  where: string,
  own: readonly unknown[],
  sources: readonly TaskSource[],
): ReadonlyMap<string, AnyDefinition> {
  if (!Array.isArray(sources)) refuse(where, 'an array of definitions or modules', sources)
  const table = new Map<string, AnyDefinition>()
  const add = (definition: AnyDefinition): void => {
    const { name } = definition
    const known = table.get(name)
    if (known !== undefined && known !== definition) {
      throw new OptionError(`Two different tasks are called "${name}". A name must say which one is meant.`, {
        code: 'ERR_TASK_NAME_TAKEN',
        taskName: name,
      })
    }
    table.set(name, definition)
  }
  for (const definition of own) add(definition as AnyDefinition)
  for (const [index, source] of sources.entries()) {
    for (const definition of definitionsIn(source, `${where}[${index}]`)) add(definition)
  }
  return table
}

function definitionsIn(source: unknown, where: string): readonly AnyDefinition[] {
  if (isDefinition(source)) return [source]
  if (typeof source !== 'object' || source === null)
    return refuse(where, 'a definition, or a module that exports some', source)
  const found = Object.values(source).filter(isDefinition)
  if (found.length === 0) refuse(where, 'a definition, or a module that exports some', source)
  return found
}
