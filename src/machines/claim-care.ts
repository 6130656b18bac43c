/**
 * With how much care claimed tasks begin, when some of them have lost leases before: one of these may be what kills daemons, and
 * what is held beside it loses its lease with it.
 *
 * - `normal`: no suspect has come. Tasks are claimed ahead of free places.
 * - `careful`: one has come that has lost a lease. What begins is what there are places for; the rest goes back first.
 * - `alone`: one has come that has lost two, or cannot lose another one ({@link isGrave}). It begins alone, and no other
 *   task is claimed until it has ended or its lease was renewed: what kills a daemon at once has done so by then.
 *
 * So whatever shares the fate of a culprit loses its lease once while nobody knows better, once more with as few others as there
 * are places, and then at most once for each culprit. Two tasks that may not lose another lease are never held together, so that
 * only the culprit is ended for it.
 */
import { PRIORITIES, type Priority } from './model.ts'

export type ClaimCare = 'normal' | 'careful' | 'alone'

export type CareEvent =
  /** `care`: what it has brought asks for; see {@link sortClaimed}. */
  | { readonly type: 'claim.sorted'; readonly care: ClaimCare }
  /** The one that began alone has ended, or lives on with a renewed lease. */
  | { readonly type: 'suspect.cleared' }

/** What follows from an event. While one is alone, claims bring nothing, and say nothing. */
export function nextCare(care: ClaimCare, event: CareEvent): ClaimCare {
  if (event.type === 'suspect.cleared') return care === 'alone' ? 'careful' : care
  return care === 'alone' ? 'alone' : event.care
}

/** What is looked at in a claimed task. */
export interface Suspect {
  readonly priority: Priority
  /** Leases that it has lost. */
  readonly lost: number
}

/** Lost leases from which on a task begins alone. */
const GRAVE = 2

/** @param lostLimit - a task that loses more leases is terminated */
export function isGrave({ lost }: Suspect, lostLimit: number): boolean {
  return lost > 0 && lost >= Math.min(GRAVE, lostLimit)
}

/** Whether a task would be terminated if it lost one more. */
export function isOnLastLife({ lost }: Suspect, lostLimit: number): boolean {
  return lost > 0 && lost >= lostLimit
}

/** What one claim has brought for one pool. */
export interface ClaimedShare<Task> {
  readonly tasks: readonly Task[]
  /** Per band, how many may begin in all while one of this band is still among them; see `placesFor`. */
  readonly places: Readonly<Record<Priority, number>>
}

export interface CareFacts {
  readonly lostLimit: number
  /** A task that may not lose another lease is held already. */
  readonly holdsLast: boolean
}

export interface SortedClaim<Task> {
  readonly care: ClaimCare
  readonly begin: readonly Task[]
  /** Go back before these begin, and may be claimed at once. */
  readonly back: readonly Task[]
  /** Have to wait for one that is held. */
  readonly later: readonly Task[]
}

/** @param shares - in which at least one task has lost a lease */
export function sortClaimed<Task extends Suspect>(
  shares: readonly ClaimedShare<Task>[],
  { lostLimit, holdsLast }: CareFacts,
): SortedClaim<Task> {
  const mustWait = (task: Task): boolean => holdsLast && isOnLastLife(task, lostLimit)
  const all = shares.flatMap(({ tasks }) => tasks)
  const later = all.filter(mustWait)
  const grave = all.find((task) => isGrave(task, lostLimit) && !mustWait(task))
  if (grave !== undefined) {
    return {
      care: 'alone',
      begin: [grave],
      back: all.filter((task) => task !== grave && !mustWait(task)),
      later,
    }
  }
  const begin = shares.flatMap(({ tasks, places }) =>
    withinPlaces(
      tasks.filter((task) => !mustWait(task)),
      places,
    ),
  )
  const begins = new Set(begin)
  const back = all.filter((task) => !begins.has(task) && !mustWait(task))
  return { care: 'careful', begin, back, later }
}

/** The highest bands first, and in the order in which they came. */
function withinPlaces<Task extends Suspect>(
  tasks: readonly Task[],
  places: Readonly<Record<Priority, number>>,
): Task[] {
  const begin: Task[] = []
  for (const band of PRIORITIES) {
    const room = Math.max(0, places[band] - begin.length)
    begin.push(...tasks.filter(({ priority }) => priority === band).slice(0, room))
  }
  return begin
}
