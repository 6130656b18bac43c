/** Tells a supervisor that this package made from what only looks like one, for parts that the supervisor itself depends on. */
import type { LiveSupervisor } from './live-supervisor.ts'

const made = new WeakSet<object>()

export function noteSupervisor(supervisor: LiveSupervisor): void {
  made.add(supervisor)
}

export function isLiveSupervisor(value: unknown): value is LiveSupervisor {
  return typeof value === 'object' && value !== null && made.has(value)
}
