/**
 * A run that awaits another one lends it its slot, so that no pool size can deadlock.
 *
 * - Same pool: the awaited run that waits for a slot runs on that of the one that awaits it; the count
 *   does not change. The slot comes back when the attempt ends, and goes on to the next awaited run.
 * - Another pool, or no thread is free: it waits for its turn. Only when every slot of a pool belongs to a
 *   run that cannot go on before another one has been admitted, one awaited run of that pool is admitted
 *   above the thresholds: nothing else could ever free a slot.
 */
import type { SlotPool } from './slot-pool.ts'
import type { TaskRun } from './task-run.ts'

/** What it needs to know of the task pool. */
export interface LendingPool {
  readonly pool: SlotPool
  readonly processes: SlotPool
  slots(execution: TaskRun['execution']): SlotPool
  settleDown(): void
}

export class SlotLending {
  readonly #pool: LendingPool
  /** What each running attempt awaits: live runs, mostly its children. */
  readonly #awaited: Map<TaskRun, Set<TaskRun>> = new Map()

  constructor(pool: LendingPool) {
    this.#pool = pool
  }

  get idle(): boolean {
    return this.#awaited.size === 0
  }

  /** The handler of `waiter` reads the result of `run`. */
  await(waiter: TaskRun, run: TaskRun): void {
    if (!waiter.holdsSlot || !run.live) return
    let runs = this.#awaited.get(waiter)
    if (runs === undefined) {
      runs = new Set()
      this.#awaited.set(waiter, runs)
    }
    if (runs.has(run)) return
    runs.add(run)
    run.watchers ??= []
    run.watchers.push({ onEnded: () => this.#ended(waiter, run) })
    this.#pool.settleDown()
  }

  /** The attempt of `waiter` has ended: nobody awaits on its behalf any more. */
  forget(waiter: TaskRun): void {
    this.#awaited.delete(waiter)
  }

  /**
   * The next run that may be admitted on a lent slot, or over a limit that would never be lifted.
   *
   * @param exclusive - a main task runs: only what it waits for itself may start
   */
  relieve(exclusive: boolean): TaskRun | undefined {
    const { pool, processes } = this.#pool
    if (pool.size === 0 && processes.size === 0) return undefined
    for (const [waiter, runs] of this.#awaited) {
      if (waiter.borrower !== undefined || (exclusive && !servesMain(waiter))) continue
      const run = firstQueued(runs)
      if (run === undefined) continue
      const slots = this.#pool.slots(waiter.execution)
      if (slots !== this.#pool.slots(run.execution) || !slots.canLend(waiter, run)) continue
      slots.lend(waiter, run)
      return run
    }
    return this.#unblock(pool) ?? this.#unblock(processes)
  }

  /** One awaited run of a pool in which nothing goes on by itself. */
  #unblock(slots: SlotPool): TaskRun | undefined {
    if (slots.size === 0) return undefined
    let stuck = 0
    for (const waiter of this.#awaited.keys()) {
      // A lent slot is accounted for by whoever runs on it.
      if (
        waiter.borrower === undefined &&
        this.#pool.slots(waiter.execution) === slots &&
        this.#isStuck(waiter)
      ) {
        stuck += 1
      }
    }
    if (stuck < slots.active) return undefined
    for (const runs of this.#awaited.values()) {
      for (const run of runs) {
        const blocker = blockerOf(run)
        if (isQueued(blocker) && this.#pool.slots(blocker.execution) === slots) return blocker
      }
    }
    return undefined
  }

  /** Whether a running run cannot go on before some other one has been admitted. */
  #isStuck(waiter: TaskRun, passed: Set<TaskRun> = new Set()): boolean {
    const runs = this.#awaited.get(waiter)
    if (runs === undefined || runs.size === 0) return false
    // Whoever waits for itself, over however many others, does not go on.
    if (passed.has(waiter)) return true
    passed.add(waiter)
    for (const run of runs) {
      const blocker = blockerOf(run)
      if (isQueued(blocker)) continue
      if (!blocker.holdsSlot || !this.#isStuck(blocker, passed)) return false
    }
    return true
  }

  #ended(waiter: TaskRun, run: TaskRun): void {
    const runs = this.#awaited.get(waiter)
    runs?.delete(run)
    if (runs?.size === 0) this.#awaited.delete(waiter)
  }
}

function firstQueued(runs: ReadonlySet<TaskRun>): TaskRun | undefined {
  for (const run of runs) {
    const blocker = blockerOf(run)
    if (isQueued(blocker)) return blocker
  }
  return undefined
}

/** Who has to get on for `run` to get on: itself, or a live run of its definition that it waits for. */
function blockerOf(run: TaskRun): TaskRun {
  if (!run.entry.isGated(run)) return run
  const others = run.pool.registry
    .live()
    .filter((other) => other.entry === run.entry && !other.entry.isGated(other))
  return others.find(isQueued) ?? others[0] ?? run
}

/** It waits for a slot, not for the end of another run of its definition. */
function isQueued(run: TaskRun): boolean {
  return run.list !== undefined && !run.entry.isGated(run)
}

/** Whether `run` is a main task or works for one. */
function servesMain(run: TaskRun): boolean {
  for (let worker: TaskRun | undefined = run; worker !== undefined; worker = worker.parent) {
    if (worker.execution === 'main' && worker.holdsSlot) return true
  }
  return false
}
