/** One attempt on its way to, or in, a loop: the task pool's handle on it. */
import type { AttemptListener, Job, SharedAttemptHandle } from './attempt.ts'
import { HostAttempt } from './remote/host-attempt.ts'

/** What an attempt asks of its loop. */
export interface LoopOfAttempt {
  /** Takes back an attempt that the thread has not got yet. */
  withdraw(attempt: LoopAttempt): void
  signal(attempt: LoopAttempt): void
  /** Asks the loop whether it turns. */
  probe(attempt: LoopAttempt): void
  /** Reads what the loop has sent. */
  read(): void
  /** Ends the thread: nothing else can end the attempt, and nothing else goes on in there. */
  kill(attempt: LoopAttempt): void
}

export class LoopAttempt extends HostAttempt implements SharedAttemptHandle {
  readonly #loop: LoopOfAttempt
  #onAnswer: (() => void) | undefined = undefined
  #probe: 'none' | 'asked' | 'answered' = 'none'

  constructor(job: Job, ref: number, listener: AttemptListener, loop: LoopOfAttempt) {
    super(job, ref, listener)
    this.#loop = loop
  }

  signal(reason: unknown): void {
    if (this.stop(reason) === undefined) return
    if (this.isWaiting) this.#loop.withdraw(this)
    else this.#loop.signal(this)
  }

  terminate(): void {
    this.kill()
  }

  kill(): void {
    if (this.isSettled) return
    if (this.isWaiting) this.#loop.withdraw(this)
    else this.#loop.kill(this)
  }

  probe(onAnswer: () => void): void {
    if (this.isSettled) return
    this.#onAnswer = onAnswer
    this.#probe = 'asked'
    this.#loop.probe(this)
  }

  hasAnswered(): boolean {
    this.#loop.read()
    return this.#probe === 'answered'
  }

  /** The loop turns. */
  answered(): void {
    if (this.#probe !== 'asked') return
    this.#probe = 'answered'
    const onAnswer = this.#onAnswer
    this.#onAnswer = undefined
    onAnswer?.()
  }
}
