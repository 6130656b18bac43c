/** The sizes of both pools: kept, merged with what `resize` says, and applied to slots and executors. */
import type { Executor } from '../actors/attempt.ts'
import type { SlotPool } from '../actors/slot-pool.ts'
import type { TaskPool } from '../actors/task-pool.ts'
import type { Execution } from '../machines/model.ts'
import {
  type PoolOptions,
  type ProcessesOptions,
  poolSizes,
  processSizes,
  type ResizeOptions,
  type Sizes,
} from './supervisor-options.ts'

export interface SizingOptions {
  readonly pool: PoolOptions
  readonly processes: ProcessesOptions
}

export class Sizing {
  #given: SizingOptions
  #pool: Sizes
  #processes: Sizes

  /** @throws OptionError when the sizes contradict each other */
  constructor(given: SizingOptions) {
    this.#given = given
    this.#pool = poolSizes(given.pool, 'createSupervisor().pool')
    this.#processes = processSizes(given.processes, 'createSupervisor().processes')
  }

  get pool(): Sizes {
    return this.#pool
  }

  get processes(): Sizes {
    return this.#processes
  }

  /**
   * What is omitted keeps its value; a bound that was derived follows the sizes.
   *
   * @throws OptionError before anything has changed
   */
  merge(options: ResizeOptions): void {
    const given = {
      pool: { ...this.#given.pool, ...defined(options.pool) },
      processes: { ...this.#given.processes, ...defined(options.processes) },
    }
    const pool = poolSizes(given.pool, 'resize().pool')
    const processes = processSizes(given.processes, 'resize().processes')
    this.#given = given
    this.#pool = pool
    this.#processes = processes
  }

  /** @param warm - whether threads and processes are kept warm now: not before a start, nor after a stop */
  apply(
    pool: TaskPool,
    executors: { readonly thread: Executor; readonly process: Executor },
    warm: boolean,
  ): void {
    applyTo(pool.pool, 'thread', this.#pool, executors.thread, warm)
    applyTo(pool.processes, 'process', this.#processes, executors.process, warm)
    pool.settleDown()
  }
}

/** Runs that lend their slot keep their thread or process: for them, more may exist. */
function applyTo(slots: SlotPool, lane: Execution, sizes: Sizes, executor: Executor, warm: boolean): void {
  const min = warm ? sizes.min : 0
  const max = sizes.lane.max + sizes.lane.overflow
  slots.resize(sizes.limits, lane, sizes.lane)
  slots.onLending = (lending, count) => {
    if (lending === lane) executor.resize({ min, max: max + count })
  }
  executor.resize({ min, max: max + slots.lending(lane) })
}

function defined<T extends object>(options: T | undefined): Partial<T> {
  const entries = Object.entries(options ?? {}).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as Partial<T>
}
