/**
 * Operations of a group commit that need what an open transaction of somebody else has locked. They are asked again beside all
 * others, each by itself, until that transaction has ended.
 *
 * - empty: nothing is in anybody's way.
 * - resting: they wait, a growing time, for the next try.
 * - trying: all of them are on their way. Some stay, and some may have come meanwhile.
 *
 * The store is authoritative: what it answers is locked was not carried out. One that has waited for `patienceMs` is rejected
 * with `ERR_STORE_BUSY`; nothing of it was stored.
 */
import { type Backoff, backoffMs } from '../../machines/backoff.ts'
import { subjectsOf } from './operation-subjects.ts'
import type { StoreAnswer, StoreOperation } from './operations.ts'
import { StoreError } from './store-error.ts'

/** An operation, and who waits for its answer. */
export interface Waiting {
  readonly operation: StoreOperation
  readonly resolve: (answer: never) => void
  readonly reject: (error: Error) => void
}

export interface LockedLinePorts {
  /** Carries them out, each by itself. */
  commit(operations: readonly StoreOperation[]): Promise<readonly StoreAnswer[]>
  /** Whether that is the answer to one that needs what is locked. */
  isLocked(operation: StoreOperation, said: StoreAnswer | undefined): boolean
  settle(waiting: Waiting, said: StoreAnswer | undefined): void
  emptied(): void
}

const BACKOFF: Backoff = { kind: 'exponential', initialMs: 20, maxMs: 500, jitter: 'none' }

interface Locked extends Waiting {
  readonly untilMs: number
}

export class LockedLine {
  readonly #ports: LockedLinePorts
  readonly #patienceMs: number
  #line: Locked[] = []
  /** Of all in the line. */
  readonly #subjects = new Set<string>()
  #rounds = 0

  /** @param patienceMs - so long one is asked again */
  constructor(ports: LockedLinePorts, patienceMs: number) {
    this.#ports = ports
    this.#patienceMs = patienceMs
  }

  get isEmpty(): boolean {
    return this.#line.length === 0
  }

  /** Whether one that is about the same waits here: then it must not go first. */
  concerns(operation: StoreOperation): boolean {
    return subjectsOf(operation).some((subject) => this.#subjects.has(subject))
  }

  add(waiting: Waiting): void {
    this.#line.push({ ...waiting, untilMs: performance.now() + this.#patienceMs })
    for (const subject of subjectsOf(waiting.operation)) this.#subjects.add(subject)
    if (this.#line.length === 1) this.#rest()
  }

  #rest(): void {
    this.#rounds += 1
    setTimeout(() => void this.#try(), backoffMs(BACKOFF, this.#rounds, 0))
  }

  async #try(): Promise<void> {
    const tried = [...this.#line]
    const stay = await this.#commit(tried)
    this.#line = [...stay, ...this.#line.slice(tried.length)]
    this.#subjects.clear()
    for (const { operation } of this.#line) {
      for (const subject of subjectsOf(operation)) this.#subjects.add(subject)
    }
    if (!this.isEmpty) return this.#rest()
    this.#rounds = 0
    this.#ports.emptied()
  }

  /** @returns those that go on waiting */
  async #commit(tried: readonly Locked[]): Promise<Locked[]> {
    try {
      const answers = await this.#ports.commit(tried.map(({ operation }) => operation))
      return tried.filter((waiting, index) => this.#hear(waiting, answers[index]))
    } catch (error) {
      for (const { reject } of tried) reject(error as Error)
      return []
    }
  }

  #hear(waiting: Locked, said: StoreAnswer | undefined): boolean {
    if (!this.#ports.isLocked(waiting.operation, said)) this.#ports.settle(waiting, said)
    else if (performance.now() < waiting.untilMs) return true
    else waiting.reject(said?.type === 'failed' ? said.error : lockedError())
    return false
  }
}

function lockedError(): StoreError {
  return new StoreError(
    'ERR_STORE_BUSY',
    'A transaction that is still open has locked the task for too long.',
  )
}
