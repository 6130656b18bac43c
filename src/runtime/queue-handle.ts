/** The handle of a queue worker: puts items in, tells what became of them, hands them back. */
import type { ItemEntry, ItemWatcher } from '../actors/item-buffer.ts'
import type { ItemIterable } from '../actors/item-source.ts'
import type { QueueWorkerActor } from '../actors/queue-worker.ts'
import type { TaskRun } from '../actors/task-run.ts'
import type { WorkerExit } from '../machines/worker-model.ts'
import { check, checkOptions } from './check.ts'
import { WorkerError } from './errors.ts'
import { type QueueOverrides, type QueueSizes, requireIterable } from './queue-options.ts'
import {
  type Worker,
  WorkerHandle,
  type WorkerInfo,
  type WorkerShape,
  type WorkerStopOptions,
} from './worker-handle.ts'

/** A queue worker in plain data. */
export interface QueueInfo extends WorkerInfo {
  /** Accepted items that have not begun. */
  readonly size: number
  /** Calls of `put` that wait for room. */
  readonly waiting: number
  readonly capacity: number
  readonly concurrency: number
}

export interface PutOptions {
  /** Gives up waiting for room: the call rejects with its reason, and the item is not accepted. */
  readonly signal?: AbortSignal
}

/** How a queue worker has ended, with what it handed back. Each item is handed back once. */
export type QueueExit<Item> = WorkerExit & { readonly returned: Item[] }

/** A worker that runs once for each item that is put into it. */
export interface QueueWorker<Item = unknown, Output = unknown> extends Worker<QueueOverrides<Item, Output>> {
  /** Accepted items that have not begun. */
  readonly size: number
  /** Calls of `put` and `run` that wait for room. */
  readonly waiting: number
  /**
   * Resolves when the item was accepted: at once while there is room. Items keep the order of the calls. Before the
   * first start and while the worker is paused or about to be restarted they are accepted, too.
   *
   * @throws WorkerError (`ERR_WORKER_STOPPED`) when it is stopped, or stops while this waits for room
   */
  put(item: Item, options?: PutOptions): Promise<void>
  /** Accepts the item if there is room. @throws WorkerError (`ERR_WORKER_STOPPED`) */
  tryPut(item: Item): boolean
  /**
   * Puts one item after another, each when there is room; takes no further one from `items` before. Resolves with
   * their number.
   *
   * @throws WorkerError (`ERR_WORKER_STOPPED`), with the number of those that were `accepted`
   */
  putMany(items: ItemIterable<Item>, options?: PutOptions): Promise<number>
  /**
   * Puts the item and resolves with what its run returned, or rejects with the error of its run.
   *
   * @throws WorkerError (`ERR_WORKER_STOPPED`) when it was not accepted, (`ERR_ITEM_RETURNED`) when it was handed back
   */
  run(item: Item, options?: PutOptions): Promise<Output>
  /** Other sizes from now on. Fewer at a time interrupts nothing. */
  resize(sizes: QueueSizes): void
  /**
   * Accepts nothing more; works off what waits, or hands it back (`onStop`, and while no slots are given). Resolves with what it hands back, which
   * is also in the report of a supervisor's stop. What does not live hands back what it has left.
   */
  stop(options?: WorkerStopOptions): Promise<QueueExit<Item>>
  info(): QueueInfo
}

const ACCEPTED: Promise<void> = Promise.resolve()
const putChecks = { signal: check.signal }
/** States of its child in which a put item will find its turn. */
const EXPECTANT: readonly string[] = ['waiting', 'starting', 'running', 'backingOff']

export class QueueHandle extends WorkerHandle implements QueueWorker<unknown, unknown> {
  readonly #worker: QueueWorkerActor
  readonly #shape: WorkerShape

  constructor(shape: WorkerShape, worker: QueueWorkerActor) {
    super(shape)
    this.#shape = shape
    this.#worker = worker
  }

  get size(): number {
    return this.#worker.buffer.size
  }

  get waiting(): number {
    return this.#worker.buffer.waiting
  }

  put(item: unknown, options?: PutOptions): Promise<void> {
    const refusal = this.#refusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    if (options === undefined && this.#worker.offer(item)) return ACCEPTED
    return this.#put(item, options ?? {})
  }

