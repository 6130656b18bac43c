/** How many tasks a claim may take from one band: admission's thresholds, seen from a store. */
import type { Priority } from './model.ts'

type Room = Readonly<Record<Priority, number>>

/**
 * @param room - per band, how many tasks may be taken in all while one of this band is still among them: its
 *   threshold minus what is active, so a higher band has the room of the lower ones and its reserve
 * @param taken - tasks taken already, of higher bands
 * @param limit - at most so many in all
 */
export function placesFor(room: Room, band: Priority, taken: number, limit: number): number {
  return Math.max(0, Math.min(room[band], limit) - taken)
}

/** Room in which a few places more or less make no difference. */
const PLENTY = 50

/**
 * What a claim asks for. A store looks for bands with the same room together, and for others one after the other. So where
 * there is plenty of room for all, and for the lowest band at least half of what the highest bounded one has, all ask for so
 * much; what higher bands have beyond is filled by the next claim. In round numbers, which a store can prepare for.
 */
export function askedRoom(room: Room): Room {
  const { low, high } = room
  if (low < PLENTY || low * 2 < high) return room
  const asked = low - (low % PLENTY)
  return { critical: asked, high: asked, normal: asked, low: asked }
}
