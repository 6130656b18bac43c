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

/** Linux counts the start of a process in these. */
const TICK_MS = 10
/** The clock may be set a little, and the instant of the boot is told in seconds. */
const CLOCK_MS = 5_000

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
export function removeDead(queue: Queue, marks: readonly DaemonMark[]): Promise<number> {
  return forget(
    queue,
    marks.filter(({ mark }) => mark === 'dead'),
  )
}

/** @returns how many were there */
export async function forget(queue: Queue, marks: readonly DaemonMark[]): Promise<number> {
  if (marks.length === 0) return 0
  const { left } = await storeOf(queue).do({ type: 'leave', ids: marks.map(({ id }) => id) })
  return left
}

export const isLocal = ({ host }: Pick<DaemonStatus, 'host'>): boolean => host === hostname()

function markOf(daemon: DaemonStatus): MarkState {
  if (daemon.isAlive) return isLocal(daemon) && !processLives(daemon.pid) ? 'dead' : 'alive'
  return isLocal(daemon) && !processIsThere(daemon) ? 'dead' : 'silent'
}

/** Whether the process that left a mark here is still there: its pid may be another's by now. */
export function processIsThere({ pid, startedAt }: Pick<DaemonStatus, 'pid' | 'startedAt'>): boolean {
  if (!processLives(pid)) return false
  const bornAt = processBornAt(pid)
  return bornAt === undefined || bornAt <= startedAt + CLOCK_MS
}

/** A process that has ended lives on as a zombie where nobody collects it, as in many containers; it counts as gone. */
function processLives(pid: number): boolean {
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

/** Epoch ms at which a process has begun; `undefined` where that cannot be read. */
function processBornAt(pid: number): number | undefined {
  try {
    const [, ticks] =
      /^\d+ \(.*\) \S(?: \S+){18} (\d+) /s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
    const [, bootedAt] = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8')) ?? []
    return ticks === undefined || bootedAt === undefined
      ? undefined
      : Number(bootedAt) * 1_000 + Number(ticks) * TICK_MS
  } catch {
    return undefined
  }
}
