/** Runs attempts in child processes, one per process. */
import type { AttemptListener, Job } from './attempt.ts'
import { ProcessAttempt } from './process-attempt.ts'
import { ProcessSlot, type ProcessSlotOwner } from './process-slot.ts'
import { SlotExecutor, type SlotExecutorOptions } from './remote/slot-executor.ts'
import { fromThrown } from './remote/thrown.ts'
import type { ProcessMessage } from './remote/wire.ts'

export interface ProcessExecutorOptions extends SlotExecutorOptions {
  /** Node's options for the children, for instance `--max-old-space-size=512`. Default: this process's own. */
  readonly execArgv?: readonly string[] | undefined
}

export class ProcessExecutor extends SlotExecutor<ProcessSlot, ProcessAttempt> implements ProcessSlotOwner {
  readonly #execArgv: readonly string[] | undefined

  constructor(options: ProcessExecutorOptions) {
    super(options)
    this.#execArgv = options.execArgv
  }

  protected override attemptFor(
    job: Job,
    ref: number,
    listener: AttemptListener,
    withdraw: (it: ProcessAttempt) => void,
  ): ProcessAttempt {
    return new ProcessAttempt(job, ref, listener, withdraw)
  }

  protected override spawn(): ProcessSlot | undefined {
    try {
      return new ProcessSlot(this, this.#execArgv)
    } catch (error) {
      // The operating system refused; later than this call, as every failure to start is told.
      queueMicrotask(() => this.onStartFailure(startError(error)))
      return undefined
    }
  }

  protected override handOver(attempt: ProcessAttempt, slot: ProcessSlot, isWarm: boolean): void {
    const { leaseLeft } = attempt
    if (leaseLeft !== undefined) slot.lease(leaseLeft.ms)
    const job = isWarm ? attempt.dispatchWarm() : attempt.dispatchCold(this.options.logLevel)
    try {
      slot.post({ type: 'job', job })
    } catch (refused) {
      // The slot is used again at once, but the caller of `start` must have its handle first.
      queueMicrotask(() => {
        if (slot.attempt === attempt) this.finish(attempt, slot, { refused })
      })
    }
  }

  onMessage(slot: ProcessSlot, message: ProcessMessage | null | undefined): void {
    // A handler may use the channel for itself: what is not ours is left alone.
    if (typeof message !== 'object' || message === null) return
    switch (message.type) {
      case 'hello':
        return slot.send({ type: 'process.ready' })
      case 'fatal':
        return slot.noteError(fromThrown(message.error))
      case 'settled':
        if (slot.attempt?.token === message.token) this.finish(slot.attempt, slot, message.settled)
        return
      default:
        return this.deliver(slot, message, (reply) => slot.post(reply))
    }
  }
}

function startError(cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause)
  const error = new Error(`A process could not start: ${why}`, { cause })
  return Object.assign(error, { code: 'ERR_PROCESS_START_FAILED' })
}
