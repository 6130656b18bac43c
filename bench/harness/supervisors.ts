/** Supervisors as the benchmarks need them: exact sizes, nothing to say. */
import { createSupervisor, type Supervisor, type SupervisorOptions } from '../../src/index.ts'

/** `slots` at a time, exactly: no reserves. */
export function exactly(slots: number): { size: number; reserveNormal: 0; reserveHigh: 0 } {
  return { size: slots, reserveNormal: 0, reserveHigh: 0 }
}

/** A started supervisor for the time of `use`. */
export async function withSupervisor<Value>(
  options: SupervisorOptions,
  use: (supervisor: Supervisor) => Promise<Value>,
): Promise<Value> {
  const supervisor = createSupervisor(options)
  await supervisor.start()
  try {
    return await use(supervisor)
  } finally {
    await supervisor.stop()
  }
}
