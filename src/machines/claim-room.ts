/** How many tasks a claim may take from one band: admission's thresholds, seen from a store. */
import type { Priority } from './model.ts'

/**
 * @param room - per band, how many tasks may be taken in all while one of this band is still among them: its
 *   threshold minus what is active, so a higher band has the room of the lower ones and its reserve
 * @param taken - tasks taken already, of higher bands
 * @param limit - at most so many in all
 */
export function placesFor(
  room: Readonly<Record<Priority, number>>,
  band: Priority,
  taken: number,
  limit: number,
): number {
  return Math.max(0, Math.min(room[band], limit) - taken)
}
