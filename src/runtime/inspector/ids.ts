/** Ids of actors as pages know them: opaque there, readable here. */
import type { SupervisedChild } from '../../actors/supervised-child.ts'
import type { TaskRun } from '../../actors/task-run.ts'

export const ROOT_ID = 'supervisor'

export const POOL_IDS = ['pool', 'processes'] as const

export type PoolId = (typeof POOL_IDS)[number]

export function taskId(run: TaskRun): string {
  return `task:${run.id}`
}

export function childId({ path }: SupervisedChild): string {
  return `child:${path}`
}

/** The actor that the tracer calls so. */
export function tracedId(machine: string, id: string): string {
  if (machine === 'task') return `task:${id}`
  if (machine === 'supervisor') return ROOT_ID
  if (machine === 'group' && (id === 'loops' || id === 'children')) return id
  return machine === 'daemon' ? `child:daemon:${id}` : `child:${id}`
}
