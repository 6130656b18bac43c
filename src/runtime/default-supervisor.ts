/** The supervisor of the process, for programs that need only one. */
import { createSupervisor, type Supervisor } from './supervisor.ts'

let supervisor: Supervisor | undefined

/** Made with default options at the first call and not started: `await defaultSupervisor().start()`. */
export function defaultSupervisor(): Supervisor {
  supervisor ??= createSupervisor({ id: 'default' })
  return supervisor
}
