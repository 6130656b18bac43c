/** How long tasks waited and ran, per band and execution. */
import type { Execution, Priority } from '../../src/index.ts'

/** Quantiles of a list of durations, ms. */
export interface Quantiles {
  readonly p50: number
  readonly p95: number
  readonly max: number
}

export interface TimingRow {
  readonly band: Priority
  readonly execution: Execution
  readonly tasks: number
  /** Time in the queue. */
  readonly waitMs: Quantiles
  /** Time of the last attempt of those that ran; `null` when none did. */
  readonly runMs: Quantiles | null
}

interface Samples {
  readonly band: Priority
  readonly execution: Execution
  readonly waits: number[]
  readonly runs: number[]
}

const BANDS: readonly Priority[] = ['critical', 'high', 'normal', 'low']

export class Timings {
  readonly #samples: Map<string, Samples> = new Map()

  add(band: Priority, execution: Execution, waitMs: number, runMs: number | undefined): void {
    const key = `${band} ${execution}`
    let samples = this.#samples.get(key)
    if (samples === undefined) {
      samples = { band, execution, waits: [], runs: [] }
      this.#samples.set(key, samples)
    }
    samples.waits.push(waitMs)
    if (runMs !== undefined) samples.runs.push(runMs)
  }

  /** The most urgent band first. */
  rows(): TimingRow[] {
    return [...this.#samples.values()]
      .sort((one, two) => BANDS.indexOf(one.band) - BANDS.indexOf(two.band))
      .map(({ band, execution, waits, runs }) => ({
        band,
        execution,
        tasks: waits.length,
        waitMs: quantiles(waits),
        runMs: runs.length === 0 ? null : quantiles(runs),
      }))
  }
}

/** By nearest rank; zeros when there is no value. */
function quantiles(values: readonly number[]): Quantiles {
  const sorted = Float64Array.from(values).sort()
  const at = (share: number): number => round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0)
  return { p50: at(0.5), p95: at(0.95), max: at(1) }
}

/** To a microsecond. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
