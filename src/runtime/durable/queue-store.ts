/**
 * The store under one queue, as the client and the daemon of a process share it: one connection, one group commit, one
 * clock, and errors of this package.
 *
 * - open: from `openQueue` on.
 * - closing: what was asked is still answered; what comes now is refused (`ERR_STORE_CLOSED`).
 * - closed: no connection, socket or timer is left.
 */
import type { Clock } from '../../actors/clock.ts'
import { RunIds } from '../../actors/run-id.ts'
import { GroupCommit } from '../../actors/store/group-commit.ts'
import type {
  AnswerTable,
  EnqueueOperation,
  SettleOperation,
  StoreOperation,
} from '../../actors/store/operations.ts'
import type { Store } from '../../actors/store/store.ts'
import { StoreError } from '../../actors/store/store-error.ts'
import { OptionError } from '../errors.ts'
import { toQueueError } from './queue-error.ts'

export interface QueueStoreOptions {
  readonly store: Store
  readonly clock: Clock
  /** Who acts, in the operations log. */
  readonly by: string
  /** Of an input, a result, metadata: as JSON. */
  readonly maxBytes: number
}

export class QueueStore {
  readonly store: Store
  readonly clock: Clock
  readonly by: string
  readonly maxBytes: number
  readonly #commits: GroupCommit
  readonly #ids = new RunIds()
  #closing: Promise<void> | undefined

  constructor({ store, clock, by, maxBytes }: QueueStoreOptions) {
    this.store = store
    this.clock = clock
    this.by = by
    this.maxBytes = maxBytes
    this.#commits = new GroupCommit(store)
  }

  get isClosed(): boolean {
    return this.#closing !== undefined
  }

  /** Whole epoch ms: stores keep integers. */
  now(): number {
    return Math.floor(this.clock.now())
  }

  newId(): string {
    return this.#ids.next(this.now())
  }

  /**
   * Shares a commit with whatever else is asked in this turn; resolves when it is durable.
   *
   * @throws QueueError
   */
  async do<Operation extends StoreOperation>(operation: Operation): Promise<AnswerTable[Operation['type']]> {
    try {
      return await this.#commits.submit(operation)
    } catch (error) {
      throw toQueueError(error)
    }
  }

  /** The same for one whose rows were locked just now: it waits for that beside all others. */
  async doLocked(operation: SettleOperation): Promise<AnswerTable['settle']> {
    try {
      return await this.#commits.submitLocked(operation)
    } catch (error) {
      throw toQueueError(error)
    }
  }

  /**
   * Inside of the caller's transaction. Where the engine runs statements at once, they have run when this returns.
   *
   * @throws QueueError; OptionError when the engine has no such thing
   */
  async within(tx: unknown, operation: EnqueueOperation): Promise<AnswerTable['enqueue']> {
    const { store } = this
    if (store.within === undefined) {
      throw new OptionError(
        `Expected no tx: the engine "${store.capabilities.engine}" takes no part in transactions of others.`,
        { code: 'ERR_OPTION_INVALID' },
      )
    }
    this.#refuseClosed()
    try {
      return await store.within(tx, operation)
    } catch (error) {
      throw toQueueError(error)
    }
  }

  /** @throws QueueError */
  async read<Result>(ask: (store: Store) => Promise<Result>): Promise<Result> {
    this.#refuseClosed()
    try {
      return await ask(this.store)
    } catch (error) {
      throw toQueueError(error)
    }
  }

  /** Resolves when all that was asked is answered and the store is closed. */
  close(): Promise<void> {
    this.#closing ??= this.#commits.close().then(() => this.store.close())
    return this.#closing
  }

  #refuseClosed(): void {
    if (this.isClosed) throw toQueueError(new StoreError('ERR_STORE_CLOSED', 'The queue is closed.'))
  }
}
