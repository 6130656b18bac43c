/** What tests of metrics share: the text of a scrape, read by a parser that is not ours. */
import parse from 'parse-prometheus-text-format'
import { onTestFinished } from 'vitest'
import { createMetrics, type Metrics, type MetricsOptions } from '../../src/runtime/metrics/index.ts'

type Labels = Readonly<Record<string, string>>

export interface Histogram {
  readonly count: number
  readonly sum: number
  /** By their upper bounds. */
  readonly buckets: Readonly<Record<string, number>>
}

export interface Scrape {
  /** Labels and value of every series of a metric. */
  series(name: string): readonly (readonly [labels: Labels, value: number])[]
  /** Values of a metric by those of its labels after the first one, joined by a space. */
  of(name: string): Record<string, number>
  /** What a histogram says of one series of labels. */
  histogram(name: string, labels: Labels): Histogram
}

export function testMetrics(options: MetricsOptions): Metrics {
  const metrics = createMetrics(options)
  onTestFinished(() => metrics.close())
  return metrics
}

export async function scrape(metrics: Pick<Metrics, 'text'>): Promise<Scrape> {
  // Of a histogram the parser keeps one series: without the type it reads each line as it stands.
  const families = parse((await metrics.text()).replaceAll(/ histogram$/gm, ' untyped'))
  const series = (name: string) =>
    families
      .filter((family) => family.name === name)
      .flatMap((family) => family.metrics)
      .map(({ labels = {}, value }) => [labels, Number(value)] as const)
  const matching = (name: string, wanted: Labels) =>
    series(name).filter(([labels]) =>
      Object.entries(wanted).every(([label, value]) => labels[label] === value),
    )
  return {
    series,
    of: (name) =>
      Object.fromEntries(
        series(name).map(([labels, value]) => [Object.values(labels).slice(1).join(' '), value]),
      ),
    histogram: (name, labels) => ({
      count: matching(`${name}_count`, labels)[0]?.[1] ?? 0,
      sum: matching(`${name}_sum`, labels)[0]?.[1] ?? 0,
      buckets: Object.fromEntries(
        matching(`${name}_bucket`, labels).map(([{ le = '' }, value]) => [le, value]),
      ),
    }),
  }
}
