/** Events as a sequence between actors: a lifeline for each of those that took part most, an arrow for each event. */
import type { EventRow } from '../../runtime/inspector/messages.ts'
import { placed } from './format.ts'
import type { LoggedEvent } from './picture.ts'

export interface Lifeline {
  /** Id of an actor, or `clock`, `handler`, `user`; `others` stands for all without one of their own. */
  readonly id: string
  readonly name: string
}

export interface SequenceArrow {
  readonly event: LoggedEvent
  /** Positions of lifelines. */
  readonly from: number
  readonly to: number
}

export interface Sequence {
  readonly lifelines: readonly Lifeline[]
  /** Oldest first. */
  readonly arrows: readonly SequenceArrow[]
}

const OTHERS: Lifeline = { id: 'others', name: 'others' }
/** What is no actor comes first. */
const OUTSIDE = ['user', 'clock', 'handler']

/**
 * @param events - oldest first
 * @param most - lifelines, at least 2
 * @param rows - arrows, the newest ones
 * @param nameOf - of an actor that no event names
 */
export function toSequence(
  events: readonly LoggedEvent[],
  most: number,
  rows: number,
  nameOf: (id: string) => string,
): Sequence {
  const shown = events.slice(-rows)
  const named = new Map(shown.map(({ id, name, within }) => [id, placed(name, within)]))
  const ids = ranked(shown)
  const kept = ids.length <= most ? ids : ids.slice(0, most - 1)
  const lifelines = kept
    .sort((a, b) => orderOf(shown, a) - orderOf(shown, b))
    .map((id) => ({ id, name: OUTSIDE.includes(id) ? id : (named.get(id) ?? nameOf(id)) }))
  if (kept.length < ids.length) lifelines.push(OTHERS)
  const positions = new Map(lifelines.map(({ id }, index) => [id, index]))
  const place = (id: string): number => positions.get(id) ?? lifelines.length - 1
  return {
    lifelines,
    arrows: shown.map((event) => ({ event, from: place(event.source), to: place(event.id) })),
  }
}

/** Those that took part most, of equal ones the newest. */
function ranked(events: readonly EventRow[]): string[] {
  const parts = new Map<string, number>()
  for (const { id, source } of events.toReversed()) {
    for (const one of id === source ? [id] : [id, source]) parts.set(one, (parts.get(one) ?? 0) + 1)
  }
  return [...parts].sort(([, a], [, b]) => b - a).map(([id]) => id)
}

/** What is no actor is on the left, the others as they came. */
function orderOf(events: readonly EventRow[], id: string): number {
  const outside = OUTSIDE.indexOf(id)
  return outside < 0
    ? events.findIndex((event) => event.id === id || event.source === id)
    : outside - OUTSIDE.length
}
