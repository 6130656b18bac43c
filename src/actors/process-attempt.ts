/** One attempt on its way to, or in, a child process: the task pool's handle on it. */
import type { AttemptHandle, AttemptLease, AttemptListener, Job } from './attempt.ts'
import type { ProcessSlot } from './process-slot.ts'
import { HostAttempt } from './remote/host-attempt.ts'

export class ProcessAttempt extends HostAttempt implements AttemptHandle {
  /** The process that has it, or had it. */
  slot: ProcessSlot | undefined
  readonly #withdraw: (attempt: ProcessAttempt) => void

  /** `withdraw` takes an attempt back that no process has got yet. */
  constructor(job: Job, ref: number, listener: AttemptListener, withdraw: (it: ProcessAttempt) => void) {
    super(job, ref, listener)
    this.#withdraw = withdraw
  }

  signal(reason: unknown): void {
    const message = this.stop(reason)
    if (message !== undefined && this.slot?.attempt === this) this.slot.post(message)
  }

  lease(lease: AttemptLease): void {
    this.noteLease(lease)
    if (this.slot?.attempt === this) this.slot.lease(lease.ms)
  }

  terminate(): void {
    this.#end('slot.terminate')
  }

  kill(): void {
    this.#end('slot.kill')
  }

  #end(type: 'slot.terminate' | 'slot.kill'): void {
    if (this.isSettled) return
    if (this.slot === undefined) this.#withdraw(this)
    // Else it has just settled, and the process may have the next job.
    else if (this.slot.attempt === this) this.slot.send({ type })
  }
}
