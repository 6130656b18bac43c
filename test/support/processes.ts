/** Whether processes live, as the operating system says. */
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

/** A process that has ended but was not waited for does not live. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return process.platform !== 'linux'
  }
}

/** Resolves when none of them lives: a kill takes a moment. Rejects when one lives on. */
export async function gone(...pids: number[]): Promise<void> {
  for (let round = 0; round < 400; round += 1) {
    if (!pids.some(isAlive)) return
    await setTimeout(5)
  }
  throw new Error(`Still alive: ${pids.filter(isAlive).join(', ')}`)
}
