/**
 * Reads off what is in durable queues.
 *
 * - resting: nothing is asked.
 * - reading: one question for each queue is on its way; whoever scrapes meanwhile waits for the same answer. A database that
 *   has not answered within the bound counts as away; its answer, when it comes, is dropped.
 *
 * The database is authoritative; a failure is no failure of the scrape.
 */
import { PRIORITIES } from '../../machines/model.ts'
import { type QueueStatus, statusOf } from '../durable/queue-status.ts'
import type { QueueStore } from '../durable/queue-store.ts'
import type { Families, Reader } from './families.ts'
import type { MetricName } from './metric-table.ts'

const READ = [
  'stateward_queue_up',
  'stateward_queue_tasks',
  'stateward_queue_due_tasks',
  'stateward_queue_oldest_due_seconds',
  'stateward_queue_daemons',
] as const satisfies readonly MetricName[]

export interface QueueReaderOptions {
  readonly families: Families
  /** By their values in the label `queue`. */
  readonly queues: ReadonlyMap<string, QueueStore>
  /** How long to wait for a database. */
  readonly timeoutMs: number
}

interface Found {
  readonly status: QueueStatus
  readonly backlog: Awaited<ReturnType<QueueStore['store']['backlog']>>
  readonly now: number
}

export class QueueReader implements Reader {
  readonly metrics: readonly MetricName[] = READ
  readonly #options: QueueReaderOptions
  #reading: Promise<void> | undefined = undefined

  constructor(options: QueueReaderOptions) {
    this.#options = options
  }

  read(): Promise<void> {
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #readAll(): Promise<void> {
    const { families, queues } = this.#options
    const found = await Promise.all(
      [...queues].map(async ([name, queue]) => [name, await this.#ask(queue)] as const),
    )
    families.empty(READ)
    for (const [name, answer] of found) this.#put(name, answer)
  }

  /** `undefined` when it does not answer. */
  async #ask(queue: QueueStore): Promise<Found | undefined> {
    const now = queue.now()
    const asked = Promise.all([statusOf(queue), queue.read((store) => store.backlog(now))])
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.#options.timeoutMs).unref()
    })
    const answered = asked.then(
      ([status, backlog]) => ({ status, backlog, now }),
      () => undefined,
    )
    return Promise.race([answered, late]).finally(() => clearTimeout(timer))
  }

  #put(name: string, answer: Found | undefined): void {
    const { families } = this.#options
    const own = { queue: name }
    families.put('stateward_queue_up', own, answer === undefined ? 0 : 1)
    if (answer === undefined) return
    const { status, backlog, now } = answer
    for (const [state, count] of Object.entries(status.counts))
      families.put('stateward_queue_tasks', { ...own, state }, count)
    for (const priority of PRIORITIES) {
      const { count, since } = backlog[priority]
      families.put('stateward_queue_due_tasks', { ...own, priority }, count)
      const oldestMs = since === null ? 0 : Math.max(0, now - since)
      families.put('stateward_queue_oldest_due_seconds', { ...own, priority }, oldestMs / 1_000)
    }
    const alive = status.daemons.filter(({ isAlive }) => isAlive).length
    families.put('stateward_queue_daemons', { ...own, state: 'alive' }, alive)
    families.put('stateward_queue_daemons', { ...own, state: 'silent' }, status.daemons.length - alive)
  }
}
