import { setTimeout } from 'node:timers/promises'

/** Resolves when `holds`. For what happens in other processes, where nobody here is told of it. */
export async function until(holds: () => boolean | Promise<boolean>, patienceMs = 15_000): Promise<void> {
  for (const end = performance.now() + patienceMs; !(await holds()); ) {
    if (performance.now() > end) throw new Error(`It does not hold after ${patienceMs} ms: ${holds}`)
    await setTimeout(5)
  }
}
