/**
 * What operations are about, as far as they name it. Of two that are about the same the later one must not be carried out first,
 * when something keeps the first one from being carried out.
 */
import type { OperationType, StoreOperation } from './operations.ts'

/** @returns ids, keys and names of schedules; nothing where the order is of no matter */
export function subjectsOf(operation: StoreOperation): readonly string[] {
  switch (operation.type) {
    case 'enqueue':
      return operation.tasks.flatMap(({ id, key }) => [`id ${id}`, ...(key === null ? [] : [`key ${key}`])])
    case 'cancel':
    case 'retry':
    case 'move':
    case 'remove':
      return operation.ids.map((id) => `id ${id}`)
    case 'schedule':
      return operation.schedules.map(({ name }) => `schedule ${name}`)
    case 'unschedule':
      return operation.names.map((name) => `schedule ${name}`)
    case 'occur':
      return [`schedule ${operation.name}`]
    default:
      return []
  }
}

/** What is worth nothing later: the lease that it asks for has begun, or somebody has more to tell by then. */
const IMPATIENT: ReadonlySet<OperationType> = new Set(['claim', 'renew', 'progress'])

/** Whether it waits when something keeps it from being carried out. */
export function isPatient({ type }: StoreOperation): boolean {
  return !IMPATIENT.has(type)
}
