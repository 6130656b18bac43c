/** Options that say which stored tasks are meant. */
import type { Command } from 'commander'
import type { StoredTaskState } from '../durable/stored-task.ts'
import type { StoredTaskFilter } from '../durable/task-query.ts'
import { addMember, toInstantMs } from './cli-values.ts'

export interface FilterOptions {
  readonly state?: readonly string[]
  readonly name?: readonly string[]
  readonly key?: string
  readonly schedule?: string
  readonly parent?: string
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly since?: number
  readonly before?: number
}

export function addFilterOptions(command: Command): Command {
  return command
    .option('-s, --state <state...>', 'only tasks in these states')
    .option('-n, --name <name...>', 'only tasks with these names')
    .option('--key <key>', 'only tasks with this key')
    .option('--schedule <name>', 'only occurrences of this schedule')
    .option('--parent <id>', 'only children of this task')
    .option('--metadata <member=value>', 'only tasks with this in their metadata; may be repeated', addMember)
    .option('--since <when>', 'only tasks stored from then on', toInstantMs)
    .option('--before <when>', 'only tasks stored before', toInstantMs)
}

/** The queue checks what is in it. */
export function toFilter(options: FilterOptions): StoredTaskFilter {
  const { state, name, key, schedule, parent, metadata, since, before } = options
  const filter = { state, name, key, schedule, parent, metadata, createdFrom: since, createdBefore: before }
  const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))
  return given as StoredTaskFilter & { readonly state?: readonly StoredTaskState[] }
}
