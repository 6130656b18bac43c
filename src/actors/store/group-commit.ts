/**
 * Puts the operations of many callers into few commits. Making something durable costs the same for one as for a
 * hundred, so whoever comes in the same turn of the event loop, or while a commit is on its way, shares the next.
 *
 * - idle: nothing waits.
 * - gathering: a turn has begun in which operations come.
 * - committing: one commit is on its way; what comes meanwhile waits for the next. Where the store works on several at a
 *   time, many ends and the claims of whoever ends them are two commits (commit-lanes.ts): one of them may begin, or go
 *   on, beside the other one.
 * - closed: nothing new is taken; what was taken is still committed.
 *
 * A caller hears of his operation when the commit is through: answered, or rejected with what kept the store from
 * carrying it out. What fails by itself fails alone; when a commit as a whole fails, all in it are rejected. What somebody's
 * open transaction keeps from being carried out waits for that beside the others (locked-line.ts), and with it what is about
 * the same.
 */
import { type Lane, laneOf, lanesOf } from './commit-lanes.ts'
import { LockedLine, type Waiting } from './locked-line.ts'
import { isPatient } from './operation-subjects.ts'
import type {
  AnswerTable,
  OperationType,
  SettleOperation,
  StoreAnswer,
  StoreOperation,
} from './operations.ts'
import type { Store } from './store.ts'
import { StoreError } from './store-error.ts'

/** So many items share a commit: more would hold the event loop and other writers for too long. */
const ITEMS_PER_COMMIT = 2_000

/** So long an operation waits for the end of a transaction that has locked what it needs. */
const PATIENCE_MS = 30_000

type GroupedStore = Pick<Store, 'commit'> & Partial<Pick<Store, 'capabilities'>>

export class GroupCommit {
  readonly #store: GroupedStore
  #waiting: Waiting[] = []
  #isGathering = false
  /** What is on its way. */
  readonly #lanes: Lane[] = []
  readonly #locked: LockedLine
  #isClosed = false
  /** Resolved when nothing waits any more. */
  #drained: PromiseWithResolvers<void> | undefined

  constructor(store: GroupedStore, { patienceMs = PATIENCE_MS }: { readonly patienceMs?: number } = {}) {
    this.#store = store
    const commit = (operations: readonly StoreOperation[]): Promise<readonly StoreAnswer[]> =>
      store.commit(operations, 'apart')
    this.#locked = new LockedLine({ commit, isLocked, settle, emptied: () => this.#look() }, patienceMs)
  }

  /** Resolves with the answer once it is durable. */
  submit<Operation extends StoreOperation>(operation: Operation): Promise<AnswerTable[Operation['type']]> {
    return this.#take(operation, (waiting) => {
      this.#waiting.push(waiting)
      this.#gather()
    })
  }

  /** The same for one that was answered `locked`: it is asked again beside all others until it is not. */
  submitLocked(operation: SettleOperation): Promise<AnswerTable['settle']> {
    return this.#take(operation, (waiting) => this.#locked.add(waiting))
  }

  /** Resolves when all that was submitted is settled. Nothing more is taken. */
  close(): Promise<void> {
    this.#isClosed = true
    if (this.#isIdle) return Promise.resolve()
    this.#drained ??= Promise.withResolvers<void>()
    return this.#drained.promise
  }

  get #isIdle(): boolean {
    return this.#waiting.length === 0 && this.#lanes.length === 0 && this.#locked.isEmpty
  }

  #take<Operation extends StoreOperation>(
    operation: Operation,
    add: (waiting: Waiting) => void,
  ): Promise<AnswerTable[Operation['type']]> {
    if (this.#isClosed) {
      return Promise.reject(new StoreError('ERR_STORE_CLOSED', 'The store is closed: nothing was stored.'))
    }
    const { promise, resolve, reject } = Promise.withResolvers<AnswerTable[Operation['type']]>()
    add({ operation, resolve, reject })
    return promise
  }

  /** Whether there is anything left to do. */
  #look(): void {
    if (this.#isIdle) this.#drained?.resolve()
    else this.#gather()
  }

  #gather(): void {
    if (this.#isGathering || this.#waiting.length === 0 || !this.#mayBegin) return
    this.#isGathering = true
    setImmediate(() => {
      this.#isGathering = false
      this.#begin()
    })
  }

  /** Whether what waits need not wait for what is on its way. */
  get #mayBegin(): boolean {
    if (this.#lanes.length === 0) return true
    const [lane] = this.#lanes
    if (this.#lanes.length > 1 || lane === 'whole' || !this.#isParallel) return false
    const next = laneOf(this.#waiting.map(({ operation }) => operation))
    return next !== 'whole' && next !== lane
  }

  get #isParallel(): boolean {
    return this.#store.capabilities?.parallel === true
  }

  #begin(): void {
    if (!this.#locked.isEmpty) this.#stepAside()
    if (this.#waiting.length === 0 || !this.#mayBegin) return
    const operations = this.#waiting.map(({ operation }) => operation)
    const ends = this.#isParallel && this.#lanes.length === 0 ? lanesOf(operations) : undefined
    if (ends !== undefined) void this.#commit(this.#waiting.splice(0, ends), 'ends')
    const group = this.#next()
    void this.#commit(group, this.#isParallel ? laneOf(group.map(({ operation }) => operation)) : 'whole')
  }

  async #commit(group: readonly Waiting[], lane: Lane): Promise<void> {
    this.#lanes.push(lane)
    try {
      const answers = await this.#store.commit(group.map(({ operation }) => operation))
      for (const [index, waiting] of group.entries()) this.#hear(waiting, answers[index])
    } catch (error) {
      for (const { reject } of group) reject(error as Error)
    }
    this.#lanes.splice(this.#lanes.indexOf(lane), 1)
    this.#look()
  }

  #hear(waiting: Waiting, said: StoreAnswer | undefined): void {
    // Who settles goes on with the others, and asks for those that are locked again.
    if (waiting.operation.type !== 'settle' && isLocked(waiting.operation, said)) this.#locked.add(waiting)
    else settle(waiting, said)
  }

  /** What is about the same as what waits for a lock goes behind it. */
  #stepAside(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const one of waiting) {
      if (this.#locked.concerns(one.operation)) this.#locked.add(one)
      else this.#waiting.push(one)
    }
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

function isLocked(operation: StoreOperation, said: StoreAnswer | undefined): boolean {
  if (said?.type === 'settle') return said.answer.items.every(({ kind }) => kind === 'locked')
  if (said?.type !== 'failed' || !isPatient(operation)) return false
  return said.error instanceof StoreError && said.error.code === 'ERR_STORE_BUSY'
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
