/**
 * What becomes of the occurrences of a durable schedule. Somebody looks at it when its next occurrence is due, or when
 * its run has ended and it waits for that; the look deals with all that is due: each occurrence is run, owed, or dropped.
 * Occurrences are instants of a calendar, and what is owed is a stretch of it, so a store needs no list of them.
 *
 * An occurrence is on time when it is looked at before its successor is due, and not later than `missedAfterMs`. Every
 * other one is missed: nobody looked. `missed` says what is owed for those, `overlap` what becomes of one on time that
 * comes while a run of the schedule is live.
 */
import type { Missed } from './missed.ts'

/**
 * What becomes of an occurrence that comes while a run is live: `skip` drops it, `bufferOne` lets it wait for the end
 * (at most one waits), `allow` runs it beside the live one.
 */
export const SCHEDULE_OVERLAPS = ['skip', 'bufferOne', 'allow'] as const
export type ScheduleOverlap = (typeof SCHEDULE_OVERLAPS)[number]

/** Whether the next occurrence is the one after the last, or the first after the end of its run. */
export const SCHEDULE_ORIGINS = ['due', 'end'] as const
export type ScheduleOrigin = (typeof SCHEDULE_ORIGINS)[number]

export interface SchedulePolicy {
  /**
   * What is owed for occurrences that were missed: nothing (`skip`), one run for all of them (`once`; one that is on time
   * stands for them), or a run for each (`all`). Unless overlap is allowed they run one after another.
   */
  readonly missed: Missed
  readonly overlap: ScheduleOverlap
  readonly from: ScheduleOrigin
  /** How late an occurrence still is on time. */
  readonly missedAfterMs: number
}

/** All occurrences from one instant to another, both included. */
export interface OwedStretch {
  readonly from: number
  readonly until: number
}

/** What is planned. Instants in epoch ms. */
export interface ScheduleState {
  /** The first occurrence that no look has dealt with; `null`: none, or none is known yet. */
  readonly nextAt: number | null
  readonly owed: OwedStretch | null
  /** From then on somebody has to look; `null`: not before a run has ended, or never. */
  readonly lookAt: number | null
}

export interface ScheduleFacts extends ScheduleState {
  /** A run of it waits or runs. */
  readonly isLive: boolean
  /** When the last run ended. */
  readonly endedAt: number | null
}

/** One act: the occurrence that is run, if any, and what is planned then. */
export interface ScheduleStep extends ScheduleState {
  readonly run: number | null
}

/** The first occurrence strictly after an instant. */
export type NextOccurrence = (after: number) => number | undefined

/** So many occurrences are looked at one by one; whoever slept through more goes on with what comes from now on. */
const MOST_COUNTED = 100_000
/** So many begin at one look, where they may run at once. */
const MOST_RUNS = 500

/** @returns what to do, in order; nothing when there was no need to look */
export function lookAtSchedule(
  policy: SchedulePolicy,
  facts: ScheduleFacts,
  now: number,
  next: NextOccurrence,
): readonly ScheduleStep[] {
  const due = dueBy(plannedNext(policy, facts, now, next), now, next)
  const { onTime } = sortOut(policy, due, now)
  const isBusy = facts.isLive && policy.overlap !== 'allow'
  const owed = withMissed(policy, facts.owed, due, isBusy, now)
  const begun = isBusy ? [] : beginnings(policy, owed, onTime, next)
  const isLive = facts.isLive || begun.length > 0
  const plan = (left: OwedStretch | null): ScheduleState => {
    const nextAt = policy.from === 'end' && isLive ? null : due.next
    return {
      nextAt,
      owed: left,
      lookAt: left === null || (isLive && policy.overlap !== 'allow') ? nextAt : now,
    }
  }
  if (begun.length > 0) return begun.map(({ run, left }) => ({ run, ...plan(left) }))
  const then = plan(isBusy ? withBuffered(policy, owed, onTime) : owed)
  return isSame(then, facts) ? [] : [{ run: null, ...then }]
}

