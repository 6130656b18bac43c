/** One attempt in a thread of a user's pool. */
import type { AttemptHandle, AttemptLease, AttemptListener, Job, Settlement } from './attempt.ts'
import { HostAttempt } from './remote/host-attempt.ts'
import type { RemoteMessage, WireResult } from './remote/wire.ts'
import type { BorrowedThread, BorrowedThreadUser } from './thread-borrowed-pool.ts'

/** How long the messages that belong before a result may be overdue; they are under way when it comes. */
const OVERDUE_MS = 1000

export class BorrowedAttempt extends HostAttempt implements AttemptHandle, BorrowedThreadUser {
  /** Ends the thread when aborted, or takes the job out of the pool's queue. */
  readonly exit = new AbortController()
  readonly settled: Promise<void>
  readonly #settled: () => void
  #thread: BorrowedThread | undefined
  #heard = 0
  /** The result that waits for the messages before it. */
  #result: WireResult | undefined
  #overdue: NodeJS.Timeout | undefined

  constructor(job: Job, ref: number, listener: AttemptListener) {
    super(job, ref, listener)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.settled = promise
    this.#settled = resolve
  }

  signal(reason: unknown): void {
    const message = this.stop(reason)
    if (message !== undefined) this.#thread?.link.post(message)
  }

  lease(lease: AttemptLease): void {
    this.noteLease(lease)
    this.#thread?.link.lease(this.token, lease)
  }

  terminate(): void {
    this.kill()
  }

  kill(): void {
    if (!this.isSettled && this.#result === undefined) this.exit.abort()
  }

  hear(message: RemoteMessage, thread: BorrowedThread): void {
    this.#heard += 1
    if (this.#thread === undefined) {
      this.#thread = thread
      if (this.leaseLeft !== undefined) thread.link.leaseLate(this.token, this.leaseLeft)
      if (this.stopMessage !== undefined) thread.link.post(this.stopMessage)
    }
    this.receive(message, (reply) => thread.link.post(reply))
    this.#settleIfComplete()
  }

  /** The pool's result of the job. */
  finish(result: unknown): void {
    this.#result = result as WireResult
    this.#overdue = setTimeout(() => this.settleRemote(result as WireResult), OVERDUE_MS)
    this.#settleIfComplete()
  }

  /** The pool rejected: killed, not cloneable, or the thread ended. */
  reject(cause: unknown): void {
    if (isCloneError(cause)) return this.settle({ type: 'unserializable', error: cause })
    const crashed = { type: 'crashed', error: exitError(this.job.name, cause) } as const
    // An aborted job is rejected before its thread has gone.
    if (this.#thread === undefined) this.settle(crashed)
    else void this.#thread.exited.then(() => this.settle(crashed))
  }

  override settle(settlement: Settlement): void {
    clearTimeout(this.#overdue)
    super.settle(settlement)
    this.#settled()
  }

  #settleIfComplete(): void {
    const result = this.#result
    if (result !== undefined && this.#heard >= ('sent' in result ? result.sent : 0)) this.settleRemote(result)
  }
}

function isCloneError(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'DataCloneError'
}

function exitError(name: string, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause)
  const error = new Error(`The thread ended under task "${name}": ${why}`, { cause })
  return Object.assign(error, { code: 'ERR_THREAD_EXITED' })
}
