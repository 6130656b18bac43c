/**
 * A durable task that this process holds: what was claimed, the run that works on it, and until when its lease
 * certainly holds. The store is authoritative for who holds it; here is only what it said last.
 */
import type { Outcome } from '../../machines/model.ts'
import type { AttemptLease } from '../attempt.ts'
import { KeptRun } from '../kept-run.ts'
import type { ClaimedTask, EndRequest, Lease } from '../store/task-record.ts'
import type { Progress, RunWatcher, TaskRun } from '../task-run.ts'
import type { TraceCarrier } from '../tracing/run-tracing.ts'
import { traceOf } from '../tracing/stored-trace.ts'

/** Who is told of a held task. */
export interface HeldTaskOwner {
  started(held: HeldTask): void
  ended(held: HeldTask, outcome: Outcome): void
  progressed(held: HeldTask, progress: Progress): void
  /** Its lease holds for longer. */
  renewed(held: HeldTask): void
  endSchedule(held: HeldTask): Promise<boolean>
  /** Its handler, which was given up, has ended. */
  left(held: HeldTask): void
}

export class HeldTask extends KeptRun implements RunWatcher, Lease {
  readonly task: ClaimedTask
  readonly #owner: HeldTaskOwner
  /** Until when it may run here, on the monotonic clock: a little less than the store has granted. */
  leaseEndMono: number
  run: TaskRun | undefined = undefined

  readonly #spareMs: number
  /** It had come to its end already before the store renewed it after all. */
  #wasOver = false

  /** @param spareMs - how much later a thread or process that it runs in ends itself, if nobody here has ended it by then */
  constructor(task: ClaimedTask, leaseEndMono: number, spareMs: number, owner: HeldTaskOwner) {
    super()
    this.task = task
    this.leaseEndMono = leaseEndMono
    this.#spareMs = spareMs
    this.#owner = owner
  }

  /** The store has renewed its lease. */
  extend(leaseEndMono: number, nowMono: number): void {
    if (nowMono >= this.leaseEndMono) this.#wasOver = true
    this.leaseEndMono = leaseEndMono
    this.run?.attempt?.lease?.(this.lease(nowMono))
    this.#owner.renewed(this)
  }

  /** Whether its lease has been over, so that what can has ended itself. */
  hasLapsed(nowMono: number): boolean {
    return this.#wasOver || nowMono >= this.leaseEndMono
  }

  override lease(nowMono: number): AttemptLease {
    return { ms: this.leaseEndMono + this.#spareMs - nowMono, noticeMs: this.#spareMs }
  }

  override endSchedule(): Promise<boolean> {
    return this.#owner.endSchedule(this)
  }

  override get trace(): TraceCarrier | undefined {
    return traceOf(this.task.options)
  }

  override get lost(): number {
    return this.task.lost
  }

  get id(): string {
    return this.task.id
  }

  get fence(): number {
    return this.task.fence
  }

  /** Somebody wants its end. The run may have ended already. */
  end({ replaced, reason }: EndRequest): void {
    const { run } = this
    if (run === undefined) return
    if (replaced) run.pool.deliver(run, { type: 'task.terminate', reason: 'replaced' })
    else run.pool.deliver(run, { type: 'task.cancel', reason: reason ?? undefined })
  }

  override handlerEnded(): void {
    this.#owner.left(this)
  }

  onStarted(): void {
    this.#owner.started(this)
  }

  onEnded(outcome: Outcome): void {
    this.#owner.ended(this, outcome)
  }

  onProgress(progress: Progress): void {
    this.#owner.progressed(this, progress)
  }
}
