/**
 * Puts the operations of many callers into few commits. Making something durable costs the same for one as for a
 * hundred, so whoever comes in the same turn of the event loop, or while a commit is on its way, shares the next.
 *
 * - idle: nothing waits.
 * - gathering: a turn has begun in which operations come.
 * - committing: one commit is on its way; what comes meanwhile waits for the next.
 * - closed: nothing new is taken; what was taken is still committed.
 *
 * A caller hears of his operation when the commit is through: answered, or rejected with what kept the store from
 * carrying it out. What fails by itself fails alone; when a commit as a whole fails, all in it are rejected.
 */
import type { AnswerTable, OperationType, StoreAnswer, StoreOperation } from './operations.ts'
import type { Store } from './store.ts'
import { StoreError } from './store-error.ts'

/** So many items share a commit: more would hold the event loop and other writers for too long. */
const ITEMS_PER_COMMIT = 2_000

interface Waiting {
  readonly operation: StoreOperation
  readonly resolve: (answer: never) => void
  readonly reject: (error: Error) => void
}

type Phase = 'idle' | 'gathering' | 'committing'

export class GroupCommit {
  readonly #store: Pick<Store, 'commit'>
  #waiting: Waiting[] = []
  #phase: Phase = 'idle'
  #isClosed = false
  /** Resolved when nothing waits any more. */
  #drained: PromiseWithResolvers<void> | undefined

  constructor(store: Pick<Store, 'commit'>) {
    this.#store = store
  }

  /** Resolves with the answer once it is durable. */
  submit<Operation extends StoreOperation>(operation: Operation): Promise<AnswerTable[Operation['type']]> {
    if (this.#isClosed) {
      return Promise.reject(new StoreError('ERR_STORE_CLOSED', 'The store is closed: nothing was stored.'))
    }
    const { promise, resolve, reject } = Promise.withResolvers<AnswerTable[Operation['type']]>()
    this.#waiting.push({ operation, resolve, reject })
    if (this.#phase === 'idle') this.#gather()
    return promise
  }

  /** Resolves when all that was submitted is settled. Nothing more is taken. */
  close(): Promise<void> {
    this.#isClosed = true
    if (this.#phase === 'idle') return Promise.resolve()
    this.#drained ??= Promise.withResolvers<void>()
    return this.#drained.promise
  }

  #gather(): void {
    this.#phase = 'gathering'
    setImmediate(() => void this.#commit())
  }

  async #commit(): Promise<void> {
    this.#phase = 'committing'
    const group = this.#next()
    try {
      const answers = await this.#store.commit(group.map(({ operation }) => operation))
      for (const [index, waiting] of group.entries()) settle(waiting, answers[index])
    } catch (error) {
      for (const { reject } of group) reject(error as Error)
    }
    if (this.#waiting.length > 0) return this.#gather()
    this.#phase = 'idle'
    this.#drained?.resolve()
  }

  #next(): Waiting[] {
    let items = 0
    let count = 0
    for (const { operation } of this.#waiting) {
      items += sizeOf(operation)
      if (count > 0 && items > ITEMS_PER_COMMIT) break
      count += 1
    }
    return this.#waiting.splice(0, count)
  }
}

function settle({ operation, resolve, reject }: Waiting, said: StoreAnswer | undefined): void {
  if (said === undefined || said.type === 'failed') {
    reject(
      said?.error ?? new StoreError('ERR_STORE_FAILED', `The store gave no answer to "${operation.type}".`),
    )
  } else {
    resolve(said.answer as never)
  }
}

/** Which member of an operation lists its items. */
const LISTS: Partial<Record<OperationType, string>> = {
  enqueue: 'tasks',
  renew: 'leases',
  settle: 'settlements',
  progress: 'reports',
  cancel: 'ids',
  retry: 'ids',
  move: 'ids',
  remove: 'ids',
}

function sizeOf(operation: StoreOperation): number {
  const list = LISTS[operation.type]
  if (list !== undefined)
    return (operation as unknown as Record<string, { length: number }>)[list]?.length ?? 1
  // As a rule a claim takes no more than the bounded bands have room for. Counted by its limit, the claims of one daemon
  // and the settlement before them would need several commits.
  if (operation.type === 'claim') return Math.min(operation.limit, operation.room.high)
  return 'limit' in operation ? operation.limit : 1
}
