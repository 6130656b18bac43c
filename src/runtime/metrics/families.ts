/**
 * The metrics of metric-table.ts in a registry. The one file that knows the client library.
 *
 * Some are counted as things happen. The others are read off when somebody scrapes, whoever that is: see {@link Reader}.
 */
import { Counter, Gauge, Histogram, Registry } from '@prometheus-io/client'
import { OptionError } from '../errors.ts'
import { type LabelsOf, METRICS, type MetricName, type MetricOf, type MetricShape } from './metric-table.ts'

/** Where metrics are registered, and scraped from: a `Registry` of `@prometheus-io/client`. */
export type MetricsRegistry = Registry

/** Upper bounds of the buckets of histograms, in seconds. */
export interface Buckets {
  readonly queueSeconds: readonly number[]
  readonly runSeconds: readonly number[]
}

/** Reads metrics off together. It is asked before the values of each of them are given out. */
export interface Reader {
  readonly metrics: readonly MetricName[]
  /** Fills them anew. A promise that it returns never rejects. */
  read(): Promise<void> | undefined
}

export interface FamiliesOptions {
  readonly registry: MetricsRegistry | undefined
  /** Whether those that are `named` have the label `task`. */
  readonly hasNames: boolean
  readonly buckets: Buckets
}

/** Only of metrics that are `named`, where there are names. */
interface Named {
  readonly task?: string
}

export class Families {
  readonly registry: MetricsRegistry
  readonly #counters = new Map<MetricName, Counter<string>>()
  readonly #gauges = new Map<MetricName, Gauge<string>>()
  readonly #histograms = new Map<MetricName, Histogram<string>>()
  readonly #readers = new Map<MetricName, Reader[]>()

  /** @throws OptionError (`ERR_METRICS_REGISTERED`) when the registry has one of them; nothing was registered then */
  constructor({ registry = new Registry(), hasNames, buckets }: FamiliesOptions) {
    this.registry = registry
    const shapes = Object.entries(METRICS) as [MetricName, MetricShape][]
    for (const [name] of shapes) refuseTaken(registry, name)
    for (const [name, { kind, help, labels, named }] of shapes) {
      const common = {
        name,
        help,
        labelNames: named === true && hasNames ? [...labels, 'task'] : [...labels],
        registers: [registry as never],
        collect: () => this.#read(name),
      }
      if (kind === 'counter') this.#counters.set(name, new Counter<string>(common))
      else if (kind === 'gauge') this.#gauges.set(name, new Gauge<string>(common))
      else {
        const bounds = name === 'stateward_task_run_seconds' ? buckets.runSeconds : buckets.queueSeconds
        this.#histograms.set(name, new Histogram<string>({ ...common, buckets: [...bounds] }))
      }
    }
  }

  readBy(reader: Reader): void {
    for (const name of reader.metrics) this.#readers.set(name, [...(this.#readers.get(name) ?? []), reader])
  }

  /** Counts. */
  add<Name extends MetricOf<'counter'>>(name: Name, labels: LabelsOf<Name> & Named, by = 1): void {
    this.#counters.get(name)?.inc(labels, by)
  }

  /** Adds to what a gauge says since it was emptied: what shares its labels is summed up. */
  put<Name extends MetricOf<'gauge'>>(name: Name, labels: LabelsOf<Name>, value: number): void {
    this.#gauges.get(name)?.inc(labels, value)
  }

  observe<Name extends MetricOf<'histogram'>>(
    name: Name,
    labels: LabelsOf<Name> & Named,
    seconds: number,
  ): void {
    this.#histograms.get(name)?.observe(labels, seconds)
  }

  /** Counters and gauges that are about to be filled anew. */
  empty(names: readonly MetricName[]): void {
    for (const name of names) (this.#counters.get(name) ?? this.#gauges.get(name))?.reset()
  }

  /** Takes them out of the registry. */
  close(): void {
    for (const [name, metric] of [...this.#counters, ...this.#gauges, ...this.#histograms])
      if (this.registry.getSingleMetric(name) === metric) this.registry.removeSingleMetric(name)
  }

  #read(name: MetricName): Promise<void> | undefined {
    const pending = (this.#readers.get(name) ?? []).map((reader) => reader.read())
    return pending.some((one) => one !== undefined) ? Promise.all(pending).then(() => {}) : undefined
  }
}

function refuseTaken(registry: MetricsRegistry, name: MetricName): void {
  if (registry.getSingleMetric(name) === undefined) return
  throw new OptionError(
    `The registry has a metric "${name}" already: pass all supervisors and queues to one createMetrics(), or take another registry.`,
    { code: 'ERR_METRICS_REGISTERED' },
  )
}
