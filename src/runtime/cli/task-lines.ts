/** Stored tasks as lines of text. Instants are in UTC. */
import type { StoredError, StoredTask } from '../durable/stored-task.ts'
import { toFacts, toTable } from './text-table.ts'

export const toTime = (at: number): string => new Date(at).toISOString()

export function toTaskTable(tasks: readonly StoredTask[]): string[] {
  const rows = tasks.map((task) => [
    task.id,
    task.state,
    task.priority,
    String(task.attempt),
    toProgress(task),
    toTime(task.endedAt ?? task.startedAt ?? task.runAt),
    task.description === task.name ? task.name : `${task.name}: ${task.description}`,
  ])
  return toTable(['ID', 'STATE', 'PRIORITY', 'ATTEMPT', 'PROGRESS', 'AT', 'TASK'], rows)
}

/** `42 % reading`, or nothing. */
export function toProgress({ progress }: Pick<StoredTask, 'progress'>): string {
  const { percent, note } = progress ?? {}
  return [percent === undefined ? undefined : `${Math.floor(percent)} %`, note]
    .filter((part) => part !== undefined)
    .join(' ')
}

export function toTaskFacts(task: StoredTask): string[] {
  const { progress, error, endRequest, metadata, ...rest } = task
  const facts: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(rest)) {
    facts[name] = name.endsWith('At') && typeof value === 'number' ? toTime(value) : value
  }
  return toFacts({
    ...facts,
    metadata: Object.keys(metadata).length === 0 ? undefined : metadata,
    progress: progress === undefined ? undefined : toProgress(task),
    error: error === undefined ? undefined : toErrorText(error),
    endRequest:
      endRequest === undefined
        ? undefined
        : `by ${endRequest.by} at ${toTime(endRequest.at)}${endRequest.reason === undefined ? '' : `: ${endRequest.reason}`}`,
  })
}

function toErrorText({ name, message, stack, cause }: StoredError): string {
  const own = stack ?? `${name}: ${message}`
  return cause === undefined ? own : `${own}\nbecause: ${toErrorText(cause)}`
}
