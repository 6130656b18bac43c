/**
 * One of the two pools of a supervisor as a daemon claims for it: how much room it has, and how many tasks it is worth to
 * claim ahead. A full pool of processes must not keep tasks of the event loop from being claimed, nor the other way
 * round.
 */
import { threshold } from '../../machines/admission.ts'
import { placesFor } from '../../machines/claim-room.ts'
import { PRIORITIES, type Priority } from '../../machines/model.ts'
import { NO_PACE, nextPace, type Pace } from '../../machines/prefetch.ts'
import type { SlotPool } from '../slot-pool.ts'

/** At most so many in one claim. */
export const CLAIM_LIMIT = 1_000

export class ClaimLane {
  readonly slots: SlotPool
  /** Only tasks of these definitions; `undefined`: all. */
  readonly names: readonly string[] | undefined
  /** Whether more is claimed than there are places for. */
  claimsAhead = true
  readonly #prefetch: number
  readonly #takesTurns: boolean
  #pace: Pace = NO_PACE
  #ended = 0
  /** Claimed, and not in the pool yet. */
  #coming = 0
  /** Bands of which more may be due than the last claim had room for. */
  readonly #more: Set<Priority> = new Set(PRIORITIES)

  /** @param takesTurns - the next claim is under way while the tasks of the last one run */
  constructor(
    slots: SlotPool,
    names: readonly string[] | undefined,
    { prefetch, takesTurns }: { readonly prefetch: number; readonly takesTurns: boolean },
  ) {
    this.slots = slots
    this.names = names
    this.#prefetch = prefetch
    this.#takesTurns = takesTurns
  }

  /** A task of it has ended here. */
  noteEnd(): void {
    this.#ended += 1
  }

  /** Whether a claim would bring more than a few: not each place that is freed is worth one. */
  get hasRoom(): boolean {
    const ahead = this.#ahead
    const waiting = this.slots.size + this.#coming
    const held = this.#takesTurns ? ahead + Math.min(ahead, this.#places) : ahead
    return waiting * 2 <= held && this.room().high > 0
  }

  /** Where claims and runs take turns, half of what may be held: the other half is claimed while these run. */
  get #most(): number {
    const ahead = this.#ahead
    const held = this.#places + ahead
    return this.#takesTurns && ahead > this.#places ? Math.min(CLAIM_LIMIT, Math.ceil(held / 2)) : CLAIM_LIMIT
  }

  get #ahead(): number {
    return this.claimsAhead ? this.#pace.ahead : 0
  }

  get #places(): number {
    return threshold(this.slots.limits, 'low')
  }

  /** Whether the last claim may have left something for want of room. */
  get isFull(): boolean {
    return this.#more.size > 0
  }

  /** Whether there is room now for what the last claim may have left: a reserve of others is none. */
  get hasRoomForMore(): boolean {
    if (!this.hasRoom) return false
    const room = this.room()
    return PRIORITIES.some((band) => this.#more.has(band) && room[band] > 0)
  }

  /** What a claim with so much room has brought. */
  answered(
    room: Readonly<Record<Priority, number>>,
    tasks: readonly { readonly priority: Priority }[],
  ): void {
    this.#coming += tasks.length
    let taken = 0
    for (const band of PRIORITIES) {
      const got = tasks.reduce((count, { priority }) => count + Number(priority === band), 0)
      if (got < placesFor(room, band, taken, CLAIM_LIMIT)) this.#more.delete(band)
      else this.#more.add(band)
      taken += got
    }
  }

  /** So many that were claimed are in the pool now, or back in the store. */
  arrived(count: number): void {
    this.#coming -= count
  }

  /** Anything may be due. @param claimed - how many have come all the same */
  unanswered(claimed: number): void {
    this.#coming += claimed
    for (const band of PRIORITIES) this.#more.add(band)
  }

  /** Takes the pace anew. @param busyMs - see `PaceSample`; @param answerMs - how long the last claim took */
  look(busyMs: number, answerMs: number): void {
    const claims = this.#takesTurns ? 3 : 2
    this.#pace = nextPace(this.#pace, { ended: this.#ended, busyMs, answerMs, claims, most: this.#prefetch })
    this.#ended = 0
  }

  /** How many tasks may be claimed in all while one of the band is still among them. */
  room(): Record<Priority, number> {
    return this.#room(this.#ahead)
  }

  /** How many may begin at once, in the same way. */
  places(): Record<Priority, number> {
    return this.#room(0)
  }

  #room(ahead: number): Record<Priority, number> {
    const { slots } = this
    const room: Record<Priority, number> = { critical: 0, high: 0, normal: 0, low: 0 }
    const most = this.#most
    let waiting = this.#coming
    for (const band of PRIORITIES) {
      waiting += slots.waiting(band)
      const free = threshold(slots.limits, band) - slots.active - waiting + ahead
      room[band] = Math.max(0, Math.min(most, free))
    }
    return room
  }
}
