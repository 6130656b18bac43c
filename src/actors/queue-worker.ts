/**
 * A queue worker as an actor: its items (item-buffer.ts), its source (item-source.ts), and a run for each item.
 * Its life is machines/queue-worker.ts on what every worker does (worker.ts).
 *
 * Where an item is: in the buffer, in one live run, or out of here. It leaves with the end of its run, or is
 * handed back (`giveBack`) when the worker has ended and nothing follows: then nobody would ever work on it. A run that ends before its handler has begun because of a
 * stop puts its item back first.
 */
import type { RunCause, RunEnd } from '../machines/worker-model.ts'
import { ItemBuffer, type ItemEntry, type ItemWatcher, type Putter } from './item-buffer.ts'
import { type ItemIterable, ItemSource, type SourceListener } from './item-source.ts'
import type { DriverEffects } from './machine-driver.ts'
import type { TaskRun } from './task-run.ts'
import { WorkerActor, type WorkerOptions } from './worker.ts'
import { WORKER_EFFECTS } from './worker-effects.ts'
import type { WorkerMachine } from './worker-plan.ts'
import { WorkerRun } from './worker-run.ts'

/** What of a queue worker its next lives, and the present one, go by. */
export interface QueueSettings {
  /** Accepted items that may wait. */
  readonly capacity: number
  readonly source: ItemIterable<unknown> | undefined
}

/** No port may throw. */
export interface QueuePorts {
  /** The typed error of an item that is handed back, and of a putter that waits in vain. */
  itemReturned(worker: string): unknown
  refused(worker: string): unknown
  /** Items that the worker hands back. @returns whether somebody wrote them down */
  returned(worker: string, items: readonly unknown[]): boolean
}

class ItemRun extends WorkerRun {
  readonly entry: ItemEntry<unknown>

  constructor(worker: QueueWorkerActor, by: RunCause, entry: ItemEntry<unknown>) {
    super(worker, by)
    this.entry = entry
  }
}

export class QueueWorkerActor extends WorkerActor {
  readonly buffer: ItemBuffer<unknown>
  readonly #queuePorts: QueuePorts
  #settings: QueueSettings
  #source: ItemSource<unknown> | undefined = undefined
  /** Runs whose handlers wait for room. */
  readonly #putters: Set<TaskRun> = new Set()
  /** Handed back, and taken over by nobody yet. */
  #returned: unknown[] = []
  /** Callers of `stop` that take over what is handed back. */
  #takers = 0
  /** Its condition did not hold when an item was to begin, and has not turned true since; or it is disabled. */
  #isGated = false

  constructor(options: WorkerOptions, settings: QueueSettings, ports: QueuePorts) {
    super(options)
    this.#settings = settings
    this.#queuePorts = ports
    this.buffer = new ItemBuffer(settings.capacity)
  }

  /** Whether an item put now will find its turn in the present life. */
  get isSourceSpent(): boolean {
    return this.#source?.hasEnded === true
  }

  get hasRoom(): boolean {
    return this.buffer.hasRoom
  }

  /** Other settings for the lives to come; the capacity holds from now on. */
  configure(settings: QueueSettings): void {
    if (settings.source !== this.#settings.source) {
      this.#source?.close()
      this.#source = undefined
    }
    this.#settings = settings
    this.buffer.capacity = settings.capacity
  }

  // What its user tells it.

  /** Accepts the item if there is room. */
  offer(item: unknown, watcher?: ItemWatcher): boolean {
    if (!this.buffer.offer(item, watcher)) return false
    this.#itemReady()
    return true
  }

  /** Accepts the item even if there is no room: whoever puts it would wait for itself. */
  force(item: unknown): void {
    this.buffer.force(item)
    this.#itemReady()
  }

  /** For whom there was no room. @param by - the run whose handler waits; it lends its slot to what makes room */
  wait(item: unknown, putter: Putter, watcher: ItemWatcher | undefined, by?: TaskRun): ItemEntry<unknown> {
    if (by === undefined) return this.buffer.wait(item, putter, watcher)
    this.#putters.add(by)
    const entry = this.buffer.wait(
      item,
      {
        accepted: () => {
          this.#putters.delete(by)
          putter.accepted()
        },
        refused: (error) => {
          this.#putters.delete(by)
          putter.refused(error)
        },
      },
      watcher,
    )
    for (const run of this.liveRuns()) by.pool.lending.await(by, run)
    return entry
  }

