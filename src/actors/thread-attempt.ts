/** One attempt on its way to, or in, a thread of our own pool: the task pool's handle on it. */
import type { AttemptHandle, AttemptLease, AttemptListener, Job } from './attempt.ts'
import { HostAttempt } from './remote/host-attempt.ts'
import type { ThreadSlot } from './thread-slot.ts'

export class ThreadAttempt extends HostAttempt implements AttemptHandle {
  /** The thread that has it, or had it. */
  slot: ThreadSlot | undefined
  readonly #withdraw: (attempt: ThreadAttempt) => void

  /** `withdraw` takes an attempt back that no thread has got yet. */
  constructor(job: Job, ref: number, listener: AttemptListener, withdraw: (it: ThreadAttempt) => void) {
    super(job, ref, listener)
    this.#withdraw = withdraw
  }

  signal(reason: unknown): void {
    const message = this.stop(reason)
    if (message !== undefined && this.slot?.attempt === this) this.slot.link?.post(message)
  }

  lease(lease: AttemptLease): void {
    this.noteLease(lease)
    if (this.slot?.attempt === this) this.slot.link?.lease(this.token, lease)
  }

  terminate(): void {
    this.kill()
  }

  kill(): void {
    if (this.isSettled) return
    if (this.slot === undefined) this.#withdraw(this)
    // Else its result is already on the way, and the thread may have the next job.
    else if (this.slot.attempt === this) this.slot.send({ type: 'slot.kill' })
  }
}
