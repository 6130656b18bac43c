/** How many of many are told, and how fast things go. Pure. */
import type { Quantiles } from './messages.ts'

/** Steps of machines that are told one by one, per second; of more, whole stories of some runs are. */
const TOLD_PER_SECOND = 6_000
/** Steps of runs in one frame. */
export const TOLD_PER_FRAME = 2_000

/** One in so many is told, as a power of two, so that the runs that are told stay the same ones while it rises. */
export function sampleOf(perSecond: number, most: number = TOLD_PER_SECOND): number {
  let every = 1
  while (perSecond / every > most) every *= 2
  return every
}

/** What came between two frames. */
export interface Crowd {
  /** Steps, told or not. */
  readonly perFrame: number
  /** Steps. */
  readonly perSecond: number
}

/**
 * The sample from a frame on. It rises at once, and falls by one halving a frame, as long as twice as much would fit: a run that
 * is told while it changes is told in part.
 */
export function nextSample(every: number, { perFrame, perSecond }: Crowd): number {
  const needed = (times: number): number =>
    Math.max(sampleOf(times * perFrame, TOLD_PER_FRAME), sampleOf(times * perSecond))
  if (needed(1) > every) return needed(1)
  return needed(2) < every ? every / 2 : every
}

/** How fast totals that only grow do so: over about the last second. */
export class Speed<Name extends string> {
  readonly #marks: { readonly at: number; readonly totals: Readonly<Record<Name, number>> }[] = []
  readonly #windowMs: number

  constructor(windowMs: number = 1_000) {
    this.#windowMs = windowMs
  }

  /** @param at - ms, never less than before. @returns per second, since about a window ago */
  note(at: number, totals: Readonly<Record<Name, number>>): Record<Name, number> {
    const marks = this.#marks
    marks.push({ at, totals: { ...totals } })
    while (marks.length > 2 && at - (marks[1] as { at: number }).at >= this.#windowMs) marks.shift()
    const [first] = marks as [(typeof marks)[number]]
    // Shorter than that, one more would seem to be very many.
    const ms = Math.max(at - first.at, this.#windowMs / 2)
    const names = Object.keys(totals) as Name[]
    return Object.fromEntries(
      names.map((name) => [name, round(((totals[name] - first.totals[name]) * 1_000) / ms)]),
    ) as Record<Name, number>
  }
}

/** The last values, as many as are worth it. */
export class Recent {
  readonly #values: number[] = []
  readonly #times: number[] = []
  readonly #size: number
  #next = 0

  constructor(size: number = 512) {
    this.#size = size
  }

  add(value: number, at: number): void {
    this.#values[this.#next] = value
    this.#times[this.#next] = at
    this.#next = (this.#next + 1) % this.#size
  }

  /** Of those since `since`; `null` when there are none. */
  quantiles(since: number): Quantiles | null {
    const values = this.#values
      .filter((_, index) => (this.#times[index] as number) >= since)
      .sort((one, other) => one - other)
    if (values.length === 0) return null
    const at = (part: number): number =>
      round(values[Math.min(values.length - 1, Math.ceil(part * values.length) - 1)] as number)
    return { p50: at(0.5), p95: at(0.95) }
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
