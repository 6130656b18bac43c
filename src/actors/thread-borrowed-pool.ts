/** The threads of a user's pool that have loaded our remote side, shared by all executors on that pool. */
import type { Worker } from 'node:worker_threads'
import { isThreadHello, THREAD_HELLO, type ThreadHello } from './remote/thread-hello.ts'
import type { RemoteMessage } from './remote/wire.ts'
import { ThreadLink } from './thread-link.ts'

/** What is needed of a user's pool: an instance of Piscina 4 or 5 fits. */
export interface PiscinaLike {
  run(task: unknown, options: { filename: string; name: string; signal: AbortSignal }): Promise<unknown>
  readonly threads: readonly Pick<Worker, 'threadId' | 'once'>[]
  /** Its size, if it tells: becomes `pool.maxThreads`. */
  readonly maxThreads?: number
  on(event: 'message' | 'error', listener: (it: unknown) => void): unknown
  listenerCount(event: 'error'): number
}

export interface BorrowedThread {
  readonly link: ThreadLink
  /** Resolves when the thread has exited. */
  readonly exited: Promise<void>
}

/** An attempt as its thread finds it. */
export interface BorrowedThreadUser {
  readonly token: number
  hear(message: RemoteMessage, thread: BorrowedThread): void
}

const known = new WeakMap<PiscinaLike, BorrowedThreads>()

export class BorrowedThreads {
  readonly #pool: PiscinaLike
  readonly #users = new Map<number, BorrowedThreadUser>()

  /** The same for every executor on the pool: a thread says hello once. */
  static of(pool: PiscinaLike): BorrowedThreads {
    const threads = known.get(pool) ?? new BorrowedThreads(pool)
    known.set(pool, threads)
    return threads
  }

  private constructor(pool: PiscinaLike) {
    this.#pool = pool
    pool.on('message', (message) => {
      if (isThreadHello(message)) this.#meet(message)
    })
    pool.on('error', (error) => {
      // Somebody else's error, which nobody listens for, keeps its effect.
      if (pool.listenerCount('error') === 1 && !isLateResult(error)) throw error
    })
  }

  add(user: BorrowedThreadUser): void {
    this.#users.set(user.token, user)
  }

  delete(user: BorrowedThreadUser): void {
    this.#users.delete(user.token)
  }

  #meet(hello: ThreadHello): void {
    const { promise: exited, resolve } = Promise.withResolvers<void>()
    const link = new ThreadLink(hello, (message) => {
      this.#users.get(message.token)?.hear(message, { link, exited })
    })
    const worker = this.#pool.threads.find((it) => it.threadId === hello[THREAD_HELLO])
    if (worker === undefined) return resolve()
    worker.once('exit', () => {
      link.close()
      resolve()
    })
  }
}

/** Piscina's complaint about the result of a job that was aborted while its result was on the way. */
function isLateResult(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Unexpected message from Worker')
}
