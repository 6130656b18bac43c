/** Progress of one run as an async iterator: a slow reader gets the latest value, never a backlog. */
import type { Progress, RunWatcher } from '../actors/task-run.ts'

export class ProgressStream implements AsyncIterableIterator<Progress>, RunWatcher {
  readonly #leave: (self: RunWatcher) => void
  #latest: Progress | undefined = undefined
  #readers: ((result: IteratorResult<Progress>) => void)[] = []
  #ended = false

  constructor(leave: (self: RunWatcher) => void) {
    this.#leave = leave
  }

  onProgress(progress: Progress): void {
    const reader = this.#readers.shift()
    if (reader === undefined) this.#latest = progress
    else reader({ value: progress, done: false })
  }

  onEnded(): void {
    this.#ended = true
    for (const reader of this.#readers.splice(0)) reader({ value: undefined, done: true })
  }

  next(): Promise<IteratorResult<Progress>> {
    const latest = this.#latest
    if (latest !== undefined) {
      this.#latest = undefined
      return Promise.resolve({ value: latest, done: false })
    }
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve) => this.#readers.push(resolve))
  }

  return(): Promise<IteratorResult<Progress>> {
    this.#latest = undefined
    this.onEnded()
    this.#leave(this)
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
