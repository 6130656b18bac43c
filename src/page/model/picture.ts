/**
 * What the page knows of what it looks at: the server is authoritative, this follows its frames.
 *
 * A `hello` empties it, so that nothing of an earlier server stays. It holds what is in view and what happened
 * last, never all there is: actors out of view are only counted by the lists that they belong to.
 */
import type { Chart } from '../../machines/chart.ts'
import type {
  ActorList,
  ActorRow,
  EventRow,
  Frame,
  Hello,
  PoolRow,
  Rates,
  Waits,
} from '../../runtime/inspector/messages.ts'
import { Ring } from './ring.ts'
import { Series } from './series.ts'

/** Events that are kept for the log. */
const KEPT_EVENTS = 2_000

/** What is drawn over the last minutes. */
export const PLOTTED = ['created', 'finished', 'failed', 'queueP50', 'queueP95', 'runP50', 'runP95'] as const

export type Plotted = (typeof PLOTTED)[number]

/** An event, with a number of its own. */
export interface LoggedEvent extends EventRow {
  readonly key: number
}

export class Picture {
  hello: Hello | undefined = undefined
  readonly actors = new Map<string, ActorRow>()
  readonly lists = new Map<string, ActorList>()
  readonly charts = new Map<string, Chart>()
  /** Ids of actors without a parent. */
  roots: readonly string[] = []
  counts: Readonly<Record<string, number>> | null = null
  stored: Readonly<Record<string, number>> | null = null
  pools: readonly PoolRow[] = []
  rates: Rates | undefined = undefined
  waits: Waits | undefined = undefined
  readonly events = new Ring<LoggedEvent>(KEPT_EVENTS)
  readonly series = new Series(PLOTTED)
  /** Instant of the last frame, by the server's clock. */
  at = 0
  sampled = 1
  /** Events of which nothing is known but that they happened. */
  skipped = 0
  #keys = 0

  /** A queue alone: who runs its tasks is elsewhere, and nobody tells of steps, rates and times. */
  get isQueueAlone(): boolean {
    const { supervisor = null, queue = null } = this.hello?.sources ?? {}
    return supervisor === null && queue !== null
  }

  begin(hello: Hello): void {
    this.hello = hello
    this.actors.clear()
    this.lists.clear()
    this.charts.clear()
    this.roots = []
    this.counts = null
    this.stored = null
    this.pools = []
    this.rates = undefined
    this.waits = undefined
    this.events.clear()
    this.series.clear()
    this.at = hello.now
    this.sampled = 1
    this.skipped = 0
  }

  take(frame: Frame): void {
    this.at = frame.at
    this.sampled = frame.sampled
    this.skipped += frame.skipped
    this.#takeActors(frame)
    if (frame.counts !== undefined) this.counts = frame.counts
    if (frame.stored !== undefined) this.stored = frame.stored
    this.pools = frame.pools ?? this.pools
    this.rates = frame.rates ?? this.rates
    this.waits = frame.waits ?? this.waits
    this.series.add(frame.at, this.#point())
    this.events.add(
      (frame.events ?? []).map((event) => {
        this.#keys += 1
        return { ...event, key: this.#keys }
      }),
    )
  }

  #takeActors({ added = [], changed = [], gone = [], lists = {}, charts = {} }: Frame): void {
    for (const [id, chart] of Object.entries(charts)) this.charts.set(id, chart)
    for (const id of gone) {
      this.actors.delete(id)
      this.lists.delete(id)
    }
    for (const row of added) this.actors.set(row.id, row)
    for (const change of changed) {
      const row = this.actors.get(change.id)
      if (row !== undefined) this.actors.set(change.id, { ...row, ...change })
    }
    for (const [id, list] of Object.entries(lists)) this.lists.set(id, list)
    if (added.length > 0 || gone.length > 0) {
      this.roots = [...this.actors.values()].filter(({ parent }) => parent === null).map(({ id }) => id)
    }
  }

  #point(): Record<Plotted, number | null> {
    const { rates, waits } = this
    return {
      created: rates?.created ?? null,
      finished: rates?.finished ?? null,
      failed: rates?.failed ?? null,
      queueP50: waits?.queueMs?.p50 ?? null,
      queueP95: waits?.queueMs?.p95 ?? null,
      runP50: waits?.runMs?.p50 ?? null,
      runP95: waits?.runMs?.p95 ?? null,
    }
  }
}
