/**
 * The local times of a recurrence rule without end. The one owner of rrule-temporal, which sees every rule in
 * UTC, where each local time exists once.
 *
 * The library answers from the period nearest to the question, however long ago the rule began. Whoever asks in
 * order is answered from what was looked up ahead.
 */
import { RRuleTemporal } from 'rrule-temporal'
import type { LocalTimes } from './local-times.ts'

/** So many periods without an occurrence are an end: a 29th of February that is a Monday may be 40 years away. */
const MAX_PERIODS = 20_000
/** Months repeat after 400 years. */
const MAX_MONTHS = 4_800
/** About as many are looked up ahead. */
const AHEAD = 256

export class RuleTimes implements LocalTimes {
  readonly #rule: RRuleTemporal
  /** Every occurrence after `#from` up to the last one here. */
  #known: readonly number[] = []
  #from = 0
  /** How far to look ahead, ms; 0 until two questions have come in order. */
  #aheadMs = 0

  /**
   * @param rule the parts of a rule that is right, of months or shorter, without `COUNT` and `UNTIL`
   * @param start the local time at which it begins, a whole second
   */
  constructor(rule: string, start: number) {
    const rruleString = `DTSTART:${basicIso(start)}\nRRULE:${rule}`
    const maxIterations = rule.includes('FREQ=MONTHLY') ? MAX_MONTHS : MAX_PERIODS
    this.#rule = new RRuleTemporal({ rruleString, maxIterations, cache: false })
  }

  next(after: number): number | undefined {
    const last = this.#known.at(-1)
    if (last !== undefined && after >= this.#from && after < last) return this.#known[this.#indexAfter(after)]
    const first = this.#find(after)
    if (first === undefined) return undefined
    this.#known = after === last ? this.#lookAhead(first, first - after) : [first]
    this.#from = after
    return first
  }

  #find(after: number): number | undefined {
    try {
      return this.#rule.next(new Date(after), false)?.epochMilliseconds
    } catch {
      // Its one error at this point: it has looked long enough.
      return undefined
    }
  }

  #lookAhead(first: number, gapMs: number): readonly number[] {
    const aheadMs = this.#aheadMs || gapMs / 16
    const times = this.#between(first, first + Math.ceil(aheadMs))
    this.#aheadMs = times.length < AHEAD / 2 ? aheadMs * 2 : (aheadMs * AHEAD) / times.length
    return times
  }

  #between(from: number, until: number): readonly number[] {
    try {
      const times = this.#rule
        .between(new Date(from), new Date(until), true)
        .map((time) => time.epochMilliseconds)
      return times.length > 0 ? times : [from]
    } catch {
      return [from]
    }
  }

  #indexAfter(after: number): number {
    let low = 0
    let high = this.#known.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#known[middle] as number) > after) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** `20261126T120000Z` */
function basicIso(at: number): string {
  return new Date(at).toISOString().replace(/[-:]|\.\d+/g, '')
}
