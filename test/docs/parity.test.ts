/** Holds docs/parity.md against the tests that it names. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const ISSUES = ['2', '3', '4', '5']
const FEATURES = ['id', 'their feature', 'ours', 'issue', 'test']
const TRAPS = ['trap', 'our rule', 'issue', 'test']

interface Row {
  readonly line: number
  readonly header: readonly string[]
  readonly cells: readonly string[]
}

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')
/** A pipe is part of a cell only with a backslash before it. */
const cellsOf = (line: string): string[] =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim())

/** The body rows of every table, with the header that they stand under. */
function rowsOf(text: string): Row[] {
  const rows: Row[] = []
  let header: string[] | undefined
  for (const [index, line] of text.split('\n').entries()) {
    if (!line.startsWith('|')) header = undefined
    else if (header === undefined) header = cellsOf(line)
    else if (!/^\|[-|]+\|$/.test(line)) rows.push({ line: index + 1, header, cells: cellsOf(line) })
  }
  return rows
}

/** Titles of the tests in a file, with those of the groups around them: `group › test`. */
function titlesIn(file: string): Set<string> {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest)
  const titles = new Set<string>()
  const visit = (node: ts.Node, path: readonly string[]): void => {
    const call = ts.isCallExpression(node) ? blockOf(node) : undefined
    if (call === undefined) return ts.forEachChild(node, (child) => visit(child, path))
    const inner = [...path, call.title]
    if (call.isTest) titles.add(inner.join(' › '))
    else ts.forEachChild(node, (child) => visit(child, inner))
  }
  visit(source, [])
  return titles
}

/** `test('title', …)`, `describe.each(…)('title', …)` and their like. */
function blockOf({ expression, arguments: [title] }: ts.CallExpression) {
  if (title === undefined || !ts.isStringLiteralLike(title)) return undefined
  let callee: ts.Expression = expression
  while (ts.isCallExpression(callee) || ts.isPropertyAccessExpression(callee)) callee = callee.expression
  if (!ts.isIdentifier(callee) || !/^(describe|test|it)$/.test(callee.text)) return undefined
  return { title: title.text, isTest: callee.text !== 'describe' }
}

/** The tests that a cell names: `` `file` › title ``, several with `<br>` between them. */
const namedIn = (cell: string) =>
  cell.split('<br>').map((one) => {
    const [, file, title] = /^`(test\/[^`]+\.test\.ts)` › (.+)$/.exec(one.trim()) ?? []
    return { file, title, text: one }
  })

const rows = rowsOf(read('docs/parity.md'))
const issueOf = ({ cells }: Row): string => cells.at(-2) ?? ''
const testOf = ({ cells }: Row): string => cells.at(-1) ?? ''
const say = ({ line, cells }: Row, what: string): string => `docs/parity.md:${line} (${cells[0]}): ${what}`

describe('docs/parity.md', () => {
  test('has the two kinds of tables, and every row as many cells as its header', () => {
    const kinds = new Set(rows.map(({ header }) => header.join('|')))
    expect([...kinds]).toEqual([FEATURES.join('|'), TRAPS.join('|')])
    const bad = rows.filter(({ header, cells }) => cells.length !== header.length || cells.includes(''))
    expect(bad.map((row) => say(row, `${row.cells.length} cells`))).toEqual([])
    const unknown = rows.filter((row) => !ISSUES.includes(issueOf(row)))
    expect(unknown.map((row) => say(row, `issue ${issueOf(row)}`))).toEqual([])
  })

  test('has every id once, numbered through per system', () => {
    const ids = rows.filter(({ header }) => header[0] === 'id').map(({ cells }) => cells[0] as string)
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
    for (const system of ['AT', 'NT', 'RK', 'IN', 'OA']) {
      const own = ids.filter((id) => id.startsWith(`${system}-`)).map((id) => Number(id.slice(3)))
      expect([system, own]).toEqual([system, own.map((_, index) => index + 1)])
    }
    const traps = rows.filter(({ header }) => header[0] === 'trap').map(({ cells }) => cells[0])
    expect(new Set(traps).size).toBe(traps.length)
  })

  test('names only tests that exist', () => {
    const titles = new Map(
      globSync('test/**/*.test.ts', { cwd: ROOT }).map((file) => [file, titlesIn(file)] as const),
    )
    const wrong: string[] = []
    for (const row of rows) {
      if (testOf(row) === 'open') continue
      for (const { file, title, text } of namedIn(testOf(row))) {
        if (file === undefined || title === undefined) wrong.push(say(row, `cannot be read: ${text}`))
        else if (!titles.has(file)) wrong.push(say(row, `no such file: ${file}`))
        else if (!titles.get(file)?.has(title)) wrong.push(say(row, `no such test: ${text}`))
      }
    }
    expect(wrong).toEqual([])
  })

  test.each(['2', '3', '4'])('leaves no row of issue %s open', (issue) => {
    const open = rows.filter((row) => testOf(row) === 'open')
    expect(open.filter((row) => issueOf(row) === issue).map((row) => say(row, 'open'))).toEqual([])
  })
})

describe('the check itself', () => {
  test('reads titles as they are run: groups, templates of each, escapes', () => {
    const titles = titlesIn('test/docs/parity.test.ts')
    expect([...titles]).toContain('docs/parity.md › names only tests that exist')
    expect([...titlesIn('test/runtime/result.test.ts')]).toContain('run.wait › refuses %j')
    expect([...titlesIn('test/runtime/idle.test.ts')]).toContain(
      "stop({ cancelTasks: 'queued' }) ends what is queued and lets what runs end",
    )
  })

  test('tells a missing cell, an escaped pipe and a name that cannot be read', () => {
    const [one, two] = rowsOf('| a | b |\n|---|---|\n| x \\| y | z |\n| only |\n')
    expect([one?.cells, two?.cells.length]).toEqual([['x \\| y', 'z'], 1])
    expect(namedIn('`test/a.test.ts` › t<br>open')).toMatchObject([
      { file: 'test/a.test.ts', title: 't' },
      { file: undefined },
    ])
  })
})
