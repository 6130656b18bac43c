/** Instants as tests write them, and as failing tests show them. */

/** Epoch ms of an ISO text with an offset or Z. */
export function instant(iso: string): number {
  const at = Date.parse(iso)
  if (Number.isNaN(at)) throw new Error(`Not an instant: ${iso}`)
  return at
}

/** The instant in UTC, without needless zeros: `2026-03-29 01:00`. */
export function iso(at: number | undefined): string {
  if (at === undefined) return 'never'
  return new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/(:00)?\.000Z$/, '')
    .replace(/Z$/, '')
}