  /** Nobody will make room any more. */
  refuseWaiting(): void {
    if (this.buffer.waiting > 0) this.buffer.refuse(this.#queuePorts.refused(this.id))
  }

  /** Hands back what waits, unless it lives: then its end does. Its source is closed. */
  giveBack(): void {
    if (this.isAlive) return
    this.refuseWaiting()
    this.#source?.close()
    this.#source = undefined
    const entries = this.buffer.clear()
    for (const { item, watcher } of entries) {
      this.#returned.push(item)
      watcher?.failed(this.#queuePorts.itemReturned(this.id))
    }
    // Each goes to one: to whoever called stop, else into the report.
    if (this.#returned.length === 0 || this.#takers > 0) return
    if (this.#queuePorts.returned(this.id, this.#returned)) this.#returned = []
  }

  /** Nobody will work on what waits: it has ended for good, or until somebody starts it. */
  settled(): void {
    this.giveBack()
  }

  /** Whether nobody has taken over all that was handed back. */
  get hasReturned(): boolean {
    return this.#returned.length > 0
  }

  /** Announces that `takeReturned` follows. */
  expectReturned(): void {
    this.#takers += 1
  }

  forgetTaker(): void {
    this.#takers -= 1
  }

  /** What was handed back since the last call. */
  takeReturned(): unknown[] {
    this.#takers -= 1
    return this.#returned.splice(0)
  }

  // What happens to it.

  override conditionMet(): void {
    this.#isGated = false
    this.#begin()
  }

  /** Nothing of its machine depends on it. */
  override runBegan(): void {}

  override runEnded(run: ItemRun, end: RunEnd, error: unknown): void {
    this.countEnd(run, end)
    const { entry } = run
    const task = run.run
    if (neverBegan(task, end)) this.buffer.takeBack(entry)
    else if (entry.watcher !== undefined) {
      const outcome = task?.outcome
      if (outcome?.kind === 'finished') entry.watcher.done(outcome.value)
      else entry.watcher.failed(task?.outcome === undefined ? error : this.ports.errorOf(task))
    }
    this.send({ type: 'run.ended', end, error, more: this.buffer.size > 0 && this.#mayBegin() })
  }

  /** Its last item may still wait. */
  sourceEnded(): void {
    if (this.buffer.size === 0) this.send({ type: 'schedule.ended' })
  }

  // From here on: what the machine asks for.

  override startRun(by: RunCause): void {
    const entry = this.buffer.take()
    if (entry === undefined) return this.send({ type: 'item.gone' })
    const run = new ItemRun(this, by, entry)
    this.begin(run, () => entry.item)
    const task = run.run
    if (task !== undefined) for (const putter of this.#putters) putter.pool.lending.await(putter, task)
    if (this.#source === undefined) return
    this.#source.pull()
    if (this.#source?.hasEnded === true) this.sourceEnded()
  }

  /** @internal */
  openSource(): void {
    this.#isGated = false
    const { source } = this.#settings
    if (source === undefined) return
    this.#source ??= new ItemSource(source, new SourceEar(this))
    this.#source.open()
  }

  /** @internal Items, and the place in the source, are kept for the life that follows a failure. */
  closeSource(): void {
    if (this.context.exit.kind === 'failed') return this.#source?.hold()
    this.#source?.close()
    this.#source = undefined
    this.refuseWaiting()
  }

  /** @internal */
  pullItems(): void {
    const { buffer } = this
    this.#source?.pull()
    if (buffer.size === 0 && this.#source?.hasEnded === true) this.sourceEnded()
    // While it stops, what may not begin is handed back.
    if (buffer.size === 0 || !this.#mayBegin()) return this.send({ type: 'items.none' })
    this.#begin()
  }

  /** As many items as there are places for. */
  #begin(): void {
    const { live, settings } = this.context
    const places = Math.min(this.buffer.size, settings.concurrency - live)
    for (let place = 0; place < places; place += 1) this.send({ type: 'item.ready' })
  }

  /** Asked when an item waits. One that may not begin does when the condition turns true. */
  #mayBegin(): boolean {
    if (this.plan.isDisabled) return this.#closeForGood()
    if (this.plan.when === undefined) return true
    if (!this.#isGated && !this.ports.holds(this)) {
      this.#isGated = true
      if (!this.isStopping) this.watch()
    }
    return !this.#isGated
  }

  /** Its items wait until it is stopped: nothing but its user runs a disabled definition. */
  #closeForGood(): false {
    if (!this.#isGated) this.skip('disabled', this.buffer.size)
    this.#isGated = true
    return false
  }

  #itemReady(): void {
    const { live, settings } = this.context
    // With every place taken, the end of a run finds it.
    if (live < settings.concurrency && this.isAlive && this.#mayBegin()) this.send({ type: 'item.ready' })
  }
}

/** States in which a source that fails ends the worker. */
const SERVING: readonly string[] = ['idle', 'active', 'paused', 'backingOff']

/** The worker as its source knows it. */
class SourceEar implements SourceListener<unknown> {
  readonly #worker: QueueWorkerActor

  constructor(worker: QueueWorkerActor) {
    this.#worker = worker
  }

  get hasRoom(): boolean {
    return this.#worker.hasRoom
  }

  item(item: unknown): void {
    this.#worker.force(item)
  }

  ended(): void {
    this.#worker.sourceEnded()
  }

  failed(error: unknown): void {
    if (!SERVING.includes(this.#worker.state)) this.onError(error)
    this.#worker.send({ type: 'source.failed', error })
  }

  onError(error: unknown): void {
    this.#worker.ports.hookFailed(this.#worker, 'source', error)
  }
}

/** A stop ended the run before its handler had begun: its item has not been worked on. */
function neverBegan(task: TaskRun | undefined, end: RunEnd): boolean {
  if (end !== 'other') return false
  if (task === undefined) return true
  const { outcome } = task
  return outcome?.kind === 'terminated' && outcome.reason === 'stop' && task.startedMono < 0
}

/** What the actions of the machine do. */
export const QUEUE_EFFECTS: DriverEffects<WorkerActor, WorkerMachine> = {
  ...WORKER_EFFECTS,
  openSource: (worker) => (worker as QueueWorkerActor).openSource(),
  closeSource: (worker) => (worker as QueueWorkerActor).closeSource(),
  pullItems: (worker) => (worker as QueueWorkerActor).pullItems(),
}
