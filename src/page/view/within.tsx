/** In front of a name: which nested supervisor it is part of. */

/** @param path - of that supervisor; without, nothing is shown */
export function Within({ path }: { path: string | undefined }) {
  return path === undefined ? null : <span class="muted">{path} › </span>
}