/** With `from: 'end'`, nothing is planned while a run is live. */
function plannedNext(
  { from }: SchedulePolicy,
  { nextAt, isLive, endedAt }: ScheduleFacts,
  now: number,
  next: NextOccurrence,
): number | null {
  if (from === 'due' || nextAt !== null || isLive) return nextAt
  return next(endedAt ?? now) ?? null
}

/** Occurrences that are due. */
interface Due {
  readonly first: number | undefined
  readonly last: number | undefined
  /** The one before the last. */
  readonly previous: number | undefined
  /** The first one that is not due. */
  readonly next: number | null
}

function dueBy(first: number | null, now: number, next: NextOccurrence): Due {
  if (first === null || first > now) {
    return { first: undefined, last: undefined, previous: undefined, next: first }
  }
  let last = first
  let previous: number | undefined
  for (let count = 1; count < MOST_COUNTED; count += 1) {
    const following = next(last)
    if (following === undefined || following > now) return { first, last, previous, next: following ?? null }
    previous = last
    last = following
  }
  return { first, last, previous, next: next(now) ?? null }
}

/** The one that is on time, and the last one that was missed. */
function sortOut(
  { missedAfterMs }: SchedulePolicy,
  { last, previous }: Due,
  now: number,
): { readonly onTime: number | undefined; readonly missed: number | undefined } {
  if (last === undefined || now - last > missedAfterMs) return { onTime: undefined, missed: last }
  return { onTime: last, missed: previous }
}

function withMissed(
  policy: SchedulePolicy,
  owed: OwedStretch | null,
  due: Due,
  isBusy: boolean,
  now: number,
): OwedStretch | null {
  const { onTime, missed } = sortOut(policy, due, now)
  if (missed === undefined || policy.missed === 'skip') return owed
  if (policy.missed === 'all') return { from: owed?.from ?? due.first ?? missed, until: missed }
  // Where one that is on time can begin now, it stands for them.
  return owed ?? (onTime === undefined || isBusy ? only(missed) : null)
}

/** What waits already stands for it. */
function withBuffered(
  { overlap }: SchedulePolicy,
  owed: OwedStretch | null,
  onTime: number | undefined,
): OwedStretch | null {
  return overlap === 'bufferOne' && onTime !== undefined ? (owed ?? only(onTime)) : owed
}

/** An occurrence that begins now, and what is still owed after it. */
interface Beginning {
  readonly run: number
  readonly left: OwedStretch | null
}

/** What is owed comes first, and one that is on time may have to wait for it. */
function beginnings(
  policy: SchedulePolicy,
  owed: OwedStretch | null,
  onTime: number | undefined,
  next: NextOccurrence,
): Beginning[] {
  const { missed, overlap } = policy
  const joins = owed === null || missed === 'all' || overlap === 'allow'
  let left = onTime !== undefined && joins ? { from: owed?.from ?? onTime, until: onTime } : owed
  const begun: Beginning[] = []
  const most = overlap === 'allow' ? MOST_RUNS : 1
  while (left !== null && begun.length < most) {
    const run: number = left.from
    left = afterFirst(left, next)
    begun.push({ run, left: left ?? (joins ? null : withBuffered(policy, null, onTime)) })
  }
  return begun
}

function afterFirst({ from, until }: OwedStretch, next: NextOccurrence): OwedStretch | null {
  const following = next(from)
  return following === undefined || following > until ? null : { from: following, until }
}

function only(at: number): OwedStretch {
  return { from: at, until: at }
}

function isSame(a: ScheduleState, b: ScheduleState): boolean {
  const isOwedSame = a.owed?.from === b.owed?.from && a.owed?.until === b.owed?.until
  return a.nextAt === b.nextAt && a.lookAt === b.lookAt && isOwedSame
}
