/** All live runs of a supervisor in one pass: how many are in each state, and in each band of each pool. */
import type { SlotPool } from '../../actors/slot-pool.ts'
import type { TaskPool } from '../../actors/task-pool.ts'
import type { TaskRun } from '../../actors/task-run.ts'
import { PRIORITIES, TASK_STATES, type TaskState } from '../../machines/model.ts'
import type { PoolId } from './ids.ts'
import type { Band, PoolRow } from './messages.ts'

export interface Survey {
  /** Oldest first. */
  readonly live: Readonly<Record<PoolId, readonly TaskRun[]>>
  readonly counts: Readonly<Record<TaskState, number>>
  readonly pools: readonly PoolRow[]
}

/** @param ended - since the supervisor was made */
export function survey(
  pool: TaskPool,
  ended: Readonly<Record<'finished' | 'failed' | 'cancelled' | 'terminated', number>>,
): Survey {
  const counts = Object.fromEntries(TASK_STATES.map((state) => [state, 0])) as Record<TaskState, number>
  const live: Record<PoolId, TaskRun[]> = { pool: [], processes: [] }
  const running: Record<PoolId, Record<Band, number>> = { pool: perBand(), processes: perBand() }
  for (const run of pool.registry.live()) {
    counts[run.state] += 1
    const id = pool.slots(run.execution) === pool.processes ? 'processes' : 'pool'
    live[id].push(run)
    if (run.holdsSlot) running[id][run.snapshot.context.band] += 1
  }
  return {
    live,
    counts: { ...counts, ...ended },
    pools: [
      poolRow('pool', 'tasks', pool.pool, running.pool),
      poolRow('processes', 'processes', pool.processes, running.processes),
    ],
  }
}

function poolRow(id: PoolId, name: string, slots: SlotPool, running: Record<Band, number>): PoolRow {
  const { size, reserveNormal, reserveHigh } = slots.limits
  const queued = perBand()
  for (const band of PRIORITIES) queued[band] = slots.waiting(band)
  return { id, name, size, reserveNormal, reserveHigh, admitted: slots.active, running, queued }
}

function perBand(): Record<Band, number> {
  return { critical: 0, high: 0, normal: 0, low: 0 }
}
