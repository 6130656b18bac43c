/** What conditions ask about: records of runs, counts, and time. A port: no clock and no calendar in here. */
import type { Condition, ConditionWindow, RecordKind } from './condition.ts'

export type PeriodUnit = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year'

/** What is noted down; `finish` is read from the others. */
export type FactKind = Exclude<RecordKind, 'finish'>

/** When something happened. Two instants may be equal where their order is not. */
export interface Stamp {
  /** Epoch ms. */
  readonly at: number
  /** Monotonic ms: the order of things. */
  readonly mono: number
  /** The order within one instant; 0 when nobody knows. */
  readonly seq: number
}

export type Order = Pick<Stamp, 'mono' | 'seq'>

export interface OpenState {
  readonly inside: boolean
  /** Where the window that is open began, epoch ms. */
  readonly startAt: number | undefined
  /** When this answer may change, epoch ms; infinite = never. */
  readonly changesAt: number
}

export interface Facts {
  /** Epoch ms. */
  readonly now: number
  /** The last record of the kind. */
  last(task: string, kind: FactKind): Stamp | undefined
  /** Failures in a row up to now; 0 when the last record is none. */
  failures(task: string): number
  /** Instants of the newest records of the kind at or after `since` (epoch ms), oldest first. */
  recent(task: string, kind: FactKind, since: number): readonly number[]
  /** Runs whose handler runs or is about to. */
  running(task: string): number
  /** Runs that have not ended, waiting ones included. */
  live(task: string): number
  /** The period around now. */
  period(unit: PeriodUnit, timezone: string | undefined): { readonly startAt: number; readonly endAt: number }
  window(window: ConditionWindow): OpenState
  /** The minutes (seconds) that match a cron expression, as windows. */
  crontime(expression: string, timezone: string | undefined): OpenState
  /** A part of a condition threw. */
  failed(error: unknown, condition: Condition): void
}

/** For whom a condition is asked. */
export interface ConditionOwner {
  /** The definition that is to run, or runs. */
  readonly task: string | undefined
  /** What `after` must be newer than. @defaultValue the task's last run */
  readonly since?: Order | undefined
}

export function isNewer(one: Order, other: Order): boolean {
  return one.mono > other.mono || (one.mono === other.mono && one.seq > other.seq)
}
