/** What is in a queue, who works it off, and what is wrong with it. */
import type { DaemonRecord } from '../../actors/store/records.ts'
import type { StoreCheck } from '../../actors/store/store.ts'
import type { QueueCounts } from './queue.ts'
import type { QueueStore } from './queue-store.ts'
import { readStored } from './stored-task.ts'
import { MOST_TASKS } from './task-query.ts'

/** A daemon as it was at its last sign of life. */
export interface DaemonStatus {
  readonly id: string
  readonly name: string
  readonly host: string
  readonly pid: number
  readonly state: string
  readonly startedAt: number
  /** Its last sign of life; a living one gives one every two seconds. */
  readonly beatAt: number
  readonly beatAgeMs: number
  /** False when its last sign of life is too long ago. */
  readonly isAlive: boolean
  /** What it counts about itself. */
  readonly counts: unknown
}

export interface QueueStatus {
  readonly engine: string
  /** Tasks that wait: `queued`, `scheduled`, `retrying` and `snoozed` ones. */
  readonly waiting: number
  readonly running: number
  readonly counts: QueueCounts
  readonly daemons: readonly DaemonStatus[]
}

/** Of silence; five signs of life are missing then. */
const DEAD_AFTER_MS = 10_000

export async function statusOf(queue: QueueStore): Promise<QueueStatus> {
  const now = queue.now()
  const [counts, daemons] = await Promise.all([
    queue.read((store) => store.counts(now)),
    queue.read((store) => store.daemons()),
  ])
  return {
    engine: queue.store.capabilities.engine,
    waiting: counts.queued + counts.scheduled + counts.retrying + counts.snoozed,
    running: counts.running,
    counts,
    daemons: daemons.map((record) => toDaemonStatus(record, now)),
  }
}

/** What the store says of itself, and whether the queue is worked off. */
export async function checkQueue(queue: QueueStore): Promise<StoreCheck> {
  const found = await queue.read((store) => store.check())
  const { problems: own, facts } = found
  const status = await statusOf(queue).catch((error: unknown) => {
    // Without its tables nothing can be counted, and that is told already.
    if (found.ok) throw error
  })
  if (status === undefined) return found
  const { counts, daemons } = status
  const problems = [...own]
  for (const { id, host, pid, isAlive, beatAgeMs } of daemons) {
    if (!isAlive) {
      problems.push(
        `Daemon ${id} (pid ${pid} on ${host}) gave no sign of life for ${Math.round(beatAgeMs / 1_000)} s.`,
      )
    }
  }
  const isWorkedOff = daemons.some(({ isAlive }) => isAlive)
  const lost = isWorkedOff ? 0 : await countLost(queue)
  if (lost > 0) {
    const what =
      lost === 1 ? '1 task is running whose lease is' : `${lost} tasks are running whose leases are`
    problems.push(`${what} over, and no daemon is there to take ${lost === 1 ? 'it' : 'them'} back.`)
  }
  if (counts.queued > 0 && !isWorkedOff) {
    const what = counts.queued === 1 ? '1 task is due' : `${counts.queued} tasks are due`
    problems.push(`${what}, and no daemon is there to run ${counts.queued === 1 ? 'it' : 'them'}.`)
  }
  return { ok: problems.length === 0, problems, facts }
}

/** Of a page of those that run: so many that something is wrong. */
async function countLost(queue: QueueStore): Promise<number> {
  const now = queue.now()
  const page = { limit: MOST_TASKS, order: 'oldest' } as const
  const { items } = await queue.read((store) => store.list({ states: ['running'] }, page, now))
  return items.filter(({ leaseUntil }) => leaseUntil !== null && leaseUntil <= now).length
}

function toDaemonStatus(record: DaemonRecord, now: number): DaemonStatus {
  const { id, name, host, pid, state, startedAt, beatAt, counts } = record
  const beatAgeMs = Math.max(0, now - beatAt)
  const isAlive = beatAgeMs <= DEAD_AFTER_MS
  return { id, name, host, pid, state, startedAt, beatAt, beatAgeMs, isAlive, counts: readStored(counts) }
}
