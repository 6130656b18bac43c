/**
 * Runs attempts in a thread pool that belongs to the user: an existing Piscina instance.
 *
 * Whose size it is, and what else runs in it, is the user's affair: `resize` and `warm` do nothing, `close`
 * ends the attempts and leaves the pool. Each job is run with an abort signal, which gives it a thread for
 * itself, so that a kill hurts nobody else. Which thread has a job is only known from its `started`
 * message; until then a stop signal waits here.
 */
import type { AttemptHandle, AttemptListener, Executor, Job } from './attempt.ts'
import { entryFile } from './remote/entry-file.ts'
import { TaskRefs } from './remote/task-refs.ts'
import { BorrowedAttempt } from './thread-borrowed-attempt.ts'
import { BorrowedThreads, type PiscinaLike } from './thread-borrowed-pool.ts'

export interface BorrowedThreadExecutorOptions {
  readonly pool: PiscinaLike
  /** pino's level for `ctx.log`. */
  readonly logLevel: string
}

export class BorrowedThreadExecutor implements Executor {
  readonly #pool: PiscinaLike
  readonly #threads: BorrowedThreads
  readonly #logLevel: string
  readonly #refs = new TaskRefs()
  readonly #attempts = new Set<BorrowedAttempt>()
  #closing: Promise<void> | undefined

  constructor(options: BorrowedThreadExecutorOptions) {
    this.#pool = options.pool
    this.#threads = BorrowedThreads.of(options.pool)
    this.#logLevel = options.logLevel
  }

  get live(): number {
    return this.#pool.threads.length
  }

  get idle(): number {
    return Math.max(0, this.live - this.#attempts.size)
  }

  start(job: Job, listener: AttemptListener): AttemptHandle {
    const attempt = new BorrowedAttempt(job, this.#refs.of(job), listener)
    if (this.#closing !== undefined) {
      queueMicrotask(() => attempt.settle({ type: 'crashed', error: closedError() }))
      return attempt
    }
    this.#attempts.add(attempt)
    this.#threads.add(attempt)
    void attempt.settled.then(() => {
      this.#attempts.delete(attempt)
      this.#threads.delete(attempt)
    })
    void this.#run(attempt)
    return attempt
  }

  resize(): void {}

  async warm(): Promise<void> {}

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #run(attempt: BorrowedAttempt): Promise<void> {
    const options = { filename: entryFile('thread-entry'), name: 'run', signal: attempt.exit.signal }
    try {
      attempt.finish(await this.#pool.run(attempt.dispatchCold(this.#logLevel), options))
    } catch (error) {
      attempt.reject(error)
    }
  }

  async #end(): Promise<void> {
    const attempts = [...this.#attempts]
    for (const attempt of attempts) attempt.kill()
    await Promise.all(attempts.map((it) => it.settled))
    this.#closing = undefined
  }
}

function closedError(): Error {
  return Object.assign(new Error('The threads are being closed.'), { code: 'ERR_EXECUTOR_CLOSED' })
}
