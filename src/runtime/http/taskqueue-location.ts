/** Tells the client of an answer of one's own where the task is that goes on behind it. */
import { refuse } from '../check.ts'
import { basePathOf, Links } from './links.ts'
import { checkLocatable } from './path-id.ts'

/** The id of a task, or what has it: what `enqueue` and `submit` give. */
export type LocatedTask = string | { readonly id: string }

/**
 * A header for an answer that has begun a task: `Taskqueue-Location`, with the path of that task in the HTTP API.
 *
 * ```ts
 * reply.headers(taskqueueLocation(task, '/queue')).code(202).send()
 * ```
 * @param base - path, or URL, that the API is mounted at. @defaultValue its root
 * @throws OptionError for what is no task
 */
export function taskqueueLocation(task: LocatedTask, base = ''): { readonly 'Taskqueue-Location': string } {
  const id: unknown = typeof task === 'object' && task !== null ? task.id : task
  checkLocatable('the id of the task', id)
  if (typeof base !== 'string') refuse('base', 'a path or a URL', base)
  return { 'Taskqueue-Location': new Links(basePathOf(base)).task(id as string) }
}
