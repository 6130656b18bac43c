/**
 * Work that a test holds in its hands: attempts begin, and end when the test says how. No handler runs, no thread or process
 * comes into being.
 *
 * - `begun`: the supervisor counts it as running. It holds its slot.
 * - `signalled`: it was told to stop, and ignores it (`deaf`): the stop ladder goes on.
 * - `ended`: by a word of the test, by the signal unless it is deaf, or by a kill.
 */

import type { AttemptHandle, AttemptListener, Executor, Job, Settlement } from '../../actors/attempt.ts'
import type { TaskCall } from '../../actors/definition.ts'

/** One attempt that has begun. Its words do nothing once it has ended. */
export interface HeldAttempt {
  readonly runId: string
  /** Of the definition. */
  readonly name: string
  /** From 1. */
  readonly attempt: number
  readonly input: unknown
  /** It goes on when it is told to stop, as a handler would that ignores its signal. @defaultValue as the supervisor was made */
  deaf: boolean
  /** Why it was told to stop: what `ctx.signal.reason` would be. */
  readonly signalled: unknown
  readonly ended: boolean
  progress(percent: number, note?: string): void
  return(value?: unknown): void
  throw(error: unknown): void
  /** As `ctx.skip(reason)` does. */
  skip(reason: string): void
  /** As `ctx.snooze(delayMs)` does. */
  snooze(delayMs: number): void
  /** As `ctx.next(call)` does. */
  next(call: TaskCall): void
  /** Its thread or process dies. */
  crash(error?: unknown): void
}

class Held implements HeldAttempt, AttemptHandle {
  readonly #job: Job
  readonly #listener: AttemptListener
  readonly #onEnd: (held: Held) => void
  deaf: boolean
  signalled: unknown = undefined
  ended = false

  constructor(job: Job, listener: AttemptListener, deaf: boolean, onEnd: (held: Held) => void) {
    this.#job = job
    this.#listener = listener
    this.#onEnd = onEnd
    this.deaf = deaf
  }

  get runId(): string {
    return this.#job.runId
  }

  get name(): string {
    return this.#job.name
  }

  get attempt(): number {
    return this.#job.attempt
  }

  get input(): unknown {
    return this.#job.input
  }

  progress(percent: number, note?: string): void {
    if (!this.ended) this.#listener.progress(percent, note)
  }

  return(value?: unknown): void {
    this.#end({ type: 'returned', value })
  }

  throw(error: unknown): void {
    this.#end({ type: 'threw', error })
  }

  skip(reason: string): void {
    this.#end({ type: 'skipped', reason })
  }

  snooze(delayMs: number): void {
    this.#end({ type: 'snoozed', delayMs })
  }

  next(call: TaskCall): void {
    this.#end({ type: 'continued', call })
  }

  crash(error: unknown = new Error('The test ended its thread or process.')): void {
    this.#end({ type: 'crashed', error })
  }

  signal(reason: unknown): void {
    this.signalled ??= reason
    if (!this.deaf) this.throw(reason)
  }

  terminate(): void {
    if (!this.deaf) this.kill()
  }

  kill(): void {
    this.crash(new Error('The supervisor ended its thread or process.'))
  }

  #end(settlement: Settlement): void {
    if (this.ended) return
    this.ended = true
    this.#onEnd(this)
    this.#listener.settled(settlement)
  }
}

/** Every execution's attempts, oldest first. */
export class HeldWork {
  readonly #live = new Set<Held>()
  readonly #deaf: boolean
  readonly #now: () => number

  /** @param now - epoch ms */
  constructor(deaf: boolean, now: () => number) {
    this.#deaf = deaf
    this.#now = now
  }

  get attempts(): readonly HeldAttempt[] {
    return [...this.#live]
  }

  of(runId: string): HeldAttempt | undefined {
    return this.attempts.find((held) => held.runId === runId)
  }

  /** A pool of threads or processes of any size, or an event loop, as far as the supervisor can tell. */
  executor(): Executor {
    return {
      live: 0,
      idle: 0,
      resize: () => {},
      warm: async () => {},
      close: async () => {},
      start: (job, listener) => this.#start(job, listener),
    }
  }

  #start(job: Job, listener: AttemptListener): AttemptHandle {
    const held = new Held(job, listener, this.#deaf, (one) => this.#live.delete(one))
    this.#live.add(held)
    queueMicrotask(() => {
      if (!held.ended) listener.started(this.#now())
    })
    return held
  }
}
