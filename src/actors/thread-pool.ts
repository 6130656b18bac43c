/**
 * Piscina, reduced to its mechanism: it owns the worker threads and the fast way of handing a job over.
 * Every decision is the executor's, taken from piscina through its own options:
 *
 * - `loadBalancer` gives a job to the thread that the executor named, which is idle: none ever waits.
 * - `taskQueue` holds nothing. Piscina starts a thread for a job that it has to queue; for the empty job
 *   of `spawn` that is the whole point.
 * - `minThreads: 0` and `idleTimeout: Infinity`: piscina neither replaces nor retires threads.
 * - `maxThreads` is read by piscina at each decision, so it can be changed while running.
 *
 * Threads are never ended through piscina, which forgets them before they have exited, but through their
 * `Worker`: piscina sees the exit and rejects the job.
 */
import type { ResourceLimits, Worker } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { entryFile } from './remote/entry-file.ts'
import type { WireJob, WireResult } from './remote/wire.ts'

export interface ThreadPoolOptions {
  readonly max: number
  readonly resourceLimits: ResourceLimits | undefined
  /** A thread has loaded the remote side and takes jobs. */
  onReady(threadId: number): void
  /** Something that a thread posted on its `parentPort`. */
  onMessage(message: unknown): void
}

/** Drops what piscina would queue. */
const NO_QUEUE = { size: 0, push: () => {}, shift: () => null, remove: () => {} }

export class ThreadPool {
  readonly #piscina: Piscina<object, WireResult>
  readonly #known = new WeakSet<Worker>()
  /** The thread that takes the job which is being handed over; 0 for none. */
  #target = 0

  constructor(options: ThreadPoolOptions) {
    this.#piscina = new Piscina({
      filename: entryFile('thread-entry'),
      name: 'run',
      minThreads: 0,
      // Only for the constructor, which derives from it when to emit `drain`: never.
      maxThreads: Number.MAX_SAFE_INTEGER,
      idleTimeout: Number.POSITIVE_INFINITY,
      recordTiming: false,
      taskQueue: NO_QUEUE,
      loadBalancer: (_task, workers) => {
        const worker = workers.find((it) => it.id === this.#target) ?? null
        if (worker !== null) this.#target = 0
        return worker
      },
      ...(options.resourceLimits === undefined ? {} : { resourceLimits: options.resourceLimits }),
    })
    this.setMax(options.max)
    // Errors of threads are seen on the threads themselves.
    this.#piscina.on('error', () => {})
    this.#piscina.on('message', options.onMessage)
    // Piscina counts the thread as ready only when the listeners of this event have returned.
    this.#piscina.on('workerCreate', (worker: { readonly id: number }) => {
      const { id } = worker
      queueMicrotask(() => options.onReady(id))
    })
  }

  /** Hands a job to an idle thread. Rejects if it cannot be cloned, or the thread ends before its result. */
  run(job: WireJob, threadId: number): Promise<WireResult> {
    this.#target = threadId
    const result = this.#piscina.run(job)
    if (this.#target === 0) return result
    this.#target = 0
    return Promise.reject(new Error(`Thread ${threadId} is not there any more.`))
  }

  /** Starts a thread if there may be one more. */
  spawn(): Worker | undefined {
    // Nobody takes this job, nothing queues it, its promise never settles.
    void this.#piscina.run({})
    const thread = this.#piscina.threads.find((it) => !this.#known.has(it))
    if (thread !== undefined) this.#known.add(thread)
    return thread
  }

  setMax(max: number): void {
    this.#piscina.options.maxThreads = Math.max(1, max)
  }

  /** Ends every thread. Resolves when those that piscina still knows have exited. */
  destroy(): Promise<void> {
    return this.#piscina.destroy()
  }
}
