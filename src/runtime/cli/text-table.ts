/** Columns of text under their titles; the last one is as wide as it likes. */
export function toTable(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  return [titles, ...rows].map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] as number)))
      .join('  ')
      .trimEnd(),
  )
}

/** `name: value` lines, values below each other; without those that have none. */
export function toFacts(facts: Readonly<Record<string, unknown>>): string[] {
  const given = Object.entries(facts).filter(([, value]) => value !== undefined)
  const width = Math.max(0, ...given.map(([name]) => name.length)) + 1
  return given.map(([name, value]) => `${`${name}:`.padEnd(width)} ${plain(value)}`)
}

function plain(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  return text.replaceAll('\n', '\n    ')
}
