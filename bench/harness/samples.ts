/** Samples of one side, their medians and spreads, and the ratio of two sides that took turns. */

export class Samples {
  readonly values: readonly number[]

  constructor(values: readonly number[]) {
    if (values.length === 0) throw new Error('no samples')
    this.values = values
  }

  get median(): number {
    const sorted = this.values.toSorted((a, b) => a - b)
    const middle = sorted.length >> 1
    const upper = sorted[middle] as number
    return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2
  }

  /** Nearest rank. */
  quantile(q: number): number {
    const sorted = this.values.toSorted((a, b) => a - b)
    return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] as number
  }

  /** `2.31 (2.20–2.60)`: median, least and most. */
  toString(): string {
    const { values } = this
    if (values.length === 1) return figure(this.median)
    return `${figure(this.median)} (${figure(Math.min(...values))}–${figure(Math.max(...values))})`
  }
}

/** How many times `theirs` is `ours`, round by round: above 1 we are the faster one. */
export function ratio(theirs: Samples, ours: Samples): Samples {
  return new Samples(ours.values.map((value, round) => (theirs.values[round] as number) / value))
}

/** Three significant digits; `?` when the clock was too coarse to say. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '?'
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 100) return value.toFixed(0)
  if (size >= 10) return value.toFixed(1)
  return value.toFixed(size >= 0.1 ? 2 : 3)
}
