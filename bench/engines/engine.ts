/**
 * What the benchmarks of durable queues ask of an engine: one side adds tasks, the other side runs them, each in a
 * process of its own (engine-process.ts). A task is a number; its handler does nothing but look at it.
 */

/** Where a queue is: a fresh one for every round. */
export interface Place {
  readonly url: string
  /** Of the queue, for engines that keep several in one database. */
  readonly queue: string
}

export interface Producer {
  /** Adds one task; resolves when the engine has taken it. */
  add(input: number): Promise<unknown>
  /** Adds a batch with the call that the engine has for it. */
  addMany(inputs: readonly number[]): Promise<unknown>
  close(): Promise<void>
}

export interface Worker {
  /** Tasks that it has finished. */
  readonly done: number
  /** Whether the database says that so many are finished. */
  isStored(done: number): Promise<boolean>
  close(): Promise<void>
}

export interface Engine {
  producer(place: Place): Promise<Producer>
  /** Begins at once. @param handler - what every task does */
  worker(place: Place, handler: (input: number) => void): Promise<Worker>
}

/** Tasks that a worker may have under way at a time. */
export const CONCURRENCY = 100
