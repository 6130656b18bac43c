/** Durations as people write them. Pure. */

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const

/** Exact: `250 ms`, `1.5 s`, `2 min 30 s`, `1 d 12 h`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${ms} ms`
  if (ms < 60_000) return `${ms / 1_000} s`
  const parts: string[] = []
  let rest = ms
  for (const [name, size] of UNITS) {
    const whole = name === 's' ? rest / size : Math.floor(rest / size)
    if (whole > 0) parts.push(`${whole} ${name}`)
    rest %= size
  }
  return parts.join(' ')
}
