/**
 * What the marks of daemons in a queue say, held against the processes of this machine.
 *
 * - alive: gave a sign of life just now.
 * - silent: its process is there, or on another machine, and it says nothing: stopped, stuck, or cut off from the
 *   database.
 * - dead: its process is gone; it had no time to take its mark with it.
 */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import type { Queue } from '../durable/queue.ts'
import { storeOf } from '../durable/queue-access.ts'
import type { DaemonStatus } from '../durable/queue-status.ts'

export type MarkState = 'alive' | 'silent' | 'dead'

export interface DaemonMark extends DaemonStatus {
  readonly mark: MarkState
}

/** @param name - only daemons with this name; without it, all */
export async function marksOf(queue: Queue, name?: string): Promise<readonly DaemonMark[]> {
  const { daemons } = await queue.status()
  return daemons
    .filter((daemon) => name === undefined || daemon.name === name)
    .map((daemon) => ({ ...daemon, mark: markOf(daemon) }))
}

/** Takes away marks of the dead. @returns how many */
export async function removeDead(queue: Queue, marks: readonly DaemonMark[]): Promise<number> {
  const ids = marks.filter(({ mark }) => mark === 'dead').map(({ id }) => id)
  if (ids.length === 0) return 0
  const { left } = await storeOf(queue).do({ type: 'leave', ids })
  return left
}

export const isLocal = ({ host }: Pick<DaemonStatus, 'host'>): boolean => host === hostname()

function markOf(daemon: DaemonStatus): MarkState {
  if (isLocal(daemon) && !processLives(daemon.pid)) return 'dead'
  return daemon.isAlive ? 'alive' : 'silent'
}

/** A process that has ended lives on as a zombie where nobody collects it, as in many containers; it counts as gone. */
export function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // Another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    // Not Linux, or it has ended just now: whoever looks next sees.
    return true
  }
}
