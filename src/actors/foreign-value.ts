/** Values of users: reading them runs code of theirs, which may throw. Nothing here does. */

/** A member of it; `undefined` where there is none, or reading it throws. */
export function peek(value: unknown, key: string): unknown {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[key]
  } catch {
    return undefined
  }
}

/** What it says: of an error its message. `undefined` for nothing, and for what has no text. */
export function saidBy(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  try {
    return String(value instanceof Error ? value.message : value)
  } catch {
    return undefined
  }
}