  /** Like `put`, from a handler: one that works for this queue does not wait for itself. */
  async putBy(run: TaskRun, item: unknown): Promise<void> {
    this.#requireOpen()
    if (this.#worker.offer(item)) return
    if (worksFor(run, this.name)) return this.#worker.force(item)
    await this.#put(item, {}, undefined, run)
  }

  tryPut(item: unknown): boolean {
    this.#requireOpen()
    return this.#worker.offer(item)
  }

  async putMany(items: ItemIterable<unknown>, options: PutOptions = {}): Promise<number> {
    requireIterable('putMany(items)', items)
    checkOptions('putMany()', options, putChecks)
    let accepted = 0
    try {
      this.#requireOpen()
      if (Symbol.asyncIterator in items) {
        for await (const item of items) {
          await this.put(item, options)
          accepted += 1
        }
      } else {
        for (const item of items) {
          // All that there is room for is accepted within the call.
          if (this.#refusal() !== undefined || !this.#worker.offer(item)) await this.put(item, options)
          accepted += 1
        }
      }
    } catch (error) {
      if (error instanceof WorkerError) Object.assign(error, { accepted })
      throw error
    }
    return accepted
  }

  run(item: unknown, options?: PutOptions): Promise<unknown> {
    const refusal = this.#refusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      const watcher: ItemWatcher = { done: resolve, failed: reject }
      if (options === undefined && this.#worker.offer(item, watcher)) return
      this.#put(item, options ?? {}, watcher).catch(reject)
    })
  }

  resize(sizes: QueueSizes): void {
    this.#shape.reschedule(sizes)
    const { concurrency } = sizes
    if (concurrency !== undefined) this.#worker.send({ type: 'queue.resize', concurrency })
  }

  override async stop(options: WorkerStopOptions = {}): Promise<QueueExit<unknown>> {
    this.#worker.expectReturned()
    try {
      const exit = await super.stop(options)
      // What did not live, or ended by itself, still has what was left.
      this.#worker.giveBack()
      return { ...exit, returned: this.#worker.takeReturned() }
    } catch (error) {
      this.#worker.forgetTaker()
      throw error
    }
  }

  override info(): QueueInfo {
    const { buffer, plan } = this.#worker
    return {
      ...super.info(),
      size: buffer.size,
      waiting: buffer.waiting,
      capacity: buffer.capacity,
      concurrency: plan.settings.concurrency,
    }
  }

  async #put(item: unknown, options: PutOptions, watcher?: ItemWatcher, by?: TaskRun): Promise<void> {
    checkOptions('put()', options, putChecks)
    const { signal } = options
    signal?.throwIfAborted()
    if (this.#worker.offer(item, watcher)) return
    await new Promise<void>((resolve, reject) => {
      const worker = this.#worker
      const giveUp = (): void => {
        if (worker.buffer.giveUp(entry)) reject(signal?.reason)
      }
      const forget = (): void => signal?.removeEventListener('abort', giveUp)
      const putter = {
        accepted() {
          forget()
          resolve()
        },
        refused(error: unknown) {
          forget()
          reject(error)
        },
      }
      const entry: ItemEntry<unknown> = worker.wait(item, putter, watcher, by)
      signal?.addEventListener('abort', giveUp, { once: true })
    })
  }

  #requireOpen(): void {
    const refusal = this.#refusal()
    if (refusal !== undefined) throw refusal
  }

  #refusal(): WorkerError | undefined {
    const worker = this.#worker
    if (worker.isAlive && !worker.isStopping && !worker.isSourceSpent) return undefined
    const { state } = this.#shape.child()
    if (!EXPECTANT.includes(state)) return this.#stopped(`is ${state}`)
    if (worker.isSourceSpent) return this.#stopped('has come to the end of its source')
    if (!worker.isStopping) return undefined
    const { exit } = worker.context
    // After a failure the items wait for the life that follows.
    return exit.kind === 'failed' && worker.restart !== 'temporary' ? undefined : this.#stopped('is stopping')
  }

  #stopped(what: string): WorkerError {
    return stoppedError(this.name, what)
  }
}

export function stoppedError(worker: string, what: string): WorkerError {
  return new WorkerError(`Queue worker "${worker}" ${what}: it accepts no item.`, {
    code: 'ERR_WORKER_STOPPED',
    worker,
  })
}

/** Whether the run, or one that waits for it, is of this worker. */
function worksFor(run: TaskRun, worker: string): boolean {
  for (let one: TaskRun | undefined = run; one !== undefined; one = one.parent) {
    if (one.worker === worker) return true
  }
  return false
}
