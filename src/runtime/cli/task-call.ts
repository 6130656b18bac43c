/** The task that a command line names, and its input. */
import { defineTask, type TaskDefinition } from '../define-task.ts'
import { type CliIo, readAll } from './cli-io.ts'
import { toJson } from './cli-values.ts'
import { loadTasks, taskNamed } from './load-tasks.ts'

export interface CalledOptions {
  readonly tasks?: readonly string[]
  readonly inputVersion?: number
}

/** @throws OptionError (`ERR_TASK_EXPORT_MISSING`) */
export async function definitionOf(
  name: string,
  { tasks, inputVersion }: CalledOptions,
): Promise<TaskDefinition<unknown, unknown>> {
  if (tasks !== undefined) return taskNamed(await loadTasks(tasks), name) as TaskDefinition<unknown, unknown>
  // Only its name is stored; the daemon has the definition.
  const version = inputVersion === undefined ? {} : { version: inputVersion }
  return defineTask({ name, ...version }, (_input: unknown) => undefined) as TaskDefinition<unknown, unknown>
}

/** `-` reads it. @throws InvalidArgumentError */
export async function inputOf({ stdin }: CliIo, text: string | undefined): Promise<unknown> {
  if (text === undefined) return undefined
  return toJson(text === '-' ? await readAll(stdin) : text)
}
