/**
 * Metrics of supervisors and durable queues for Prometheus. docs/observability.md lists them.
 *
 * - open: from `createMetrics` on. What happens is counted as it happens; what is, is read off when somebody scrapes.
 * - closed: nothing is counted any more, and the registry has none of them.
 *
 * Supervisors and queues are authoritative, and never hear of it when something goes wrong here.
 */
import { type Check, check, checkOptions, refuse } from '../check.ts'
import type { Queue } from '../durable/queue.ts'
import { storeOf } from '../durable/queue-access.ts'
import { LiveSupervisor } from '../live-supervisor.ts'
import type { Supervisor } from '../supervisor.ts'
import { countEvents, type NameLimits } from './event-counts.ts'
import { Families, type MetricsRegistry } from './families.ts'
import { LabelLimit } from './label-limit.ts'
import { LiveReader } from './live-reader.ts'
import { QueueReader } from './queue-reader.ts'

export interface MetricsOptions {
  /** By what stands for them in the label `supervisor`. Their daemons, workers and loops come with them. */
  readonly supervisors?: Readonly<Record<string, Supervisor>>
  /** By what stands for them in the label `queue`. */
  readonly queues?: Readonly<Record<string, Queue>>
  /**
   * Where the metrics are registered: a `Registry` of `@prometheus-io/client`, for example with metrics of your own.
   *
   * @defaultValue a new one; never the global one
   */
  readonly registry?: MetricsRegistry
  /**
   * How many names of tasks get a value of their own in the label `task`; the others share `other`. With 0 there is no such
   * label.
   *
   * @defaultValue 0
   */
  readonly taskNames?: number
  /**
   * Upper bounds of the buckets of waiting times, seconds, ascending.
   *
   * @defaultValue 1 ms to 5 min
   */
  readonly queueBuckets?: readonly number[]
  /**
   * Upper bounds of the buckets of running times, seconds, ascending.
   *
   * @defaultValue 1 ms to 1 h
   */
  readonly runBuckets?: readonly number[]
  /**
   * How long a scrape waits for the database of a queue, ms. One that has not answered by then has `stateward_queue_up` 0.
   *
   * @defaultValue 5_000
   */
  readonly timeoutMs?: number
}

export interface Metrics extends Disposable {
  readonly registry: MetricsRegistry
  /** What `text` is, for a `Content-Type` header. */
  readonly contentType: string
  /** All metrics of the registry as Prometheus reads them. */
  text(): Promise<string>
  /** Answers GET and HEAD with `text`, whatever the URL: to be mounted at `/metrics`. Needs no `this`. */
  readonly fetch: (request: Request) => Promise<Response>
  /** Counts no more and takes the metrics out of the registry. */
  close(): void
}

/** Workers, loops and daemons with a value of their own in their labels. */
const MOST_NAMES = 100
const QUEUE_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
const RUN_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600]

const buckets: Check = (where, value) => {
  const isAscending = (bounds: readonly unknown[]): boolean =>
    bounds.length > 0 &&
    bounds.every(
      (bound, index) =>
        Number.isFinite(bound) && (index === 0 || (bound as number) > Number(bounds[index - 1])),
    )
  if (!Array.isArray(value) || !isAscending(value))
    refuse(where, 'an array of ascending numbers of seconds', value)
}

const checks = {
  supervisors: check.record('an object of supervisors by name', (where, value) => {
    if (!(value instanceof LiveSupervisor)) refuse(where, 'a supervisor made by createSupervisor()', value)
  }),
  queues: check.record('an object of queues by name', (where, value) => {
    storeOf(value as object, where)
  }),
  registry: check.having(
    'a Registry of @prometheus-io/client',
    'registerMetric',
    'getSingleMetric',
    'metrics',
  ),
  taskNames: check.count(0),
  queueBuckets: buckets,
  runBuckets: buckets,
  timeoutMs: check.finiteDuration,
}

/**
 * Metrics of supervisors and queues, counted from now on.
 *
 * @throws OptionError for a bad option; (`ERR_METRICS_REGISTERED`) when the registry has metrics of another call
 */
export function createMetrics(options: MetricsOptions): Metrics {
  checkOptions('createMetrics()', options, checks)
  const { supervisors = {}, queues = {}, registry, taskNames = 0, timeoutMs = 5_000 } = options
  const { queueBuckets = QUEUE_BUCKETS, runBuckets = RUN_BUCKETS } = options
  const families = new Families({
    registry,
    hasNames: taskNames > 0,
    buckets: { queueSeconds: queueBuckets, runSeconds: runBuckets },
  })
  const limits: NameLimits = {
    tasks: taskNames > 0 ? new LabelLimit(taskNames) : undefined,
    workers: new LabelLimit(MOST_NAMES),
    loops: new LabelLimit(MOST_NAMES),
    daemons: new LabelLimit(MOST_NAMES),
  }
  const watched = new Map(Object.entries(supervisors) as [string, LiveSupervisor][])
  const stores = new Map(Object.entries(queues).map(([name, queue]) => [name, storeOf(queue)]))
  families.readBy(new LiveReader({ families, supervisors: watched, limits }))
  families.readBy(new QueueReader({ families, queues: stores, timeoutMs }))
  const offs = [...watched].map(([name, supervisor]) => countEvents(supervisor, { families, name, limits }))
  return new OpenMetrics(families, offs)
}

class OpenMetrics implements Metrics {
  readonly #families: Families
  readonly #offs: (() => void)[]

  constructor(families: Families, offs: (() => void)[]) {
    this.#families = families
    this.#offs = offs
  }

  get registry(): MetricsRegistry {
    return this.#families.registry
  }

  get contentType(): string {
    return this.registry.contentType
  }

  text(): Promise<string> {
    return this.registry.metrics()
  }

  get fetch(): Metrics['fetch'] {
    return async ({ method }) => {
      if (method !== 'GET' && method !== 'HEAD')
        return new Response(null, { status: 405, headers: { allow: 'GET, HEAD' } })
      const text = await this.text()
      const headers = { 'content-type': this.contentType, 'cache-control': 'no-store' }
      return new Response(method === 'HEAD' ? null : text, { headers })
    }
  }

  close(): void {
    this.#families.close()
    for (const off of this.#offs.splice(0)) off()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
