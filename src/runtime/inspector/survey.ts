/** All live runs of a supervisor in one pass: how many are in each state, and in each band of each pool. */
import type { SlotPool } from '../../actors/slot-pool.ts'
import type { TaskRun } from '../../actors/task-run.ts'
import { PRIORITIES, TASK_STATES, type TaskState } from '../../machines/model.ts'
import type { SupervisorParts } from '../wire.ts'
import type { Ids, PoolId } from './ids.ts'
import type { Band, PoolRow } from './messages.ts'

export type RunCounts = Record<TaskState, number>

export interface Survey {
  /** Oldest first. */
  readonly live: Readonly<Record<PoolId, readonly TaskRun[]>>
  /** Live ones, and those that have ended since the supervisor was made. */
  readonly counts: Readonly<RunCounts>
  readonly pools: readonly PoolRow[]
}

export function survey({ pool, ports }: SupervisorParts, ids: Ids): Survey {
  const counts = noRuns()
  const live: Record<PoolId, TaskRun[]> = { pool: [], processes: [] }
  const running: Record<PoolId, Record<Band, number>> = { pool: perBand(), processes: perBand() }
  for (const run of pool.registry.live()) {
    counts[run.state] += 1
    const id = pool.slots(run.execution) === pool.processes ? 'processes' : 'pool'
    live[id].push(run)
    if (run.holdsSlot) running[id][run.snapshot.context.band] += 1
  }
  const row = (id: PoolId, name: string, slots: SlotPool): PoolRow => {
    const { size, reserveNormal, reserveHigh } = slots.limits
    const room = { size, reserveNormal, reserveHigh, admitted: slots.active }
    return { id: ids.part(id), ...ids.place, name, ...room, running: running[id], queued: waiting(slots) }
  }
  return {
    live,
    counts: { ...counts, ...ports.counts },
    pools: [row('pool', 'tasks', pool.pool), row('processes', 'processes', pool.processes)],
  }
}

/** Of all of them together. */
export function sumOf(counts: readonly Readonly<RunCounts>[]): RunCounts {
  const sum = noRuns()
  for (const one of counts) for (const state of TASK_STATES) sum[state] += one[state]
  return sum
}

function noRuns(): RunCounts {
  return Object.fromEntries(TASK_STATES.map((state) => [state, 0])) as RunCounts
}

function waiting(slots: SlotPool): Record<Band, number> {
  const queued = perBand()
  for (const band of PRIORITIES) queued[band] = slots.waiting(band)
  return queued
}

function perBand(): Record<Band, number> {
  return { critical: 0, high: 0, normal: 0, low: 0 }
}
