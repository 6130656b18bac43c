/** Runs attempts in worker threads of its own piscina pool, one per thread. */
import type { ResourceLimits } from 'node:worker_threads'
import type { AttemptListener, Job } from './attempt.ts'
import { SlotExecutor, type SlotExecutorOptions } from './remote/slot-executor.ts'
import { isThreadHello, THREAD_HELLO } from './remote/thread-hello.ts'
import type { WireResult } from './remote/wire.ts'
import { ThreadAttempt } from './thread-attempt.ts'
import { ThreadLink } from './thread-link.ts'
import { ThreadPool } from './thread-pool.ts'
import { ThreadSlot } from './thread-slot.ts'

export interface ThreadExecutorOptions extends SlotExecutorOptions {
  readonly resourceLimits?: ResourceLimits | undefined
}

export class ThreadExecutor extends SlotExecutor<ThreadSlot, ThreadAttempt> {
  readonly #resourceLimits: ResourceLimits | undefined
  #max: number
  #pool: ThreadPool | undefined

  constructor(options: ThreadExecutorOptions) {
    super(options)
    this.#resourceLimits = options.resourceLimits
    this.#max = options.max
  }

  protected override attemptFor(
    job: Job,
    ref: number,
    listener: AttemptListener,
    withdraw: (it: ThreadAttempt) => void,
  ): ThreadAttempt {
    return new ThreadAttempt(job, ref, listener, withdraw)
  }

  protected override spawn(): ThreadSlot | undefined {
    const thread = this.#poolOf().spawn()
    return thread === undefined ? undefined : new ThreadSlot(thread, this)
  }

  protected override handOver(attempt: ThreadAttempt, slot: ThreadSlot, isWarm: boolean): void {
    const { leaseLeft, token } = attempt
    if (leaseLeft !== undefined) slot.link?.lease(token, leaseLeft)
    const job = isWarm ? attempt.dispatchWarm() : attempt.dispatchCold(this.options.logLevel)
    this.#poolOf()
      .run(job, slot.id)
      .then(
        (result) => this.#finished(attempt, slot, result),
        (error: unknown) => this.#rejected(attempt, slot, error),
      )
  }

  protected override onResize(max: number): void {
    this.#max = max
    this.#pool?.setMax(max)
  }

  protected override onClose(): Promise<void> | undefined {
    const pool = this.#pool
    this.#pool = undefined
    return pool?.destroy()
  }

  #finished(attempt: ThreadAttempt, slot: ThreadSlot, result: WireResult): void {
    if (slot.attempt !== attempt) return
    // Its last messages travel on another port than its result.
    if ('sent' in result && result.sent > 0) slot.link?.drain()
    this.finish(attempt, slot, result)
  }

  /** The input could not be cloned, or the thread is coming down and its exit will tell. */
  #rejected(attempt: ThreadAttempt, slot: ThreadSlot, error: unknown): void {
    if (slot.attempt === attempt && slot.state === 'busy') this.finish(attempt, slot, { refused: error })
  }

  #poolOf(): ThreadPool {
    this.#pool ??= new ThreadPool({
      max: this.#max,
      resourceLimits: this.#resourceLimits,
      onReady: (id) => this.slotOf(id)?.send({ type: 'thread.ready' }),
      onMessage: (message) => this.#onMessage(message),
    })
    return this.#pool
  }

  #onMessage(message: unknown): void {
    if (!isThreadHello(message)) return
    const slot = this.slotOf(message[THREAD_HELLO])
    if (slot === undefined) return
    const link = new ThreadLink(message, (it) => this.deliver(slot, it, (reply) => link.post(reply)))
    slot.link = link
  }
}
