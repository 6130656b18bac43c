/** Instants as text: ISO 8601 with its zone, as `2027-01-31T08:00:00Z`. */

/** The zone is a Z, or the distance from it. */
export const ISO_INSTANT: RegExp = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/

/** @returns epoch ms; `undefined` for a text that says no zone, and for a day or a time that does not exist */
export function isoInstant(text: string): number | undefined {
  const at = ISO_INSTANT.test(text) && hasRealDay(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}

/** Whether the day that a text begins with, if it does, exists. It is taken for one of the next month otherwise: 30 February for 2 March. */
export function hasRealDay(text: string): boolean {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)/.exec(text) ?? []
  return day === undefined || Number(day) <= new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
}
