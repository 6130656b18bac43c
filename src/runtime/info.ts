/** What `supervisor.info()` shows: a snapshot in plain data. */
import type { Executor } from '../actors/attempt.ts'
import type { SlotPool } from '../actors/slot-pool.ts'
import type { TaskPool } from '../actors/task-pool.ts'
import type { Limits } from '../machines/admission.ts'
import { PRIORITIES, type Priority, type TaskState } from '../machines/model.ts'
import type { LoopInfo } from './loops.ts'
import type { SchedulersInfo } from './schedulers.ts'
import type { WorkerInfo } from './worker-handle.ts'

/** One pool of slots. */
export interface PoolInfo extends Limits {
  /** Slots taken. */
  readonly active: number
  /** Tasks that wait for a slot, per band. */
  readonly waiting: Readonly<Record<Priority, number>>
}

/** Threads or processes. */
export interface PhysicalInfo {
  readonly live: number
  readonly idle: number
  readonly min: number
  readonly max: number
}

export interface SupervisorInfo {
  readonly id: string
  readonly state: string
  readonly pool: PoolInfo
  readonly processes: PoolInfo
  readonly threads: PhysicalInfo
  readonly children: PhysicalInfo
  /** Named event loops in threads of their own. */
  readonly loops: readonly LoopInfo[]
  /** Live runs per state; ended ones since the supervisor was made. */
  readonly runs: Readonly<Record<TaskState, number>>
  /** Handlers on this loop or a named one that were given up and still go on. */
  readonly abandoned: number
  readonly workers: readonly WorkerInfo[]
  readonly schedulers: SchedulersInfo
}

export function poolInfo(slots: SlotPool): PoolInfo {
  const waiting = Object.fromEntries(PRIORITIES.map((band) => [band, slots.waiting(band)]))
  return { ...slots.limits, active: slots.active, waiting: waiting as Record<Priority, number> }
}

export function physicalInfo(executor: Executor, min: number, max: number): PhysicalInfo {
  return { live: executor.live, idle: executor.idle, min, max }
}

export function countRuns(
  pool: TaskPool,
  ended: Readonly<Record<'finished' | 'failed' | 'cancelled' | 'terminated', number>>,
): Record<TaskState, number> {
  const counts = { created: 0, scheduled: 0, queued: 0, running: 0, retrying: 0, snoozed: 0, ...ended }
  for (const run of pool.registry.live()) counts[run.state] += 1
  return counts
}
