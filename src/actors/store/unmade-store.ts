/**
 * A store that is not there yet, for who may still find a mistake before there is anything to store.
 *
 * - unmade: reads find nothing, unless somebody else has made it; listeners wait.
 * - made: by the first commit or `migrate`, or by somebody else. Whatever is asked goes to the real store.
 * - closed: for good; never made, if nothing was stored.
 */
import { PRIORITIES, TASK_STATES } from '../../machines/model.ts'
import type { StoreAnswer, StoreOperation } from './operations.ts'
import type { DaemonRecord, LogEntry, Page, PageRequest, ScheduleRecord, TaskFilter } from './records.ts'
import type { CommitHow, Store, StoreCapabilities, StoreCheck, WakeTopic } from './store.ts'
import { StoreError } from './store-error.ts'
import type { TaskRecord } from './task-record.ts'

/** Opens the real one. @throws StoreError (`ERR_STORE_MISSING`) when it is not there and is not to be made */
export type OpenStore = (create: boolean) => Promise<Store>

interface Waiting {
  readonly topic: WakeTopic
  readonly listener: () => void
  unlisten: (() => void) | undefined
}

export class UnmadeStore implements Store {
  readonly capabilities: StoreCapabilities
  readonly #open: OpenStore
  readonly #listeners = new Set<Waiting>()
  #made: Store | undefined
  #making: Promise<Store> | undefined
  #isClosed = false

  constructor(capabilities: StoreCapabilities, open: OpenStore) {
    this.capabilities = capabilities
    this.#open = open
  }

  async commit(operations: readonly StoreOperation[], how?: CommitHow): Promise<readonly StoreAnswer[]> {
    return (await this.#make()).commit(operations, how)
  }

  async migrate(): Promise<{ readonly from: number; readonly to: number }> {
    return (await this.#make()).migrate()
  }

  async get(ids: readonly string[]): Promise<readonly (TaskRecord | undefined)[]> {
    return (await this.#look())?.get(ids) ?? ids.map(() => undefined)
  }

  async list(filter: TaskFilter, page: PageRequest, now: number): Promise<Page<TaskRecord>> {
    return (await this.#look())?.list(filter, page, now) ?? { items: [], next: null }
  }

  async counts(now: number): Promise<Awaited<ReturnType<Store['counts']>>> {
    const none = Object.fromEntries(TASK_STATES.map((state) => [state, 0]))
    return (await this.#look())?.counts(now) ?? (none as Awaited<ReturnType<Store['counts']>>)
  }

  async backlog(now: number): Promise<Awaited<ReturnType<Store['backlog']>>> {
    const none = Object.fromEntries(PRIORITIES.map((priority) => [priority, { count: 0, since: null }]))
    return (await this.#look())?.backlog(now) ?? (none as Awaited<ReturnType<Store['backlog']>>)
  }

  async schedules(lookAt?: number): Promise<readonly ScheduleRecord[]> {
    return (await this.#look())?.schedules(lookAt) ?? []
  }

  async daemons(): Promise<readonly DaemonRecord[]> {
    return (await this.#look())?.daemons() ?? []
  }

  async log(id: string): Promise<readonly LogEntry[]> {
    return (await this.#look())?.log(id) ?? []
  }

  async check(): Promise<StoreCheck> {
    return (await this.#look())?.check() ?? { ok: true, problems: [], facts: {} }
  }

  wake(topic: WakeTopic, listener: () => void): () => void {
    if (this.#made !== undefined) return this.#made.wake(topic, listener)
    const waiting: Waiting = { topic, listener, unlisten: undefined }
    this.#listeners.add(waiting)
    return () => {
      this.#listeners.delete(waiting)
      waiting.unlisten?.()
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const made = this.#made ?? (await this.#making?.catch(() => undefined))
    await made?.close()
  }

  async #look(): Promise<Store | undefined> {
    try {
      return await this.#opened(false)
    } catch (error) {
      if (error instanceof StoreError && error.code === 'ERR_STORE_MISSING') return undefined
      throw error
    }
  }

  async #make(): Promise<Store> {
    // Whoever looks meanwhile may have found nothing.
    return (await this.#look()) ?? this.#opened(true)
  }

  /** One at a time. */
  async #opened(create: boolean): Promise<Store> {
    if (this.#isClosed) throw new StoreError('ERR_STORE_CLOSED', 'The store is closed.')
    if (this.#made !== undefined) return this.#made
    const making = this.#making?.catch(() => undefined)
    if (making !== undefined) {
      await making
      return this.#opened(create)
    }
    this.#making = this.#open(create)
    try {
      this.#made = await this.#making
      for (const waiting of this.#listeners)
        waiting.unlisten = this.#made.wake(waiting.topic, waiting.listener)
      return this.#made
    } finally {
      this.#making = undefined
    }
  }
}
