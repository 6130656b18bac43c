/**
 * A durable queue as an inspector shows it: read once a second while a page is there, since nothing tells of its changes.
 *
 * - `closed`: no page is there, and nothing is read.
 * - `reading`, `waiting`: a read is under way, or the next one is due in a while; the slower it was, the later.
 *
 * A read that fails leaves what is shown as it was, and the queue `away`.
 */
import type { DaemonRecord } from '../../actors/store/records.ts'
import type { TaskRecord } from '../../actors/store/task-record.ts'
import { daemonMachine } from '../../machines/daemon.ts'
import { storedTaskMachine } from '../../machines/stored-task.ts'
import type { Queue, QueueCounts } from '../durable/queue.ts'
import { storeOf } from '../durable/queue-access.ts'
import type { QueueStore } from '../durable/queue-store.ts'
import type { Charts } from './charts.ts'
import type { Act, ActorList, ActorRow, Ask } from './messages.ts'
import { QueueAnswers } from './queue-answers.ts'
import type { Source } from './source.ts'
import type { ActorTree, TaskFilter } from './tree.ts'

const QUEUE_ID = 'queue'

const EVERY_MS = 1_000
/** Reading takes at most a tenth of the time. */
const SHARE = 10
/** Live tasks in the tree: all of them are in the list. */
const MOST_TASKS = 200

interface Found {
  readonly counts: QueueCounts
  readonly daemons: readonly DaemonRecord[]
  readonly running: readonly TaskRecord[]
}

export class QueueSource implements Source, ActorTree {
  readonly tree: ActorTree = this
  readonly #store: QueueStore
  readonly #charts: Charts
  readonly #answers: QueueAnswers
  #found: Found | undefined
  #isAway = false
  #rows: ReadonlyMap<string, ActorRow> = new Map()
  /** Counts openings: what an earlier one has read is not shown. */
  #opening = 0
  #timer: NodeJS.Timeout | undefined

  readonly #daemon: () => string | null

  /** @param daemon - name of the one in this process, once there is one */
  constructor(queue: Queue, charts: Charts, daemon: () => string | null) {
    this.#store = storeOf(queue)
    this.#charts = charts
    this.#answers = new QueueAnswers(queue, this.#store)
    this.#daemon = daemon
    this.#show()
  }

  get hello(): Source['hello'] {
    return { queue: { engine: this.#store.store.capabilities.engine, daemon: this.#daemon() } }
  }

  open(changed: () => void): void {
    this.#opening += 1
    void this.#read(this.#opening, changed)
  }

  close(): void {
    this.#opening += 1
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  refresh(): ReturnType<Source['refresh']> {
    return { common: { stored: this.#found?.counts ?? null }, events: [], skipped: 0, sampled: 1 }
  }

  looked(): void {}

  ask(ask: Ask): unknown {
    if (ask.ask === 'schedules') return this.#answers.schedules()
    if (!('of' in ask) || ask.of !== 'queue') return undefined
    return ask.ask === 'tasks' ? this.#answers.tasks(ask) : this.#answers.task(ask)
  }

  act(act: Act): unknown {
    return 'of' in act && act.of === 'queue' ? this.#answers.act(act) : undefined
  }

  roots(): readonly string[] {
    return [QUEUE_ID]
  }

  row(id: string): ActorRow | undefined {
    return this.#rows.get(id)
  }

  list(parent: string, offset: number, limit: number, { text, states }: TaskFilter): ActorList | undefined {
    if (parent !== QUEUE_ID) return undefined
    const ids = [...this.#rows.values()]
      .filter(({ id, kind, name, state }) => {
        if (id === QUEUE_ID) return false
        if (kind !== 'task') return true
        return (
          (states.size === 0 || states.has(state.split('.', 1)[0] as string)) &&
          (text === '' || name.toLowerCase().includes(text) || id.includes(text))
        )
      })
      .map(({ id }) => id)
    return { offset, total: ids.length, ids: ids.slice(offset, offset + limit) }
  }

  async #read(opening: number, changed: () => void): Promise<void> {
    const begun = performance.now()
    const found = await this.#look().catch(() => undefined)
    if (opening !== this.#opening) return
    this.#isAway = found === undefined
    this.#found = found ?? this.#found
    this.#show()
    changed()
    const waitMs = Math.max(EVERY_MS, SHARE * (performance.now() - begun))
    this.#timer = setTimeout(() => void this.#read(opening, changed), waitMs)
    this.#timer.unref()
  }

  async #look(): Promise<Found> {
    const store = this.#store
    const now = store.now()
    const [counts, daemons, running] = await Promise.all([
      store.read((open) => open.counts(now)),
      store.read((open) => open.daemons()),
      store.read((open) => open.list({ states: ['running'] }, { limit: MOST_TASKS, order: 'oldest' }, now)),
    ])
    return { counts, daemons, running: running.items }
  }

  #show(): void {
    const { daemons = [], running = [] } = this.#found ?? {}
    const rows = new Map<string, ActorRow>()
    const add = (row: Partial<ActorRow> & Pick<ActorRow, 'id' | 'kind' | 'name' | 'state'>): void => {
      const none = {
        parent: QUEUE_ID,
        chart: null,
        startedAt: null,
        children: 0,
        event: null,
        eventAt: null,
        from: null,
      }
      rows.set(row.id, { ...none, ...row })
    }
    const { engine } = this.#store.store.capabilities
    const children = daemons.length + running.length
    add({
      id: QUEUE_ID,
      parent: null,
      kind: 'queue',
      name: engine,
      state: this.#isAway ? 'away' : 'open',
      children,
    })
    const daemonChart = this.#charts.nameOf(daemonMachine)
    for (const { id, name, state, startedAt } of daemons)
      add({ id: `queue:daemon:${id}`, kind: 'daemon', name, chart: daemonChart, state, startedAt })
    const taskChart = this.#charts.nameOf(storedTaskMachine)
    for (const record of running) add({ ...toRow(record), chart: taskChart })
    this.#rows = rows
  }
}

function toRow(
  record: TaskRecord,
): Pick<ActorRow, 'id' | 'kind' | 'name' | 'state' | 'startedAt'> & Pick<ActorRow, 'task'> {
  const { id, name, state, phase, startedAt, priority, attempt, percent, note, schedule, parent } = record
  return {
    id: `queue:task:${id}`,
    kind: 'task',
    name,
    state: phase === null ? state : `${state}.${phase}`,
    startedAt,
    task: {
      runId: id,
      priority,
      execution: 'durable',
      attempt,
      percent,
      note,
      owner: schedule ?? (parent === null ? null : `queue:task:${parent}`),
    },
  }
}
