/** Modules with task definitions, as a command line names them. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type AnyDefinition, findDefinition, isDefinition } from '../../actors/definition.ts'
import { didYouMean } from '../check.ts'
import { OptionError } from '../errors.ts'

/**
 * @param files - relative to the working directory
 * @throws OptionError for a file that cannot be loaded, or exports no definition
 */
export async function loadTasks(files: readonly string[]): Promise<readonly object[]> {
  const modules: object[] = []
  for (const file of files) modules.push(await load(file))
  return modules
}

/** @throws OptionError (`ERR_TASK_EXPORT_MISSING`) */
export function taskNamed(modules: readonly object[], name: string): AnyDefinition {
  for (const exports of modules) {
    const found = findDefinition(exports, name)
    if (found !== undefined) return found
  }
  const names = modules
    .flatMap((exports) => Object.values(exports))
    .filter(isDefinition)
    .map((definition) => definition.name)
  const hint = didYouMean(name, names) || `Known are ${names.join(', ')}.`
  throw new OptionError(`No task called "${name}" is exported by what --tasks names. ${hint}`, {
    code: 'ERR_TASK_EXPORT_MISSING',
    taskName: name,
  })
}

async function load(file: string): Promise<object> {
  let exports: object
  try {
    exports = await import(pathToFileURL(resolve(file)).href)
  } catch (error) {
    throw new OptionError(`--tasks ${file} cannot be loaded: ${(error as Error).message}`, {
      code: 'ERR_OPTION_INVALID',
      cause: error,
    })
  }
  if (Object.values(exports).some(isDefinition)) return exports
  throw new OptionError(
    `--tasks ${file} exports no task. Export what defineTask() returns; the file is a module of tasks, not a program.`,
    { code: 'ERR_OPTION_INVALID' },
  )
}
