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
    default:
      return []
  }
}

/**
 * What somebody has asked for once, and waits for. What a daemon asks again and again is asked with new instants next time.
 */
const PATIENT: ReadonlySet<OperationType> = new Set([
  'enqueue',
  'settle',
  'cancel',
  'retry',
  'move',
  'remove',
  'schedule',
  'unschedule',
  'tell',
])

export function isPatient({ type }: StoreOperation): boolean {
  return PATIENT.has(type)
}
