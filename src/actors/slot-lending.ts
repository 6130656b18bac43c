/**
 * A parent that awaits a child lends it its slot, so that no pool size can deadlock.
 *
 * - Same pool: the child that waits runs on the parent's slot at once; the count does not change. The
 *   slot comes back when the child's attempt ends, and goes on to the next awaited child.
 * - Another pool, or no thread is free: the child waits for its turn. Only when every slot of a pool
 *   belongs to a run that awaits a child still waiting somewhere, one awaited child of that pool is
 *   admitted above the thresholds: nothing else could ever free a slot.
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
  /** The children each running parent awaits, those that have not ended. */
  readonly #awaited: Map<TaskRun, Set<TaskRun>> = new Map()

  constructor(pool: LendingPool) {
    this.#pool = pool
  }

  get idle(): boolean {
    return this.#awaited.size === 0
  }

  /** The handler of the parent of `child` reads its result. */
  await(child: TaskRun): void {
    const { parent } = child
    if (parent === undefined || !parent.holdsSlot || !child.live) return
    let children = this.#awaited.get(parent)
    if (children === undefined) {
      children = new Set()
      this.#awaited.set(parent, children)
    }
    if (children.has(child)) return
    children.add(child)
    child.watchers ??= []
    child.watchers.push({ onEnded: () => this.#awaited.get(parent)?.delete(child) })
    this.#pool.settleDown()
  }

  /** The attempt of `parent` has ended: nobody awaits on its behalf any more. */
  forget(parent: TaskRun): void {
    this.#awaited.delete(parent)
  }

  /** The next run that may be admitted on a lent slot, or over a limit that would never be lifted. */
  relieve(): TaskRun | undefined {
    const { pool, processes } = this.#pool
    let stalledPool = 0
    let stalledProcesses = 0
    for (const [parent, children] of this.#awaited) {
      if (parent.borrower !== undefined) continue
      const child = firstQueued(children)
      if (child === undefined) continue
      const slots = this.#pool.slots(parent.execution)
      if (slots === this.#pool.slots(child.execution) && slots.canLend(parent, child)) {
        slots.lend(parent, child)
        return child
      }
      if (slots === pool) stalledPool += 1
      else stalledProcesses += 1
    }
    return (
      (stalledPool > 0 && stalledPool >= pool.active ? this.#queuedIn(pool) : undefined) ??
      (stalledProcesses > 0 && stalledProcesses >= processes.active ? this.#queuedIn(processes) : undefined)
    )
  }

  #queuedIn(slots: SlotPool): TaskRun | undefined {
    for (const children of this.#awaited.values()) {
      for (const child of children) {
        if (isQueued(child) && this.#pool.slots(child.execution) === slots) return child
      }
    }
    return undefined
  }
}

function firstQueued(children: ReadonlySet<TaskRun>): TaskRun | undefined {
  for (const child of children) if (isQueued(child)) return child
  return undefined
}

/** It waits for a slot, not for the end of another run of its definition. */
function isQueued(child: TaskRun): boolean {
  return child.list !== undefined && child.list !== child.entry.waiting
}
