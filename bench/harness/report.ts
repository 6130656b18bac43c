/** Tables as text for a terminal and as Markdown. */
import type { Row, Table } from './question.ts'

/** With the columns of the target, if any row has one. */
function gridOf({ columns, rows }: Table): string[][] {
  const judged = rows.some((row) => row.verdict !== undefined)
  if (!judged) return [[...columns], ...rows.map(textOf)]
  const verdictOf = ({ verdict }: Row): string[] =>
    verdict === undefined ? ['', ''] : [verdict.target, verdict.met ? 'met' : 'MISSED']
  return [[...columns, 'target', 'verdict'], ...rows.map((row) => [...textOf(row), ...verdictOf(row)])]
}

export function terminalTable(table: Table): string {
  const grid = gridOf(table)
  const widths = grid[0]?.map((_, column) => Math.max(...grid.map((row) => row[column]?.length ?? 0))) ?? []
  const line = (row: string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  const [head = [], ...body] = grid
  const rule = widths.map((width) => '─'.repeat(width)).join('──')
  return [
    table.title,
    ...(table.note === undefined ? [] : [table.note]),
    line(head),
    rule,
    ...body.map(line),
  ].join('\n')
}

export function markdownTable(table: Table): string {
  const [head = [], ...body] = gridOf(table)
  const line = (row: string[]): string => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const grid = [line(head), `|${'---|'.repeat(head.length)}`, ...body.map(line)].join('\n')
  return [`### ${table.title}`, ...(table.note === undefined ? [] : [table.note]), grid].join('\n\n')
}

/** `14 targets met, 2 MISSED` and which. */
export function summary(tables: readonly Table[]): string {
  const judged = tables.flatMap(({ title, rows }) =>
    rows.flatMap(({ cells, verdict }) => (verdict === undefined ? [] : [{ title, cells, verdict }])),
  )
  const missed = judged.filter(({ verdict }) => !verdict.met)
  const lines = missed.map(
    ({ title, cells, verdict }) => `- MISSED (${verdict.target}): ${title}: ${cells.join(', ')}`,
  )
  return [`${judged.length - missed.length} targets met, ${missed.length} missed`, ...lines].join('\n')
}

function textOf({ cells }: Row): string[] {
  return cells.map(String)
}
